internal import ArgumentParser
internal import Evidence
internal import Journal
internal import ReadModels

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints one record whole, as a CloudEvent.",
    discussion: """
      The leaf hash is computed from the record as it is stored now; it is compared with the one that was recorded (exit status 1 where they \
      differ). Exit status 66 where there is no such record.

        ptjournal show /var/lib/printtrail/journal 4711
        ptjournal show /var/lib/printtrail/journal 2/17 | jq .data
      """)

  @OptionGroup var argument: JournalArgument
  @Argument(
    help: "The record's sequence, in the newest epoch or as EPOCH/SEQUENCE.", transform: NumberedRecord.parsed)
  var sequence: NumberedRecord

  func run() throws {
    let reader = try argument.open()
    try orExit {
      let position = try sequence.position(reader)
      let record = try reader.namedRecord(position)
      var writer = CloudEventWriter(journal: reader.identity.hexID)
      Output.line(
        record.payload.withUnsafeBytes { writer.line(position: record.position, time: record.time, payload: $0) })
      try check(reader, position)
    }
  }

  private func check(_ reader: JournalReader, _ position: RecordPosition) throws {
    try reader.scan(from: position, through: position, limit: 1) { view in
      guard view.leafHash != view.computedLeafHash() else { return false }
      Output.complain("Record \(position) does not have the hash that was recorded with it: \(view.leafHash).")
      throw ExitCode(ExitStatus.wrong)
    }
  }
}
