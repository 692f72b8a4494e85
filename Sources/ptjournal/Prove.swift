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
      """)

  @OptionGroup var argument: JournalArgument
  @Argument(help: "The record's sequence, in the newest epoch or as EPOCH/SEQUENCE.")
  var sequence: JournalPoint?
  @Option(help: "Prove by the checkpoint of this many records. (default: the epoch's newest)")
  var size: UInt64?
  @Option(help: "Prove that the tree of this SIZE, or EPOCH/SIZE, is the beginning of the later one.")
  var fromSize: JournalPoint?

  func validate() throws {
    guard (sequence == nil) != (fromSize == nil) else {
      throw ValidationError("Give either a record's SEQUENCE or --from-size.")
    }
    guard case .sequence? = sequence ?? fromSize else {
      throw ValidationError("Expected a number, or EPOCH/NUMBER, not a time.")
    }
  }

  func run() throws {
    let reader = try argument.open()
    try orExit {
      let prover = JournalProver(reader)
      guard case .sequence(let number, let named)? = sequence ?? fromSize else { return }
      let epoch = try named ?? reader.head().epoch
      if fromSize == nil {
        Output.write(try prover.inclusion(of: RecordPosition(epoch: epoch, sequence: number), size: size).bytes)
      } else {
        Output.write(try prover.consistency(epoch: epoch, from: number, to: size).bytes)
      }
    }
  }
}
