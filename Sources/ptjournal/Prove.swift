internal import ArgumentParser
internal import Evidence
internal import Journal
internal import ReadModels

struct Prove: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints a proof that a record is in the journal, or that the journal only grew.",
    discussion: """
      With SEQUENCE: the record, its path in the epoch's tree and the signed checkpoint that covers it (a C2SP tlog-proof). With --from-size: \
      that the tree of that checkpoint is the beginning of a later one. Whoever has the journal's public key (`ptjournal key`) checks a proof \
      with `ptjournal verify --proof FILE --key KEY` or tools/verify_export.py, without the journal. Formats: docs/formats/proof.md.

        ptjournal prove /var/lib/printtrail/journal 1/4711 > 4711.proof
        ptjournal prove /var/lib/printtrail/journal --from-size 1/1000 --size 5000 > growth.proof
      """)

  @OptionGroup var argument: JournalArgument
  @Argument(
    help: "The record's sequence, in the newest epoch or as EPOCH/SEQUENCE.", transform: NumberedRecord.parsed)
  var sequence: NumberedRecord?
  @Option(
    parsing: .unconditional,
    help:
      "Prove by the checkpoint of this many records; with --from-size: the later one. (default: the epoch's newest)",
    transform: wholeNumber)
  var size: UInt64?
  @Option(
    help: "Prove that the tree of this SIZE, or EPOCH/SIZE, is the beginning of the later one.",
    transform: NumberedRecord.parsed)
  var fromSize: NumberedRecord?

  func validate() throws {
    guard (sequence == nil) != (fromSize == nil) else {
      throw ValidationError("Give either a record's SEQUENCE or --from-size.")
    }
  }

  func run() throws {
    let reader = try argument.open()
    try orExit {
      let prover = JournalProver(reader)
      if let position = try sequence?.position(reader) {
        Output.write(try prover.inclusion(of: position, size: size).bytes)
      } else if let older = try fromSize?.position(reader) {
        Output.write(try prover.consistency(epoch: older.epoch, from: older.sequence, to: size).bytes)
      }
    }
  }
}
