// The journal beside a model of it, which is a dictionary: the same random actions on both, from a seed (PT_SEED, PT_SEEDS; see
// docs/testing.md). The failing seed is in the message of the failure.

internal import CrashImages
internal import Evidence
internal import Glibc
internal import OpenSSL
internal import Simulation
internal import Testing

@testable internal import Journal

@Suite struct `The journal and its model` {
  @Test(arguments: Seeds.toRun(24))
  func `agree after any actions`(seed: UInt64) async throws {
    let run = try ModelRun(seed: seed)
    do {
      try await run.go()
    } catch {
      Issue.record("seed \(seed), after \(run.story): \(error)")
    }
  }
}

/// One thing to do, and how often among the others.
private enum Action: CaseIterable {
  case append, appendTogether, moveCursor, openEpoch, checkpoint, appendTooMuch
  case reopen, kill, cutPower, corrupt, prune

  var weight: Int {
    switch self {
    case .append: 10
    case .appendTogether, .moveCursor: 3
    case .reopen: 2
    case .openEpoch, .checkpoint, .appendTooMuch, .kill, .cutPower, .corrupt, .prune: 1
    }
  }

  static func byChance(_ random: inout SplitMix64) -> Action {
    var number = Int.random(in: 0..<allCases.reduce(0) { $0 + $1.weight }, using: &random)
    for action in allCases {
      number -= action.weight
      if number < 0 { return action }
    }
    return .append
  }
}

private final class ModelRun {
  private static let steps = 30

  private let seed: UInt64
  private var random: SplitMix64
  private let directory: TemporaryDirectory
  private let clock = HandClock()
  private var configuration: JournalConfiguration
  private var foldVersion: UInt32 = 1
  private var model = Model()
  private var journal: Journal
  /// Whoever holds a copy, and vouches for what may be removed.
  private let holder: SignerKey
  private var directories = 1
  private var step = 0
  /// What was done, with the head after it.
  private(set) var story = ""

  init(seed: UInt64) throws {
    self.seed = seed
    random = SplitMix64(seed: seed)
    directory = try TemporaryDirectory(isFast: true)
    configuration = JournalConfiguration(directory: directory.journal)
    configuration.clock = clock.clock
    configuration.checkpointRecords = 25
    configuration.checkpointInterval = .seconds(10)
    configuration.mapBytes = 1 << 30
    configuration.recovery = .forTests
    holder = SignerKey(
      name: try NoteKeyName("printtrail.hub/model"),
      privateKey: try Ed25519PrivateKey(rawRepresentation: random.bytes(32)))
    journal = try Journal.open(configuration, fold: CountingFold(version: foldVersion))
  }

  func go() async throws {
    for number in 1...Self.steps {
      step = number
      turnClock()
      let action = Action.byChance(&random)
      story += "\(action) "
      try await perform(action)
      try expectEnd()
      story += "\(model.head); "
    }
    await journal.close()
    try expectEverything()
  }

  private func perform(_ action: Action) async throws {
    switch action {
    case .append: try await append()
    case .appendTogether: try await appendTogether()
    case .moveCursor: try await moveCursor()
    case .openEpoch:
      try await journal.openEpoch(reason: "step \(step)")
      model.openEpoch()
    case .checkpoint: try await journal.checkpoint()
    case .appendTooMuch:
      await #expect(throws: JournalError.self) { try await journal.append([[UInt8](repeating: 0, count: 300_000)]) }
    case .reopen:
      if random.once(in: 2) { foldVersion += 1 }
      if random.once(in: 2) { configuration.checkpointRecords = UInt64.random(in: 1...50, using: &random) }
      await journal.close()
      try open()
      try expectEverything()
    case .kill:
      try await goOn(with: try JournalImage(of: configuration.directory))
      try expectEverything()
    case .cutPower: try await cutPower()
    case .corrupt: try await corrupt()
    case .prune: try await prune()
    }
  }

