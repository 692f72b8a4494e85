// Which records go ahead of their turn, and when (Sources/HubProtocol/Protos/dcam.proto, the fast lane).
//
//     found in the journal ──> waiting ──(far behind, the hub takes it)──> under way ──answered──> done
//                                 ^                                            │
//                                 └────────────── failed, closed ──────────────┘
//
// Everything that is sent here is sent in its turn as well, so that whatever is dropped here costs only time. One call is under way at once.

package import Evidence

/// A record that should not wait behind a backlog.
package struct ExpressRecord: Equatable, Sendable {
  package var position: RecordPosition
  package var record: DeliveryRecord

  package init(position: RecordPosition, record: DeliveryRecord) {
    self.position = position
    self.record = record
  }
}

/// What the hub said of one of them.
package struct ExpressAnswer: Equatable, Sendable {
  package var position: RecordPosition
  /// Nil: it is committed.
  package var refusal: String?

  package init(position: RecordPosition, refusal: String? = nil) {
    self.position = position
    self.refusal = refusal
  }
}

package struct FastLane: Equatable, Sendable {
  /// So many records further on, a record comes soon enough by itself: two batches.
  package static let behindMin: UInt64 = 1_000
  /// Records and payload bytes that wait here; the oldest go first where there are more, and come in their turn.
  package static let waitingMax = 256
  package static let waitingBytesMax = 1 << 20
  /// Of one call: what every hub takes.
  package static let callRecordsMax = 64
  package static let callBytesMax = 512 << 10
  /// One payload: what every hub takes. An alert has some hundred bytes.
  package static let payloadBytesMax = 64 << 10

  /// In ascending order, those under way among them.
  private var waiting: [ExpressRecord] = []
  private var underWay: Set<RecordPosition> = []
  /// Sent ahead in this stream.
  private var sent: Set<RecordPosition> = []

  /// How many wait or are under way.
  var count: Int { waiting.count }

  var isUnderWay: Bool { !underWay.isEmpty }

  mutating func add(_ records: [ExpressRecord]) {
    let last = waiting.last?.position ?? .start
    waiting += records.filter { $0.position > last && $0.record.payload.count <= Self.payloadBytesMax }
    var bytes = waiting.reduce(0) { $0 + $1.record.payload.count }
    while waiting.count > Self.waitingMax || bytes > Self.waitingBytesMax {
      bytes -= waiting.removeFirst().record.payload.count
    }
  }

  /// The records of the next call; empty while one is under way.
  ///
  /// - Parameter bytesMax: of payload, beside `callBytesMax`; one record goes whatever it is.
  mutating func next(
    bytesMax: Int, isDone: (RecordPosition) -> Bool, isDue: (RecordPosition) -> Bool
  ) -> [ExpressRecord] {
    waiting.removeAll { isDone($0.position) }
    guard underWay.isEmpty else { return [] }
    var call: [ExpressRecord] = []
    var bytes = 0
    for express in waiting where isDue(express.position) {
      bytes += express.record.payload.count
      guard call.count < Self.callRecordsMax, call.isEmpty || bytes <= min(bytesMax, Self.callBytesMax) else { break }
      call.append(express)
    }
    underWay = Set(call.map(\.position))
    sent.formUnion(underWay)
    return call
  }

  /// Those that were under way are done, whatever the hub said.
  mutating func answered() {
    waiting.removeAll { underWay.contains($0.position) }
    underWay = []
  }

  /// Nothing is known of those that were under way.
  mutating func failed() { underWay = [] }

  mutating func closed() { (underWay, sent) = ([], []) }

  /// Whether this was sent ahead in this stream, so that the hub can say something about it.
  func hasSent(_ position: RecordPosition) -> Bool { sent.contains(position) }
}
