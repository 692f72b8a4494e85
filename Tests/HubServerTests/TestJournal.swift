// A journal as an agent has it, in memory: records, tree, checkpoints.

internal import Evidence
internal import FoundationEssentials
internal import HubProtocol
internal import HubServer
internal import OpenSSL

struct TestJournal: Sendable {
  let id: [UInt8]
  let key: Ed25519PrivateKey
  private(set) var epoch: UInt32
  private(set) var frontier = MerkleFrontier()
  private(set) var records: [Printtrail_Dcam_V1_Record] = []

  init(epoch: UInt32 = 1) throws {
    id = SecureRandom.bytes(16)
    key = try Ed25519PrivateKey()
    self.epoch = epoch
  }

  /// The same journal's next epoch, still empty.
  func nextEpoch() -> TestJournal {
    var next = self
    next.epoch += 1
    next.frontier = MerkleFrontier()
    next.records = []
    return next
  }

  mutating func append(_ count: Int) {
    for _ in 0..<count { append("event \(records.count + 1) of epoch \(epoch)") }
  }

  mutating func append(_ payload: String) { append(Array(payload.utf8)) }

  mutating func append(_ payload: [UInt8]) {
    let record = Self.record(epoch, UInt64(records.count) + 1, payload)
    if let leaf = Digest(bytes: record.hash) { frontier.append(leaf) }
    records.append(record)
  }

  /// A well-made record with any payload.
  static func record(_ epoch: UInt32, _ sequence: UInt64, _ payload: String) -> Printtrail_Dcam_V1_Record {
    record(epoch, sequence, Array(payload.utf8))
  }

  static func record(_ epoch: UInt32, _ sequence: UInt64, _ bytes: [UInt8]) -> Printtrail_Dcam_V1_Record {
    let time = 1_700_000_000_000_000_000 + Int64(sequence)
    let leaf = Record(position: RecordPosition(epoch: epoch, sequence: sequence), time: time, payload: bytes).leafHash
    var record = Printtrail_Dcam_V1_Record()
    record.time = time
    record.hash = Data(leaf.bytes)
    record.payload = Data(bytes)
    return record
  }

  /// The records with these sequences.
  func batch(_ sequences: ClosedRange<Int>) -> Printtrail_Dcam_V1_Batch {
    Self.batch(
      epoch, first: UInt64(sequences.lowerBound), Array(records[(sequences.lowerBound - 1)..<sequences.upperBound]))
  }

  static func batch(_ epoch: UInt32, first: UInt64, _ records: [Printtrail_Dcam_V1_Record]) -> Printtrail_Dcam_V1_Batch
  {
    var batch = Printtrail_Dcam_V1_Batch()
    batch.epoch = epoch
    batch.firstSequence = first
    batch.records = records
    return batch
  }

  var hello: Printtrail_Dcam_V1_Hello {
    var hello = Printtrail_Dcam_V1_Hello()
    hello.journalID = Data(id)
    hello.journalPublicKey = Data(key.publicKey.rawRepresentation)
    hello.agentVersion = "test 1"
    return hello
  }

  /// A checkpoint over the first `size` records, signed by `signer` or by the journal's own key.
  func checkpoint(at size: Int, signer: Ed25519PrivateKey? = nil, root: Digest? = nil) throws
    -> Printtrail_Dcam_V1_SealedCheckpoint
  {
    var part = MerkleFrontier()
    for record in records[..<size] {
      if let leaf = Digest(bytes: record.hash) { part.append(leaf) }
    }
    let origin = JournalOrigin(journal: hexadecimal(id), epoch: epoch)
    let note = try Checkpoint(
      origin: origin, size: UInt64(size), root: root ?? part.root, sealed: 1_700_000_000_000_000_000
    )
    .signed(by: SignerKey(name: try origin.keyName(), privateKey: signer ?? key))
    var sealed = Printtrail_Dcam_V1_SealedCheckpoint()
    sealed.epoch = epoch
    sealed.sequence = UInt64(size)
    sealed.note = String(decoding: note.bytes, as: UTF8.self)
    return sealed
  }
}
