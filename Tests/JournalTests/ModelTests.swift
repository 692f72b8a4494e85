// The journal beside a model of it, which is an array: the same random actions on both, from a seed. A failing seed is in the
// message of the failure; give it as PRINTTRAIL_MODEL_SEED to repeat it alone, or PRINTTRAIL_MODEL_SEEDS for a longer run.

internal import Evidence
internal import Glibc
internal import Testing

@testable internal import Journal

/// SplitMix64: the same numbers from the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

@Suite struct `The journal and its model` {
  private static let actionsPerSeed = 40

  static var seeds: [UInt64] {
    func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }
    if let seed = number("PRINTTRAIL_MODEL_SEED") { return [seed] }
    return Array(1...(number("PRINTTRAIL_MODEL_SEEDS") ?? 12))
  }

  @Test(arguments: seeds)
  func `agree after any actions`(seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    let directory = try TemporaryDirectory()
    let clock = HandClock()
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.clock = clock.clock
    configuration.checkpointRecords = 25
    configuration.checkpointInterval = .seconds(10)
    var version: UInt32 = 1
    var model = Model()
    var journal = try Journal.open(configuration, fold: CountingFold(version: version))

    for step in 1...Self.actionsPerSeed {
      clock.turn(by: .milliseconds(Int.random(in: -500...3_000, using: &generator)))
      switch Int.random(in: 0..<20, using: &generator) {
      case 0...10:
        let payloads = model.payloads(&generator)
        let positions = try await journal.append(payloads)
        #expect(positions == model.append(payloads), "seed \(seed), step \(step)")
      case 11...13:
        let position = model.somePosition(&generator)
        let allowed = model.moveCursor(to: position)
        do throws(JournalError) {
          try await journal.moveCursor("model", to: position)
          #expect(allowed, "seed \(seed), step \(step): the cursor moved to \(position)")
        } catch { #expect(!allowed, "seed \(seed), step \(step): \(error)") }
      case 14:
        try await journal.openEpoch(reason: "step \(step)")
        model.openEpoch()
      case 15: try await journal.checkpoint()
      case 16:
        await #expect(throws: JournalError.self) { try await journal.append([[UInt8](repeating: 0, count: 300_000)]) }
      default:
        if Bool.random(using: &generator) { version += 1 }
        if Bool.random(using: &generator) {
          configuration.checkpointRecords = UInt64.random(in: 1...50, using: &generator)
        }
        await journal.close()
        journal = try Journal.open(configuration, fold: CountingFold(version: version))
      }
      try compare(journal, model, seed: seed, step: step)
    }
    await journal.close()
    let report = try JournalVerifier(journal.reader).verify()
    #expect(report.isSound, "seed \(seed): \(report.findings)")
    #expect(report.records == UInt64(model.records.count), "seed \(seed)")
  }

  private func compare(_ journal: Journal, _ model: Model, seed: UInt64, step: Int) throws {
    let records = try journal.reader.allRecords()
    #expect(records.map(\.position) == model.records.map(\.position), "seed \(seed), step \(step)")
    #expect(records.map(\.payload) == model.records.map(\.payload), "seed \(seed), step \(step)")
    #expect(try journal.cursor("model") == model.cursor, "seed \(seed), step \(step)")
    let snapshot = try journal.reader.snapshot()
    #expect(snapshot.head == model.head, "seed \(seed), step \(step)")
    #expect(snapshot.stateDigest == CountingFold.over(records).digest, "seed \(seed), step \(step)")
    var frontier = MerkleFrontier()
    for record in records where record.position.epoch == model.epoch { frontier.append(record.leafHash) }
    #expect(snapshot.root == frontier.root, "seed \(seed), step \(step)")
  }
}

/// What a journal is, as plainly as it can be said.
private struct Model {
  var records: [(position: RecordPosition, payload: [UInt8])] = []
  var epoch: UInt32 = 1
  var cursor: RecordPosition?
  private var ends: [UInt32: UInt64] = [1: 0]

  var head: RecordPosition { at(epoch, ends[epoch] ?? 0) }

  mutating func append(_ payloads: [[UInt8]]) -> [RecordPosition] {
    payloads.map { payload in
      ends[epoch, default: 0] += 1
      records.append((head, payload))
      return head
    }
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

  func payloads(_ generator: inout SeededGenerator) -> [[UInt8]] {
    (0..<Int.random(in: 0...20, using: &generator)).map { _ in
      let count = [0, 1, 30, 300, 3_000][Int.random(in: 0..<5, using: &generator)]
      return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
  }

  func somePosition(_ generator: inout SeededGenerator) -> RecordPosition {
    let epoch = UInt32.random(in: 1...self.epoch + 1, using: &generator)
    return at(epoch, UInt64.random(in: 0...(ends[epoch] ?? 0) + 1, using: &generator))
  }
}