  /// Mostly a little forward, at times back, now and then far.
  private func turnClock() {
    clock.turn(by: .milliseconds(Int.random(in: -500...3_000, using: &random)))
    if random.once(in: 20) { clock.turn(by: .seconds(Int.random(in: -100_000...100_000, using: &random))) }
  }

  private func open() throws {
    journal = try Journal.open(configuration, fold: CountingFold(version: foldVersion))
  }

  /// Goes on in a new directory with these files, as if the process had ended when they were so.
  private func goOn(with image: JournalImage) async throws {
    directories += 1
    let next = directory.journal + "-\(directories)"
    try image.write(to: next)
    await journal.close()
    configuration.directory = next
    try open()
  }
}

// MARK: What is done

extension ModelRun {
  private func append() async throws {
    let payloads = model.payloads(&random)
    let positions = try await journal.append(payloads)
    try expect(positions == model.append(payloads), "positions \(positions)")
  }

  /// Several callers' requests in one commit: they are queued while nobody may commit.
  private func appendTogether() async throws {
    let queue = journal.writer.queue
    while !queue.takeTurn() { sched_yield() }
    let batches = (0..<Int.random(in: 2...6, using: &random)).map { _ in model.payloads(&random) }
    let results = batches.map { payloads in
      let handover = Handover<WriteOutcome>()
      _ = queue.submit(WriteRequest(journal.writer.prepare(payloads)) { handover.give($0) })
      return handover
    }
    queue.endTurn(nanosecondsUntilDue: nil)
    for (payloads, result) in zip(batches, results) {
      let positions = try result.wait().get()
      try expect(positions == model.append(payloads), "positions \(positions)")
    }
  }

  private func moveCursor() async throws {
    let position = model.somePosition(&random)
    let isAllowed = model.moveCursor(to: position)
    var refusal: JournalError?
    do throws(JournalError) { try await journal.moveCursor("model", to: position) } catch { refusal = error }
    try expect(isAllowed == (refusal == nil), "the cursor to \(position): \(refusal.map { "\($0)" } ?? "moved")")
  }

  /// The power fails in the middle of an append, which is there afterwards as a whole or not at all.
  private func cutPower() async throws {
    let payloads = model.payloads(&random)
    let before = try JournalImage(of: configuration.directory)
    try await journal.append(payloads)
    let after = try JournalImage(of: configuration.directory)
    try await goOn(with: .powerCut(between: before, and: after, using: &random))
    let head = try journal.reader.head()
    if head == model.head {
      model.attempted(payloads)
    } else {
      _ = model.append(payloads)
    }
    try expectEverything()
  }

  /// Something happens to the file while nobody has it open. Whatever is found afterwards: each record is as it was, or named as lost.
  private func corrupt() async throws {
    await journal.close()
    var image = try JournalImage(of: configuration.directory)
    var data = image.files["data.mdb"] ?? []
    damage(&data)
    image.files["data.mdb"] = data
    // What a process leaves that a fault ended: everything is looked at.
    image.files["fault"] = []
    try await goOn(with: image)
    guard let damage = journal.damage else {
      model.cursor = try expectCursor()
      return try expectEverything()
    }
    try expectSalvage(damage)
  }

  /// Removes the oldest records, up to a checkpoint of any epoch that the holder of a copy has signed.
  private func prune() async throws {
    try await journal.checkpoint()
    let whole = try journal.reader.checkpoints().filter { try journal.reader.lost(epoch: $0.epoch).isEmpty }
    guard let stored = whole.randomElement(using: &random) else { return }
    let position = at(stored.epoch, stored.size)
    let note = try SignedNote(text: try SignedNote(bytes: stored.note).text, signer: holder)
    try await journal.storeCountersignature(note, by: holder.verifier)
    if try journal.cursor("holder") ?? .start < position { try await journal.moveCursor("holder", to: position) }
    // An epoch before it goes by its last checkpoint, which must be signed, too.
    for epoch in 1..<max(1, position.epoch) { try await vouch(for: epoch) }
    try await journal.prune(through: position, countersignedBy: holder.verifier, acknowledgedBy: "holder")
    model.prune(through: position)
    try expectEverything()
  }

