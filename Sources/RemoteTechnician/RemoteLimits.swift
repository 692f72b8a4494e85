// How much a session may do, and how much it did.

internal import Synchronization

package struct RemoteLimits: Equatable, Sendable {
  /// No session lasts longer, whatever is configured.
  package static let timeMax: Duration = .seconds(30 * 60)
  /// How long what a request came to may wait for that of others before it is journalled.
  static let resultDelay: Duration = .milliseconds(20)

  package var time: Duration = timeMax
  /// Of bodies, each way: a firmware is 200 MB.
  package var bytesMax: UInt64 = 1 << 30
  /// A page has some dozens.
  package var requestsMax: UInt64 = 20_000
  package var requestsPerSecond: Double = 200
  /// Requests for what no session reaches. A page that asks for a wrong port now and then is served on; each of them is a record in the journal.
  package var refusalsMax = 20
  /// Requests that came too fast, after which more of them are no page's.
  package var tooFastMax = 200
  /// Connections to the device at one time, but for WebSockets: as many as browsers make. Printers serve few.
  package var connectionsMax = 6
  /// Of them, those that are kept for the next request, and for how long: printers have few, and others want them too. Devices close theirs after 5 s
  /// and more, as Apache does, so that this side is the first.
  package var restingMax = 4
  package var restingTime: Duration = .seconds(4)
  package var connectPatience: Duration = .seconds(10)
  /// For a byte of an answer's head, and for all of that.
  package var headPatience: Duration = .seconds(30)
  package var headTimeMax: Duration = .seconds(60)
  /// For a byte of a body, there or back.
  package var bodyPatience: Duration = .seconds(60)

  package init() {}
}

/// What a session came to so far.
package struct RemoteUsage: Equatable, Sendable {
  package var requests: UInt64 = 0
  package var bytesSent: UInt64 = 0
  package var bytesReceived: UInt64 = 0

  package init() {}
}

/// Something is used up; a sentence.
struct UsedUp: Error, Equatable {
  let message: String
}

final class UsageMeter: Sendable {
  enum Verdict: Equatable {
    case go
    /// This request came too soon after others.
    case tooFast
    case usedUp(UsedUp)
  }

  private struct State {
    var usage = RemoteUsage()
    var refusals = 0
    var tooFast = 0
    var room: Double
    var filled: ContinuousClock.Instant
  }

  private let limits: RemoteLimits
  private let state: Mutex<State>

  init(_ limits: RemoteLimits, now: ContinuousClock.Instant = .now) {
    self.limits = limits
    state = Mutex(State(room: limits.requestsPerSecond, filled: now))
  }

  var usage: RemoteUsage { state.withLock { $0.usage } }

  /// Counts a request.
  func begin(now: ContinuousClock.Instant = .now) -> Verdict {
    state.withLock { state in
      guard state.usage.requests < limits.requestsMax else {
        return .usedUp(UsedUp(message: "It has made all of the \(limits.requestsMax) requests that it may."))
      }
      state.usage.requests += 1
      let seconds = state.filled.duration(to: now) / .seconds(1)
      state.filled = now
      state.room = min(state.room + seconds * limits.requestsPerSecond, limits.requestsPerSecond)
      guard state.room >= 1 else {
        state.tooFast += 1
        return state.tooFast < limits.tooFastMax
          ? .tooFast : .usedUp(UsedUp(message: "It has made \(state.tooFast) requests faster than it may."))
      }
      state.room -= 1
      return .go
    }
  }

  /// Counts a request for what no session reaches.
  /// - Returns: why that was the last one.
  func refused() -> UsedUp? {
    state.withLock { state in
      state.refusals += 1
      guard state.refusals >= limits.refusalsMax else { return nil }
      return UsedUp(message: "It has asked \(state.refusals) times for what no session reaches.")
    }
  }

  func sent(_ count: Int) throws {
    try check(
      state.withLock { state in
        state.usage.bytesSent += UInt64(count)
        return state.usage.bytesSent
      }, "sent")
  }

  func received(_ count: Int) throws {
    try check(
      state.withLock { state in
        state.usage.bytesReceived += UInt64(count)
        return state.usage.bytesReceived
      }, "received")
  }

  private func check(_ total: UInt64, _ word: String) throws {
    guard total <= limits.bytesMax else {
      throw UsedUp(message: "It has \(word) all of the \(limits.bytesMax) bytes that it may.")
    }
  }
}
