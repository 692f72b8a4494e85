// Known corruptions, each named by the verifier at the place where it is.

internal import Evidence
internal import LMDB
internal import OpenSSL
internal import Testing

@testable internal import Journal

@Suite struct `Verification` {
  private let directory: TemporaryDirectory
  private let identity: JournalIdentity

  init() async throws {
    directory = try TemporaryDirectory()
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.checkpointRecords = 10
    let journal = try Journal.open(configuration)
    identity = journal.identity
    for start in [0, 10, 20] {
      try await journal.append((start..<start + 10).map { [UInt8]("payload \($0)".utf8) })
    }
    try await journal.openEpoch(reason: "test")
    try await journal.append([[1], [2], [3]])
    await journal.close()
  }

  private func verify() throws -> VerificationReport {
    try JournalVerifier(try JournalReader.open(directory: directory.journal)).verify()
  }

  /// Verifies after replacing one row's value by what `change` makes of it.
  /// - Parameter database: its name; nil for the main one.
  private func verify(
    changing key: [UInt8], of name: String?, _ change: (inout [UInt8]) -> Void
  ) throws -> VerificationReport {
    try directory.corrupt { transaction, environment in
      let database = name.map { environment.database($0) } ?? environment.main
      var value = try #require(try transaction.value(of: key, in: database))
      change(&value)
      try transaction.put(key, value, into: database)
    }
    return try verify()
  }

  @Test func `of a sound journal finds nothing`() throws {
    let report = try verify()
    #expect(report.isSound)
    #expect(report.records == 33)
    #expect(report.epochs == 2)
    #expect(report.checkpoints == 4)
    #expect(report.head == at(2, 3))
  }

