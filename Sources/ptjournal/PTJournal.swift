internal import ArgumentParser

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
        10 to 17  an export or a proof is not sound: see `ptjournal verify --help`
        64  the command line is wrong
        65  the data cannot be read: an export or a record is damaged beyond checking
        66  there is no journal, export, record, checkpoint, device or meter of that name
        74  the disk failed
        77  permission denied
      """,
    version: Version.text,
    subcommands: [
      Stat.self, Tail.self, Show.self, ReplayCommand.self, Why.self, Diff.self, ExportCommand.self, Verify.self,
      Prove.self, Key.self,
    ]
  )
}

enum Version {
  static let text = "0.1.0"
}
