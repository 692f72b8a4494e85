// One test a row of the tables in Recovery.swift and docs/formats/journal.md: what is found on the disk, and what comes of it.
//
// Whatever the damage: the journal opens, nothing is deleted, every record that is there is as it was recorded, every other one is
// named as lost, and the first record of a new epoch tells of it.

internal import Evidence
internal import Foundation
internal import Glibc
internal import LMDB
internal import OpenSSL
internal import Synchronization
internal import Simulation
internal import Testing

@testable internal import Journal

@Suite struct `Damage on the disk` {
  private static let count: UInt64 = 400
  private static let pageBytes = 4_096
  private let directory: TemporaryDirectory
  private let identity: JournalIdentity
  /// The journal's records as they were appended.
  private let originals: [RecordPosition: [UInt8]]

  private var configuration: JournalConfiguration {
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.checkpointRecords = 50
    configuration.mapBytes = 1 << 28
    configuration.recovery = .forTests
    return configuration
  }

  init() async throws {
    directory = try TemporaryDirectory()
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.checkpointRecords = 50
    configuration.mapBytes = 1 << 28
    let journal = try Journal.open(configuration, fold: CountingFold())
    identity = journal.identity
    for start in stride(from: 0, to: Self.count, by: 20) {
      try await journal.append((start..<start + 20).map { Self.payload($0) })
    }
    try await journal.moveCursor("dcam", to: at(1, 123))
    originals = Dictionary(uniqueKeysWithValues: try journal.reader.allRecords().map { ($0.position, $0.payload) })
    await journal.close()
  }

