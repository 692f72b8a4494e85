internal import ArgumentParser
internal import Glibc
internal import Journal
internal import Platform

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
        1   a check failed: replay and live state differ, a journal or the record behind a number is not sound, or a value would change (diff)
        10 to 19  an export or a proof is not sound, or not of the key that is trusted (a journal: 12, 13): see `ptjournal verify --help`
        64  the command line is wrong
        65  the data cannot be read: a journal, an export or a record is damaged,
            or of a newer format; for a journal, standard error says after which record, and what to do
        66  there is no journal, export, file, epoch, record, checkpoint, device or meter of that name,
            or retention removed the record, or damage what proves it
        73  --into: the directory or a file in it cannot be made, or something is in the way
        74  reading or writing failed, also of standard output: the disk failed or is full
        77  permission denied

      Version: ptjournal --version
      Shell completions: ptjournal --generate-completion-script bash|zsh|fish
      """,
    version: "ptjournal \(Release.version)",
    subcommands: [
      Stat.self, Tail.self, Show.self, ReplayCommand.self, Why.self, Diff.self, ExportCommand.self, Verify.self,
      Prove.self, Key.self,
    ]
  )

  static func main() async {
    if let status = JournalWorker.run(Array(CommandLine.arguments.dropFirst())) { Glibc.exit(status) }
    StandardOutput.reportClosedPipes()
    await main(nil)
  }
}
