// pthub key

internal import ArgumentParser
internal import Evidence
internal import HubServer

struct KeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key",
    abstract: "Print the key that this hub countersigns checkpoints with.",
    discussion: """
      A checkpoint that bears this hub's signature is one whose records the hub held, exactly as they were sealed. Auditors give the key beside the journal's:

        pthub key --directory /var/lib/pthub > hub.pub
        ptjournal verify export-2026-03 --key "$(cat journal.pub)" --key "$(cat hub.pub)"
      """)

  private struct Shown: Encodable {
    let name: String
    let key: String
  }

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let key = try HubDirectory.open(at: hub.path()).countersigner().key
    guard output.output == .table else {
      return try printJSON(Shown(name: key.name.description, key: key.description))
    }
    printLine(key.description)
  }
}