  private func vouch(for epoch: UInt32) async throws {
    guard let stored = try journal.reader.lastCheckpoint(epoch: epoch) else { return }
    let note = try SignedNote(text: try SignedNote(bytes: stored.note).text, signer: holder)
    try await journal.storeCountersignature(note, by: holder.verifier)
  }

  private func damage(_ data: inout [UInt8]) {
    let place = Int.random(in: 0..<data.count, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: data.removeLast(data.count - place)
    case 1:
      let end = min(data.count, place + Int.random(in: 1...8_192, using: &random))
      for offset in place..<end { data[offset] = 0 }
    case 2:
      let page = place / 4_096 * 4_096
      for offset in page..<min(page + 4_096, data.count) { data[offset] = UInt8.random(in: 0...255, using: &random) }
    default: data[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
  }
}

// MARK: What must hold

extension ModelRun {
  private struct Difference: Error, CustomStringConvertible { let description: String }

  private func expect(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw Difference(description: what()) }
  }

  /// After each step: the end, and the cursor.
  private func expectEnd() throws {
    let head = try journal.reader.head()
    try expect(head == model.head, "the head is \(head), not \(model.head)")
    if model.removed[head] == nil {
      let last = try journal.reader.record(at: head)
      try expect(last?.payload == model.records[head], "the last record is another")
    }
    let cursor = try journal.cursor("model")
    try expect(
      cursor == model.cursor, "the cursor is \(String(describing: cursor)), not \(String(describing: model.cursor))")
  }

  private func expectEverything() throws {
    let reader = journal.reader
    let records = try reader.allRecords()
    for record in records {
      try expect(model.records[record.position] == record.payload, "record \(record.position) is another")
    }
    try expect(records.count == model.records.count, "\(records.count) records, not \(model.records.count)")
    try expectConsistency(records)
  }

  /// What the journal says of itself.
  private func expectConsistency(_ records: [Record]) throws {
    let reader = journal.reader
    let snapshot = try reader.snapshot()
    let replayed = CountingFold(version: foldVersion)
    let base = try reader.scanSnapshot { try replayed.load(key: $0, value: $1) }
    for record in records where record.position > base?.position ?? .start { try? replayed.apply(record) }
    try expect(snapshot.stateDigest == replayed.digest, "the state is not the fold of the records")
    var frontier = try reader.base(epoch: snapshot.head.epoch)
    for record in records where record.position.epoch == snapshot.head.epoch { frontier.append(record.leafHash) }
    try expect(snapshot.root == frontier.root, "the root is another")
    let report = try JournalVerifier(reader).verify()
    try expect(report.isSound, "\(report.findings); \(journal.damage.map { "\($0)" } ?? "no damage")")
  }

  private func expectCursor() throws -> RecordPosition? {
    let cursor = try journal.cursor("model")
    try expect(cursor ?? .start <= model.head, "the cursor is behind the head")
    return cursor
  }

  private func expectSalvage(_ damage: JournalDamage) throws {
    let reader = journal.reader
    let records = try reader.allRecords()
    let present = Dictionary(uniqueKeysWithValues: records.map { ($0.position, $0.payload) })
    var lost: [LostRecords] = []
    for epoch in try reader.epochs() { lost += try reader.lost(epoch: epoch.number) }
    func isLost(_ position: RecordPosition) -> Bool {
      lost.contains { $0.epoch == position.epoch && $0.contains(position.sequence) }
    }
    let head = try reader.head()
    for (position, payload) in model.records {
      try expect(
        present[position].map { $0 == payload || model.wasAttempted($0, at: position) } ?? isLost(position),
        "record \(position) is neither as it was (\(model.records.count) records, \(present.count) there) nor named as lost (\(lost)); \(damage.reason)"
      )
    }
    for (position, payload) in present where model.records[position] == nil {
      let isReport = position == head && String(decoding: payload, as: UTF8.self) == damage.reason
      try expect(
        isReport || model.wasAttempted(payload, at: position) || model.removed[position] == payload,
        "record \(position) comes from nowhere; \(damage.reason)"
      )
    }
    for range in lost {
      try expect(
        range.last.map { $0 <= model.endAttempted(range.epoch) } ?? true,
        "\(range) is named as lost and never was; \(damage.reason)")
    }
    model.goOn(records: present, epochs: try reader.epochs().map { try reader.frontier(epoch: $0.number).size })
    model.cursor = try expectCursor()
    try expectConsistency(records)
  }
}

/// What a journal is, as plainly as it can be said.
private struct Model {
  private(set) var records: [RecordPosition: [UInt8]] = [:]
  /// What retention took away.
  private(set) var removed: [RecordPosition: [UInt8]] = [:]
  private(set) var epoch: UInt32 = 1
  var cursor: RecordPosition?
  private var ends: [UInt32: UInt64] = [1: 0]
  /// Records of commits that a power cut ended: their pages lie in the file, though nothing leads to them.
  private var attempts: [RecordPosition: Set<[UInt8]>] = [:]
  private var made: UInt64 = 0