  private static func payload(_ number: UInt64) -> [UInt8] {
    [UInt8("\(number)".utf8.count)] + Array("\(number)".utf8)
      + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 200)
  }

  /// Wherever these bytes lie in the file: a record lies on its page, and on pages that were its page before.
  private static func places(of bytes: [UInt8], in file: Data) -> [Int] {
    var places: [Int] = []
    var rest = file.startIndex..<file.endIndex
    while let found = file.range(of: Data(bytes), in: rest) {
      places.append(found.lowerBound)
      rest = found.upperBound..<file.endIndex
    }
    return places
  }

  private func append(_ payloads: [[UInt8]]) async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await journal.append(payloads)
    await journal.close()
  }

  // MARK: Doing damage

  private var data: String { directory.journal + "/data.mdb" }

  private func change(_ file: String = "data.mdb", _ body: (inout [UInt8]) -> Void) throws {
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: directory.journal + "/" + file)))
    body(&bytes)
    try Data(bytes).write(to: URL(fileURLWithPath: directory.journal + "/" + file))
  }

  private func restore(_ bytes: [UInt8]) throws {
    try directory.empty()
    for (name, content) in files { try Data(content).write(to: URL(fileURLWithPath: directory.journal + "/" + name)) }
    try Data(bytes).write(to: URL(fileURLWithPath: data))
  }

  private var files: [(String, [UInt8])] {
    [("identity", Array(identity.text.utf8)), ("journal.key", keyText)]
  }
  private var keyText: [UInt8] { (try? directory.bytes(of: "journal/journal.key")) ?? [] }

  // MARK: What must hold afterwards

  /// Opens the journal and checks what holds whatever was damaged.
  @discardableResult
  private func expectRecovery(
    of place: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JournalDamage? {
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    let reader = journal.reader
    let records = try reader.allRecords()
    var named: UInt64 = 0
    for record in records where record.position.epoch == 1 && record.position.sequence <= Self.count {
      #expect(
        record.payload == originals[record.position], "\(place): \(record.position)", sourceLocation: sourceLocation)
      named += 1
    }
    for range in try reader.lost(epoch: 1) where range.first <= Self.count {
      named += min(range.last ?? .max, Self.count) - range.first + 1
    }
    #expect(
      named == Self.count, "\(place): a record is neither there nor named as lost", sourceLocation: sourceLocation)
    let report = try JournalVerifier(reader).verify()
    #expect(report.isSound, "\(place): \(report.findings)", sourceLocation: sourceLocation)
    if let damage = journal.damage, damage.isRecorded {
      let first = try #require(try reader.record(at: at(try reader.head().epoch, 1)))
      #expect(String(decoding: first.payload, as: UTF8.self) == damage.reason, sourceLocation: sourceLocation)
      #expect(
        try directory.quarantined("data.mdb") != nil || damage.reason.contains("missing"),
        sourceLocation: sourceLocation)
    }
    #expect(try await journal.append([[1]]).count == 1, sourceLocation: sourceLocation)
    #expect(try reader.snapshot().stateDigest == CountingFold.over(try reader.allRecords()).digest)
    await journal.close()
    return journal.damage
  }

  @Test func `none: nothing is done`() async throws {
    #expect(try await expectRecovery() == nil)
    #expect(JournalQuarantine.all(of: directory.journal).isEmpty)
  }

  @Test func `a data.mdb of 0 bytes`() async throws {
    try change { $0 = [] }
    let damage = try #require(try await expectRecovery())
    #expect(damage.lost == [LostRecords(epoch: 1, first: 1, last: nil)])
    #expect(damage.reason == "data.mdb is empty or missing")
  }

  @Test func `a missing data.mdb`() async throws {
    try directory.remove("journal/data.mdb")
    let damage = try #require(try await expectRecovery())
    #expect(damage.lost == [LostRecords(epoch: 1, first: 1, last: nil)])
  }

  @Test func `a file cut short anywhere`() async throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    for length in stride(from: 1, to: whole.count - 1, by: 3 * Self.pageBytes + 517) {
      try restore(Array(whole.prefix(length)))
      let damage = try await expectRecovery(of: "the first \(length) bytes")
      // At the end there may be free pages that nobody misses.
      #expect(damage != nil || length > whole.count / 2, "\(length) bytes")
    }
  }

  @Test func `a file cut short is refused to readers, too, also where what they read first is still there`() throws {
    let whole = Array(try Data(contentsOf: URL(fileURLWithPath: data)))
    // The pages that were written last lie at the end; the meta pages name them.
    try restore(Array(whole.prefix(whole.count / 2 / Self.pageBytes * Self.pageBytes)))
    let error = #expect(throws: JournalError.self) { try JournalReader.open(directory: directory.journal) }
    #expect(error.map { "\($0)" }?.contains("missing: the file has") == true, "\(String(describing: error))")
  }

  @Test func `a zeroed page, whichever it is`() async throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    for page in 2..<whole.count / Self.pageBytes {
      try restore(Array(whole))
      try change {
        $0.replaceSubrange(
          page * Self.pageBytes..<(page + 1) * Self.pageBytes, with: [UInt8](repeating: 0, count: Self.pageBytes))
      }
      try directory.write([], to: "journal/fault")
      try await expectRecovery(of: "page \(page)")
    }
  }

  @Test func `a page of random bytes, whichever it is`() async throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    var random = SplitMix64(seed: 7)
    for page in 0..<whole.count / Self.pageBytes {
      try restore(Array(whole))
      try change { bytes in
        for offset in page * Self.pageBytes..<(page + 1) * Self.pageBytes {
          bytes[offset] = UInt8.random(in: 0...255, using: &random)
        }
      }
      try directory.write([], to: "journal/fault")
      try await expectRecovery(of: "page \(page)")
    }
  }

  @Test(arguments: [[0], [1], [0, 1]])
  func `one meta page zeroed, or both: nothing is lost`(pages: [Int]) async throws {
    try change { bytes in
      for page in pages { for offset in page * Self.pageBytes..<(page + 1) * Self.pageBytes { bytes[offset] = 0 } }
    }
    let damage = try #require(try await expectRecovery())
    #expect(damage.lost == [])
    #expect(damage.recordsKept == Self.count)
    #expect(try JournalReader.open(directory: directory.journal).cursor("dcam") == at(1, 123))
  }

  @Test func `a flipped bit anywhere in the file`() async throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    var random = SplitMix64(seed: 11)
    for _ in 0..<60 {
      let bit = Int.random(in: 0..<whole.count * 8, using: &random)
      try restore(Array(whole))
      try change { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
      try directory.write([], to: "journal/fault")
      try await expectRecovery(of: "bit \(bit)")
    }
  }

  @Test func `a flipped bit of a meta page`() async throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    var random = SplitMix64(seed: 12)
    for _ in 0..<60 {
      let bit =
        Int.random(in: 0..<2 * Self.pageBytes, using: &random) / Self.pageBytes * Self.pageBytes * 8
        + Int.random(in: 0..<152 * 8, using: &random)
      try restore(Array(whole))
      try change { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
      try await expectRecovery(of: "bit \(bit)")
    }
  }

  @Test func `a flipped bit of a record's key or value is found, whichever it is`() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    let key = at(1, 17).keyBytes
    let places = Self.places(of: key, in: whole)
    let length = key.count + Layout.RecordValue.payload + Self.payload(16).count
    var found = 0
    for bit in 0..<length * 8 {
      try change { bytes in
        bytes = Array(whole)
        for place in places { bytes[place + bit / 8] ^= 1 << UInt8(bit % 8) }
      }
      var damage: [InspectionLine] = []
      var inspection = Inspection(directory: directory.journal, isThorough: true) { line in
        if case .damage = line { damage.append(line) }
      }
      inspection.run()
      if damage.isEmpty { Issue.record("bit \(bit) of the record was not found") } else { found += 1 }
    }
    #expect(found == length * 8)
    try change { $0 = Array(whole) }
  }

  @Test func `a flipped bit of the free list`() async throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: data))
    let file = try DataFile(directory: directory.journal)
    let root = try #require(file.meta?.freeList.root)
    var random = SplitMix64(seed: 13)
    for _ in 0..<40 {
      let bit = Int(root) * Self.pageBytes * 8 + Int.random(in: 0..<Self.pageBytes * 8, using: &random)
      try restore(Array(whole))
      try change { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
      try await expectRecovery(of: "bit \(bit)")
    }
  }

  /// LMDB believes the marks: it would stop with an assertion, or write to memory that is there for reading only, when it comes to the
  /// page, and so again after each start.
  @Test(arguments: [0x01, 0x02, 0x04], [0x10, 0x20, 0x40, 0x4000, 0x8000] as [UInt16])
  func `a writer's mark on a page is found by the thorough look, and costs no record`(kind: UInt8, mark: UInt16)
    async throws
  {
    try await append([[UInt8](repeating: 0xEE, count: 3_000), [UInt8](repeating: 0xEE, count: 9_000)])
    let file = try DataFile(directory: directory.journal)
    let meta = try #require(file.meta)
    var walk = DataWalk(file, meta)
    let records = try #require(JournalCatalogue(file, meta, &walk)["records"])
    walk.entries(of: records) { _, _ in }
    let page = try #require(
      (2..<file.pages).last { walk.reached.contains($0) && file.page($0)?.bytes[10] == kind }.map { Int($0) })
    try change { bytes in
      bytes[page * Self.pageBytes + 10] |= UInt8(mark & 0xFF)
      bytes[page * Self.pageBytes + 11] |= UInt8(mark >> 8)
    }
    try directory.write([], to: "journal/fault")
    let journal = try Journal.open(configuration, fold: CountingFold())
    let damage = try #require(journal.damage)
    #expect(damage.reason.contains("page \(page) bears a writer's mark"), "\(damage.reason)")
    #expect(damage.lost.isEmpty && damage.recordsKept == Self.count + 2, "\(damage)")
    await journal.close()
  }

  @Test func `a large value whose first page counts other pages than it has is found by the thorough look`()
    async throws
  {
    try await append([[UInt8](repeating: 0xEE, count: 9_000)])
    let whole = try directory.bytes(of: "journal/data.mdb")
    let pages = stride(from: 2 * Self.pageBytes, to: whole.count, by: Self.pageBytes).filter { whole[$0 + 10] == 0x04 }
    // The record's, and that of the row that the fold made of it.
    #expect(pages.map { whole[$0 + 12] } == [3, 3])
    var lost: [[LostRecords]] = []
    for page in pages {
      try restore(whole)
      try change { $0[page + 12] = 4 }
      try directory.write([], to: "journal/fault")
      lost.append(try #require(try await expectRecovery()).lost)
    }
    #expect(lost.sorted { $0.count < $1.count } == [[], [LostRecords(epoch: 1, first: 401, last: 401)]])
  }

  /// The page that names the last commit's trees is gone, and of what that commit appended nothing is whole: it is named as lost all the same.
  @Test func `a last record that is broken, and nothing that leads to it`() async throws {
    try await append([[UInt8](repeating: 0xEE, count: 9_000)])
    let meta = try #require(try DataFile(directory: directory.journal).meta)
    let root = try #require(meta.main.root)
    try change { bytes in
      for page in stride(from: 2 * Self.pageBytes, to: bytes.count, by: Self.pageBytes) where bytes[page + 10] == 0x04 {
        bytes[page + Self.pageBytes + 100] ^= 1
      }
      for offset in Int(root) * Self.pageBytes..<(Int(root) + 1) * Self.pageBytes { bytes[offset] = 0 }
    }
    let damage = try #require(try await expectRecovery())
    #expect(damage.lost.contains { $0.epoch == 1 && $0.contains(Self.count + 1) }, "\(damage)")
  }

  /// Going on behind the last key that was read would lead back to what was read, for ever.
  @Test(.timeLimit(.minutes(5))) func `a page whose keys are out of order is told of, and no reading of it is endless`()
    throws
  {
    let file = try DataFile(directory: directory.journal)
    let meta = try #require(file.meta)
    var walk = DataWalk(file, meta)
    let records = try #require(JournalCatalogue(file, meta, &walk)["records"])
    var before = walk.reached
    walk.entries(of: records) { _, _ in }
    let leaf = try #require(
      (2..<file.pages).first { number in
        walk.reached.contains(number) && before.insert(number) && file.page(number)?.bytes[10] == 0x02
      }.map { Int($0) * Self.pageBytes })
    try change { bytes in
      let last = leaf + Int(bytes[leaf + 12]) + Int(bytes[leaf + 13]) << 8 - 2
      for byte in 0..<2 { bytes.swapAt(leaf + 16 + byte, last + byte) }
    }
    let reader = try JournalReader.open(directory: directory.journal)
    let report = try JournalVerifier(reader).verify()
    #expect(!report.isSound)
    let error = #expect(throws: JournalError.self) { try reader.scan { _ in true } }
    #expect(
      error.flatMap { JournalError.damagedDirectory(of: $0) } == directory.journal, "\(String(describing: error))")
  }

  // MARK: Files that belong elsewhere

  @Test func `an old copy put back: the epoch that it does not know is not begun again`() async throws {
    let old = try Data(contentsOf: URL(fileURLWithPath: data))
    try await beginEpoch()
    try change { $0 = Array(old) }
    let damage = try #require(try await expectRecovery())
    #expect(damage.reason == "data.mdb is an old copy: it ends with epoch 1, and epoch 2 was begun")
    #expect(damage.lost == [LostRecords(epoch: 2, first: 1, last: nil)])
    #expect(try JournalReader.open(directory: directory.journal).head() == at(3, 2))
  }

  private func beginEpoch() async throws {
    let journal = try Journal.open(configuration)
    try await journal.openEpoch(reason: "test")
    try await journal.append([[1], [2]])
    await journal.close()
  }

  @Test func `an old copy of the same epoch opens, and only the hub can tell`() async throws {
    let old = try Data(contentsOf: URL(fileURLWithPath: data))
    #expect(try await expectRecovery() == nil)
    try change { $0 = Array(old) }
    #expect(try await expectRecovery() == nil)
  }

  @Test func `two environments swapped: neither takes the other's records`() async throws {
    let other = try TemporaryDirectory()
    let stranger = try Journal.open(JournalConfiguration(directory: other.journal))
    try await stranger.append([[9], [9]])
    await stranger.close()
    try change { $0 = (try? other.bytes(of: "journal/data.mdb")) ?? [] }
    try directory.remove("journal/lock.mdb")
    let damage = try #require(try await expectRecovery())
    #expect(damage.reason == "data.mdb is another journal's, \(stranger.identity.hexID)")
    #expect(damage.recordsKept == 0)
    #expect(try directory.quarantined("data.mdb") == (try other.bytes(of: "journal/data.mdb")))
  }

  @Test func `another journal's identity gives way`() async throws {
    let other = try TemporaryDirectory()
    let stranger = try Journal.open(JournalConfiguration(directory: other.journal))
    await stranger.close()
    try directory.write(try other.bytes(of: "journal/identity"), to: "journal/identity")
    let damage = try #require(try await expectRecovery())
    #expect(damage.lost == [] && !damage.hasNewKey && !damage.isRecorded)
    #expect(try JournalReader.open(directory: directory.journal).identity.id == identity.id)
  }

  @Test(arguments: [nil, [], [0xFF, 0, 1, 2, 3]] as [[UInt8]?])
  func `lock.mdb lost, empty or garbage: made again`(content: [UInt8]?) async throws {
    if let content {
      try directory.write(content, to: "journal/lock.mdb")
    } else {
      try directory.remove("journal/lock.mdb")
    }
    #expect(try await expectRecovery() == nil)
  }

  @Test func `a lost or garbled identity is written again`() async throws {
    try directory.remove("journal/identity")
    #expect(try await expectRecovery() == nil)
    try directory.write([0, 1, 2], to: "journal/identity")
    let damage = try #require(try await expectRecovery())
    #expect(damage.lost == [] && !damage.hasNewKey)
    #expect(try directory.quarantined("identity") == [0, 1, 2])
    #expect(try JournalReader.open(directory: directory.journal).identity.id == identity.id)
  }

  @Test(arguments: [nil, [1, 2, 3]] as [[UInt8]?])
  func `a lost or garbled key: the records go on under a new one`(content: [UInt8]?) async throws {
    if let content {
      try directory.write(content, to: "journal/journal.key")
    } else {
      try directory.remove("journal/journal.key")
    }
    let damage = try #require(try await expectRecovery())
    #expect(damage.hasNewKey)
    #expect(damage.recordsKept == Self.count && damage.lost == [])
    #expect(try JournalReader.open(directory: directory.journal).identity.id != identity.id)
    #expect(try directory.quarantined("identity") != nil)
  }

  @Test func `key and identity lost: the records go on under a new key`() async throws {
    try directory.remove("journal/journal.key")
    try directory.remove("journal/identity")
    let damage = try #require(try await expectRecovery())
    #expect(damage.hasNewKey && damage.recordsKept == Self.count)
  }

  @Test func `a newer format is no damage: it is refused`() async throws {
    try directory.write(Array(identity.text.replacing("format: 2", with: "format: 3").utf8), to: "journal/identity")
    #expect(throws: JournalError.newerFormat(path: directory.journal, found: 3, supported: 2)) {
      try Journal.open(configuration)
    }
    #expect(JournalQuarantine.all(of: directory.journal).isEmpty)
  }

  // MARK: What may go wrong meanwhile

  @Test func `a second loss adds to the first, and both stay named`() async throws {
    let page = Self.pageBytes
    func zeroLeaf(of position: RecordPosition) throws {
      try change { bytes in
        for place in Self.places(of: position.keyBytes, in: Data(bytes)) {
          let start = place / page * page
          for offset in start..<start + page { bytes[offset] = 0 }
        }
      }
      try directory.write([], to: "journal/fault")
    }
    try zeroLeaf(of: at(1, 100))
    let first = try #require(try await expectRecovery())
    try zeroLeaf(of: at(1, 300))
    let second = try #require(try await expectRecovery())
    #expect(second.lost.count > first.lost.count)
    #expect(Set(first.lost).isSubset(of: Set(second.lost)))
  }

  @Test func `an exchange that was interrupted is finished, wherever it was`() async throws {
    for step in 0..<3 {
      let site = try TemporaryDirectory()
      var configuration = configuration
      configuration.directory = site.journal
      try await makeJournal(configuration)
      let (inside, aside) = (site.journal + "/salvage", site.journal + "-damaged-x")
      try Files.makeDirectory(inside)
      try Files.makeDirectory(aside)
      try site.write(try site.bytes(of: "journal/data.mdb"), to: "journal/salvage/data.mdb")
      try site.write([7], to: "journal/data.mdb")
      let plan = "quarantine: \(aside)\naside: data.mdb\naside: lock.mdb\n"
      try site.write(Array(plan.utf8), to: "journal/salvage/complete")
      if step > 0 { try Files.move(site.journal + "/data.mdb", to: aside + "/data.mdb") }
      if step > 1 { try Files.move(inside + "/data.mdb", to: site.journal + "/data.mdb") }
      let again = try Journal.open(configuration)
      #expect(try again.reader.head() == at(1, 1))
      #expect(again.damage == nil)
      #expect(try site.bytes(of: "journal-damaged-x/data.mdb") == [7])
      await again.close()
    }
  }

  private func makeJournal(_ configuration: JournalConfiguration) async throws {
    let journal = try Journal.open(configuration)
    try await journal.append([[1]])
    await journal.close()
  }

  @Test func `a salvage that was interrupted begins again`() async throws {
    try Files.makeDirectory(directory.journal + "/salvage")
    try directory.write([1, 2, 3], to: "journal/salvage/data.mdb")
    try change { $0 = Array($0.prefix($0.count / 2)) }
    #expect(try await expectRecovery() != nil)
  }

  @Test func `a child that cannot be had leaves sound files alone, and opens damaged ones without their records`()
    async throws
  {
    var configuration = configuration
    let said = Mutex<[String]>([])
    configuration.recovery?.worker = JournalWorkerCommand(executable: "/bin/false")
    configuration.recovery?.uninspected = { reason in said.withLock { $0.append(reason) } }
    try await makeJournal(configuration)
    #expect(said.withLock { $0 } == ["the inspection ended with status 1"])
    #expect(JournalQuarantine.all(of: directory.journal).isEmpty)
    try change { $0 = [] }
    let journal = try Journal.open(configuration)
    #expect(journal.damage?.recordsKept == 0)
    await journal.close()
  }
}