  @Test func `finds every flipped bit of a record's value, and names the record`() throws {
    let key = at(1, 17).keyBytes
    var original: [UInt8] = []
    try directory.corrupt { transaction, environment in
      original = try #require(try transaction.value(of: key, in: environment.database("records")))
    }
    for bit in 0..<original.count * 8 {
      let report = try verify(changing: key, of: "records") { value in
        value = original
        value[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      #expect(report.first?.position == at(1, 17), "bit \(bit)")
    }
  }

  @Test func `finds a record whose hash was forged along with it, by tree and checkpoint`() throws {
    let report = try verify(changing: at(1, 17).keyBytes, of: "records") { value in
      value[value.count - 1] ^= 1
      value.withUnsafeBytes { bytes in
        RecordView(position: at(1, 17), value: bytes)?.computedLeafHash().bytes ?? []
      }.enumerated().forEach { value[Layout.RecordValue.leafHash + $0.offset] = $0.element }
    }
    #expect(report.findings.map(\.wrong) == [.checkpointRoot, .checkpointRoot, .tree])
    #expect(report.first?.position == at(1, 20))
  }

  @Test func `finds a missing record, and names it and what stands there`() throws {
    try directory.corrupt { transaction, environment in
      try transaction.delete(at(1, 17).keyBytes, from: environment.database("records"))
    }
    let report = try verify()
    #expect(report.first?.position == at(1, 17))
    #expect(report.first?.wrong == .missingRecord(found: at(1, 18)))
  }

  @Test func `finds records cut off at the end`() throws {
    try directory.corrupt { transaction, environment in
      try transaction.delete(at(2, 3).keyBytes, from: environment.database("records"))
    }
    let report = try verify()
    #expect(report.first?.position == at(2, 3))
    #expect(report.first?.wrong == .missingRecord(found: nil))
  }

  @Test func `finds records behind the head`() throws {
    try directory.corrupt { transaction, environment in
      let value = try #require(try transaction.value(of: at(2, 3).keyBytes, in: environment.database("records")))
      try transaction.put(at(2, 4).keyBytes, value, into: environment.database("records"))
    }
    #expect(try verify().first?.position == at(2, 4))
  }

  @Test func `finds two records exchanged`() throws {
    try directory.corrupt { transaction, environment in
      let records = environment.database("records")
      let first = try #require(try transaction.value(of: at(1, 4).keyBytes, in: records))
      let second = try #require(try transaction.value(of: at(1, 5).keyBytes, in: records))
      try transaction.put(at(1, 4).keyBytes, second, into: records)
      try transaction.put(at(1, 5).keyBytes, first, into: records)
    }
    let report = try verify()
    #expect(report.findings.prefix(2).map(\.position) == [at(1, 4), at(1, 5)])
    #expect(report.findings.prefix(2).allSatisfy { $0.wrong == .leafHash })
  }

  @Test func `finds a record or a key cut short`() throws {
    let cut = try verify(changing: at(1, 17).keyBytes, of: "records") { $0 = Array($0.prefix(41)) }
    #expect(cut.first?.wrong == .unreadableRecord)
    #expect(cut.first?.position == at(1, 17))
    try directory.corrupt { transaction, environment in
      try transaction.put(Array(at(1, 3).keyBytes.prefix(11)), [], into: environment.database("records"))
    }
    #expect(try verify().first?.wrong == .unreadableRecord)
  }

  @Test func `finds every changed byte of a checkpoint`() throws {
    let key = at(1, 20).keyBytes
    var original: [UInt8] = []
    try directory.corrupt { transaction, environment in
      original = try #require(try transaction.value(of: key, in: environment.database("checkpoints")))
    }
    for index in original.indices {
      let report = try verify(changing: key, of: "checkpoints") { value in
        value = original
        value[index] ^= 1
      }
      #expect(report.first?.position == at(1, 20), "byte \(index)")
    }
  }

  @Test func `finds a checkpoint that was signed for another root, or for records that are not there`() throws {
    let directory = directory.journal
    let key = try #require(try JournalKey.read(directory: directory))
    let origin = identity.origin(epoch: 1)
    let forged = try Checkpoint(origin: origin, size: 20, root: .zero, sealed: 0).signed(by: try key.signer(origin))
    let report = try verify(changing: at(1, 20).keyBytes, of: "checkpoints") { $0 = forged.bytes }
    #expect(report.findings == [VerificationFinding(position: at(1, 20), wrong: .checkpointRoot)])

    let beyond = try Checkpoint(origin: origin, size: 31, root: .zero, sealed: 0).signed(by: try key.signer(origin))
    try self.directory.corrupt { transaction, environment in
      try transaction.put(at(1, 31).keyBytes, beyond.bytes, into: environment.database("checkpoints"))
    }
    #expect(try verify().findings.last == VerificationFinding(position: at(1, 31), wrong: .checkpointBeyondRecords))
  }

  @Test func `finds a changed tree`() throws {
    let report = try verify(changing: Layout.Meta.frontier(1), of: nil) { $0[$0.count - 1] ^= 1 }
    #expect(report.findings == [VerificationFinding(position: at(1, 30), wrong: .tree)])
  }

  @Test func `finds an epoch left out and another's public key`() throws {
    try directory.corrupt { transaction, environment in
      try transaction.delete(UInt32(1).bigEndianBytes, from: environment.database("epochs"))
    }
    guard case .meta = try verify().first?.wrong else {
      Issue.record("an epoch left out was not found")
      return
    }
    let report = try verify(changing: Layout.Meta.publicKey, of: "meta") { $0[0] ^= 1 }
    guard case .meta = report.first?.wrong else {
      Issue.record("a changed public key was not found")
      return
    }
  }

  @Test func `lists a bounded number of findings and counts them all`() throws {
    let journalDirectory = try TemporaryDirectory()
    let journal = try Journal.open(JournalConfiguration(directory: journalDirectory.journal))
    try journal.appendBlocking([[UInt8]](repeating: [1], count: 150))
    withExtendedLifetime(journal) {}
    let environment = journal.reader.store.environment
    let transaction = try environment.beginWrite()
    for sequence in 1...150 as ClosedRange<UInt64> {
      var value = try #require(try transaction.value(of: at(1, sequence).keyBytes, in: environment.database("records")))
      value[Layout.RecordValue.payload] ^= 1
      try transaction.put(at(1, sequence).keyBytes, value, into: environment.database("records"))
    }
    try transaction.commit()
    let report = try JournalVerifier(journal.reader).verify()
    #expect(report.findings.count == JournalLimits.findingsMax)
    #expect(report.findingCount == 151)
  }
}
