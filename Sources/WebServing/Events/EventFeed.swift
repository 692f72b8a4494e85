// Server-sent events: whoever has news publishes them once, and each page that is open gets them, as long as it reads.
//
//     publish ──> [ the last `keptMax`, by number ] ──> subscription: at most `waitingMax` ──> text/event-stream
//
// A subscription that falls behind loses what waits and gets one `reset`, so that a page which does not read costs a bounded number of bytes. One that
// comes back after a cut names the last event that it saw (`Last-Event-ID`), and gets what followed if that is still kept, else a `reset`. Ids hold the
// feed's own mark: the number of another run of the program is never taken for one of this.

internal import OpenSSL
internal import Synchronization

package struct ServerEvent: Equatable, Sendable {
  package let id: String
  package let name: String
  /// One line of JSON.
  package let data: String

  /// As it goes over the wire.
  var bytes: [UInt8] { Array("id: \(id)\nevent: \(name)\ndata: \(data)\n\n".utf8) }
}

package final class EventFeed: Sendable {
  /// Half a minute of a busy agent, for those whose connection was cut.
  package static let keptMax = 512

  private struct State {
    var number: UInt64 = 0
    var kept: [ServerEvent] = []
    var subscriptions: [ObjectIdentifier: EventSubscription] = [:]
    var isEnded = false
  }

  private let mark: String
  private let subscriptionsMax: Int
  private let state = Mutex(State())

  package init(subscriptionsMax: Int) {
    self.subscriptionsMax = subscriptionsMax
    mark = hexadecimal(SecureRandom.bytes(6))
  }

  /// - Parameters:
  ///   - name: one word.
  ///   - json: one line.
  package func publish(_ name: String, _ json: [UInt8]) {
    let (event, subscriptions) = state.withLock { state in
      state.number += 1
      let event = ServerEvent(
        id: "\(mark)-\(state.number)", name: name, data: String(decoding: json, as: UTF8.self))
      if state.kept.count >= 2 * Self.keptMax { state.kept.removeFirst(Self.keptMax) }
      state.kept.append(event)
      return (event, Array(state.subscriptions.values))
    }
    for subscription in subscriptions { subscription.add(event) }
  }

  package func publish(_ name: String, _ json: WebJSON) { publish(name, json.bytes) }

  /// Whether anybody listens: what nobody hears need not be made.
  package var hasListeners: Bool { state.withLock { !$0.subscriptions.isEmpty } }

  /// - Parameter last: the id of the last event that the client saw.
  /// - Throws: `WebError` where there are as many as may be.
  package func subscribe(after last: String?) throws(WebError) -> EventSubscription {
    let made: EventSubscription? = state.withLock { state in
      guard state.subscriptions.count < subscriptionsMax, !state.isEnded else { return nil }
      let subscription = EventSubscription { [weak self] in self?.forget($0) }
      let missed = last.flatMap { last in state.kept.firstIndex { $0.id == last } }.map { state.kept[($0 + 1)...] }
      if let missed, missed.count <= Self.keptMax {
        for event in missed { subscription.add(event) }
      } else if last == "\(mark)-\(state.number)" {
        // It has seen everything.
      } else {
        subscription.add(ServerEvent(id: "\(mark)-\(state.number)", name: "reset", data: "{}"))
      }
      state.subscriptions[ObjectIdentifier(subscription)] = subscription
      return subscription
    }
    guard let made else {
      throw WebError(503, "overloaded", "Too many pages are open at this console. Close some, and reload.")
    }
    return made
  }

  private func forget(_ subscription: EventSubscription) {
    state.withLock { _ = $0.subscriptions.removeValue(forKey: ObjectIdentifier(subscription)) }
  }

  /// Ends all of them: who may still listen comes back at once.
  package func cut() {
    for subscription in state.withLock({ Array($0.subscriptions.values) }) { subscription.end() }
  }

  /// Ends all of them, and each that comes from now on.
  package func end() {
    let subscriptions = state.withLock { state in
      state.isEnded = true
      return Array(state.subscriptions.values)
    }
    for subscription in subscriptions { subscription.end() }
  }
}

/// One client's place at a feed.
package final class EventSubscription: Sendable {
  /// Events that wait for a client to read: what comes at once after a sweep, and no more.
  package static let waitingMax = 256

  private struct State {
    var waiting: [ServerEvent] = []
    var isBeatDue = false
    var isEnded = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())
  private let ended: @Sendable (EventSubscription) -> Void

  init(ended: @escaping @Sendable (EventSubscription) -> Void) { self.ended = ended }

  func add(_ event: ServerEvent) {
    wake { state in
      guard !state.isEnded else { return }
      guard state.waiting.count < Self.waitingMax else {
        state.waiting = [ServerEvent(id: event.id, name: "reset", data: "{}")]
        return
      }
      state.waiting.append(event)
    }
  }

  /// A sign of life is due.
  package func beat() { wake { $0.isBeatDue = true } }

  /// Ends the stream once what waits is written.
  package func end() {
    wake { $0.isEnded = true }
    ended(self)
  }

  private func wake(_ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// What is to be written next: events, or a comment where only a sign of life is due; nil at the end.
  package func next() async -> [UInt8]? {
    while true {
      let bytes: [UInt8]?? = state.withLock { state in
        if !state.waiting.isEmpty {
          defer { (state.waiting, state.isBeatDue) = ([], false) }
          return .some(state.waiting.flatMap(\.bytes))
        }
        if state.isEnded || Task.isCancelled { return .some(nil) }
        if state.isBeatDue {
          state.isBeatDue = false
          return .some(Array(":\n\n".utf8))
        }
        return nil
      }
      if let bytes { return bytes }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isReady = state.withLock { state in
            if !state.waiting.isEmpty || state.isEnded || state.isBeatDue || Task.isCancelled { return true }
            state.waiter = continuation
            return false
          }
          if isReady { continuation.resume() }
        }
      } onCancel: {
        wake { $0.isEnded = true }
      }
    }
  }
}
