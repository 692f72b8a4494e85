// How much goes into one batch. A batch counts only when the hub has all of it, so over a link that breaks every few ten kilobytes a large one never
// gets through, however often it is sent.
//
//     a stream broke with records under way ──> half as much        something was acknowledged ──> twice as much
//
// It belongs to the link and not to one stream: it lasts from each to the next.

/// The size of the batches that are sent.
package struct BatchSize: Equatable, Sendable {
  /// Bytes of payload at most: two batches fit into one HTTP/2 window of 1 MiB.
  package static let bytesMax = 512 << 10
  /// Bytes of payload that are always tried: a link that cannot carry these cannot carry the handshake before them.
  package static let bytesMin = 4 << 10
  /// Records at most: 500 is where the journal's read and the hub's transaction both stop getting cheaper per record.
  package static let recordsMax = 500
  /// What a record takes beside its payload, mostly a hash that nothing makes smaller: it limits the records of a small batch.
  package static let bytesPerRecord = 64

  /// Bytes of payload.
  package private(set) var bytes = bytesMax

  package init() {}

  package var records: Int { min(Self.recordsMax, bytes / Self.bytesPerRecord) }

  /// A stream ended, and the hub had not acknowledged all that was sent in it.
  package mutating func broke() { bytes = max(bytes / 2, Self.bytesMin) }

  /// The hub has more than before.
  package mutating func arrived() { bytes = min(bytes * 2, Self.bytesMax) }
}