  var head: RecordPosition { at(epoch, end(epoch)) }

  func end(_ epoch: UInt32) -> UInt64 { ends[epoch] ?? 0 }

  mutating func append(_ payloads: [[UInt8]]) -> [RecordPosition] {
    payloads.map { payload in
      ends[epoch, default: 0] += 1
      records[head] = payload
      return head
    }
  }

  mutating func attempted(_ payloads: [[UInt8]]) {
    for (offset, payload) in payloads.enumerated() {
      attempts[at(epoch, end(epoch) + UInt64(offset) + 1), default: []].insert(payload)
    }
  }

  /// As far as the epoch goes or would go.
  func endAttempted(_ epoch: UInt32) -> UInt64 {
    attempts.keys.reduce(end(epoch)) { $1.epoch == epoch ? max($0, $1.sequence) : $0 }
  }

  func wasAttempted(_ payload: [UInt8], at position: RecordPosition) -> Bool {
    attempts[position]?.contains(payload) ?? false
  }

  mutating func openEpoch() {
    epoch += 1
    ends[epoch] = 0
  }

  /// Whether the cursor may move there; if so it does.
  mutating func moveCursor(to position: RecordPosition) -> Bool {
    guard let end = ends[position.epoch], position.sequence <= end else { return false }
    if let cursor, position < cursor { return false }
    cursor = position
    return true
  }

  mutating func prune(through position: RecordPosition) {
    for (place, payload) in records where place <= position {
      removed[place] = payload
      records[place] = nil
    }
  }

  /// After a salvage there is what was found.
  mutating func goOn(records: [RecordPosition: [UInt8]], epochs: [UInt64]) {
    self.records = records
    epoch = UInt32(epochs.count)
    ends = Dictionary(uniqueKeysWithValues: epochs.enumerated().map { (UInt32($0.offset) + 1, $0.element) })
  }

  /// Each unlike every other.
  mutating func payloads(_ random: inout SplitMix64) -> [[UInt8]] {
    (0..<Int.random(in: 0...20, using: &random)).map { _ in
      made += 1
      let count = [0, 1, 30, 300, 3_000][Int.random(in: 0..<5, using: &random)]
      guard count > 1 else { return random.bytes(count) }
      return random.bytes(1) + made.bigEndianBytes
        + [UInt8](repeating: UInt8(truncatingIfNeeded: made), count: count - 9)
    }
  }

  func somePosition(_ random: inout SplitMix64) -> RecordPosition {
    let epoch = UInt32.random(in: 1...self.epoch + 1, using: &random)
    return at(epoch, UInt64.random(in: 0...end(epoch) + 1, using: &random))
  }
}
