internal import ArgumentParser
internal import Evidence
internal import Journal

struct Key: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the journal's verifier key: what proofs and exports are checked with.",
    discussion: """
      The key is public. Give it to whoever will check evidence, by another way than the evidence itself; the hub got it at the enrolment. \
      --epoch prints it under the name that one epoch's checkpoints are signed with, for other tools that read C2SP signed notes.

        ptjournal key /var/lib/printtrail/journal > journal.pub
      """)

  @OptionGroup var argument: JournalArgument
  @Option(parsing: .unconditional, help: "Under the name of this epoch.", transform: wholeNumber)
  var epoch: UInt32?

  func run() throws {
    let reader = try argument.open()
    let identity = reader.identity
    try orExit {
      if let epoch { try reader.expectEpoch(epoch) }
      let key = try epoch.map { try identity.verifier(epoch: $0) } ?? identity.verifier()
      Output.write("\(key)\n")
    }
  }
}
