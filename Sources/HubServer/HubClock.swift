// The hub's view of time: milliseconds since 1970 UTC, injected so that tests decide what time it is.

internal import FoundationEssentials
internal import Synchronization

package struct HubClock: Sendable {
  private let read: @Sendable () -> Int64

  /// - Parameter read: gives milliseconds since 1970 UTC.
  package init(_ read: @escaping @Sendable () -> Int64) {
    self.read = read
  }

  /// Milliseconds since 1970 UTC.
  package var now: Int64 { read() }

  package static let system = HubClock { Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)) }
}

extension Date {
  init(milliseconds: Int64) {
    self.init(timeIntervalSince1970: Double(milliseconds) / 1_000)
  }

  var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1_000).rounded()) }
}

/// A time as operators read it: ISO 8601 in UTC, to the second.
package func timeText(milliseconds: Int64) -> String {
  Date(milliseconds: milliseconds).formatted(.iso8601)
}
