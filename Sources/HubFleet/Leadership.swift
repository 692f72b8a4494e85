// Which of the installs that see a device is believed: pure.
//
// Two agents may cover the same printers. One of them leads for a device: its readings are the device's, its alerts are the ones that are
// shown. The other takes over when the leader does not read the device any more, is late at the hub, or is far behind.

package enum Leadership {
  package struct Candidate: Equatable, Sendable {
    package var install: Int64
    /// `read` while the agent reads the device.
    package var state: String
    /// Milliseconds since 1970 UTC; nil: never.
    package var lastRead: Int64?
    package var isRevoked: Bool
    /// Whether the hub waits for the install in vain.
    package var isLate: Bool

    package init(install: Int64, state: String, lastRead: Int64?, isRevoked: Bool = false, isLate: Bool = false) {
      self.install = install
      self.state = state
      self.lastRead = lastRead
      self.isRevoked = isRevoked
      self.isLate = isLate
    }

    var isReading: Bool { state == "read" && !isRevoked && !isLate }
  }

  /// A leader may be this much behind another before that one takes over: some polls of half an hour.
  package static let patienceMilliseconds: Int64 = 2 * 3_600_000

  /// - Parameter leader: who led until now.
  package static func leader(_ leader: Int64?, of candidates: [Candidate]) -> Int64? {
    let best = candidates.filter(\.isReading).max { ($0.lastRead ?? 0, -$0.install) < ($1.lastRead ?? 0, -$1.install) }
    guard let current = candidates.first(where: { $0.install == leader }), !current.isRevoked else {
      return best?.install ?? leader ?? candidates.first?.install
    }
    guard let best, best.install != current.install else { return current.install }
    let isBehind = (best.lastRead ?? 0) - (current.lastRead ?? 0) > patienceMilliseconds
    return current.isReading && !isBehind ? current.install : best.install
  }
}
