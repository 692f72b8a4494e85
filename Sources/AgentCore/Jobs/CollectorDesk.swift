// The collector that runs now, for whoever wants something of it. Collecting begins anew when the networks change or the disk was full.

internal import Collectors
internal import Synchronization

final class CollectorDesk: Sendable {
  private let current = Mutex<Collector?>(nil)

  /// Nil while nothing is collected.
  var collector: Collector? { current.withLock { $0 } }

  func take(_ collector: Collector?) { current.withLock { $0 = collector } }
}
