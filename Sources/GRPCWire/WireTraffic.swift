// What a transport has carried, for health and the console.

internal import Synchronization

package struct WireTraffic: Hashable, Sendable {
  /// One direction.
  package struct Messages: Hashable, Sendable {
    package var count = 0
    /// Those of them with the Compressed-Flag.
    package var compressedCount = 0
    /// Before compression.
    package var bytes = 0
    /// As they were carried, with their prefixes; HTTP/2 and TLS add theirs.
    package var carriedBytes = 0

    package init(count: Int = 0, compressedCount: Int = 0, bytes: Int = 0, carriedBytes: Int = 0) {
      self.count = count
      self.compressedCount = compressedCount
      self.bytes = bytes
      self.carriedBytes = carriedBytes
    }

    mutating func add(bytes: Int, carriedBytes: Int, isCompressed: Bool) {
      count += 1
      compressedCount += isCompressed ? 1 : 0
      self.bytes += bytes
      self.carriedBytes += carriedBytes
    }
  }

  package var sent = Messages()
  package var received = Messages()

  package init() {}
}

/// Counts for all calls of a transport.
final class TrafficCounter: Sendable {
  private let traffic = Mutex(WireTraffic())

  var current: WireTraffic { traffic.withLock { $0 } }

  func sent(bytes: Int, carriedBytes: Int, isCompressed: Bool) {
    traffic.withLock { $0.sent.add(bytes: bytes, carriedBytes: carriedBytes, isCompressed: isCompressed) }
  }

  func received(bytes: Int, carriedBytes: Int, isCompressed: Bool) {
    traffic.withLock { $0.received.add(bytes: bytes, carriedBytes: carriedBytes, isCompressed: isCompressed) }
  }
}
