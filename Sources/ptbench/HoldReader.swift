// ptbench hold-reader: a reader as it must not be, for the tests of what a writer does when such a one is killed.

internal import ArgumentParser
internal import Glibc
internal import Journal

struct HoldReader: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hold-reader",
    abstract: "Opens reading transactions, says \"holding\" on standard output, and waits to be killed with them open.")

  @Argument(help: "The journal's directory. Its state must have a row.") var journal: String
  @Option(help: "Reading transactions to hold.") var transactions = 1

  func run() throws { try hold(try JournalReader.open(directory: journal), transactions) }

  /// A row of the state is lent with its transaction open.
  private func hold(_ reader: JournalReader, _ remaining: Int) throws {
    try reader.scanState { _, _ in
      if remaining > 1 { try hold(reader, remaining - 1) }
      print("holding")
      fflush(nil)
      while true { pause() }
    }
  }
}
