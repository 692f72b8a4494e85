internal import ArgumentParser
internal import Events
internal import Evidence
internal import Journal
internal import ReadModels

struct Tail: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the last records, and with -f those that come.",
    discussion: """
      One line a record: time, epoch/sequence, event, the first digits of the device's id, and what happened in short. --output json prints \
      CloudEvents, as ptjournal export does.

        ptjournal tail /var/lib/printtrail/journal
        ptjournal tail -n 100 /var/lib/printtrail/journal
        ptjournal tail -f /var/lib/printtrail/journal --output json | jq -c 'select(.type | test("Alert"))'
      """
  )

  @OptionGroup var argument: JournalArgument
  @OptionGroup var format: OutputOption
  @Flag(name: [.short, .long], help: "Go on as records are appended, until interrupted.")
  var follow = false
  @Option(
    name: [.customShort("n"), .long], parsing: .unconditional, help: "How many records to begin with. (default: 10)",
    transform: wholeNumber)
  var records: UInt64 = 10

  func run() async throws {
    let reader = try argument.open()
    var next: RecordPosition? = try orExit { try start(reader) }
    var writer = CloudEventWriter(journal: reader.identity.hexID)
    while let first = next {
      var last: RecordPosition?
      try orExit {
        try reader.scan(from: first) { view in
          Output.line(line(view, &writer))
          last = view.position
          return true
        }
      }
      guard follow else { return }
      if let last { next = last.next }
      // A record of a later epoch is after this position too.
      _ = try await reader.waitForRecords(
        after: last ?? RecordPosition(epoch: first.epoch, sequence: first.sequence - 1))
    }
  }

  /// So many records before the head, in earlier epochs, too; the first that there is, where there are fewer.
  private func start(_ reader: JournalReader) throws -> RecordPosition {
    var wanted = records
    var start = RecordPosition.start
    for epoch in try reader.epochs().reversed() {
      let (size, removed) = try (reader.frontier(epoch: epoch.number).size, reader.base(epoch: epoch.number).size)
      let taken = min(wanted, size - removed)
      start = RecordPosition(epoch: epoch.number, sequence: size - taken + 1)
      wanted -= taken
      if wanted == 0 { break }
    }
    return start
  }

  private func line(_ view: RecordView, _ writer: inout CloudEventWriter) -> [UInt8] {
    switch format.output {
    case .json: writer.line(position: view.position, time: view.time, payload: view.payload)
    case .text: Array(EventLine.text(view).utf8)
    }
  }
}
