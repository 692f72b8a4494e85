internal import ArgumentParser
internal import Glibc
internal import Journal

@main
struct PTJournal: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ptjournal",
    abstract: "Looks into a PrintTrail journal, folds it again, exports it and verifies it.",
    discussion: """
      A journal is a directory: journal.directory of ptagent.toml. Every command reads only, and works beside a running agent as well as \
      on a stopped one.

      EXIT STATUS
        0   all is well
        1   a check failed: replay and live state differ, or verify found something wrong
        64  the command line is wrong
        65  the data cannot be read: the journal or an export is damaged. For a journal,
            standard error says after which record, and what to do
        66  there is no journal, export or record of that name
        74  the disk failed
        77  permission denied
      """,
    version: Version.text,
    subcommands: [Stat.self, Tail.self, Show.self, ReplayCommand.self, ExportCommand.self, Verify.self]
  )

  static func main() async {
    if let status = JournalWorker.run(Array(CommandLine.arguments.dropFirst())) { Glibc.exit(status) }
    await main(nil)
  }
}

enum Version {
  static let text = "0.1.0"
}
