// What the hub and the journal told and the core has not dealt with yet: bounded, with one reader.
//
// The one who reads the hub's messages never waits here, or both sides could wait for each other: the hub, which does not read on while its
// answers are not taken, and this side, which does not take them while it sends. So memory is bounded by what makes sense: of cumulative
// acknowledgements that follow one another the last one counts, texts are cut, and a hub that says more than that is broken.

internal import Evidence
internal import GRPCCore
internal import Synchronization

final class Inbox: Sendable {
  private struct State {
    var events: [Delivery.Event] = []
    var isFinished = false
    /// Since when there is something to deal with: it waits, or was taken and the reader has not come back.
    var undealtSince: SuspendingClock.Instant?
    var reader: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// How many events wait.
  var count: Int { state.withLock { $0.events.count } }

  /// Since when something waits or is dealt with, and the reader did not come back; nil: nothing does.
  var undealtSince: SuspendingClock.Instant? { state.withLock { $0.undealtSince } }

  /// - Throws: when more wait than can make sense.
  func offer(_ event: Delivery.Event) throws {
    let (reader, isFull) = state.withLock { state in
      if state.isFinished { return (nil as CheckedContinuation<Void, Never>?, false) }
      guard !Self.merge(event, into: &state.events) else { return (nil, false) }
      guard state.events.count < limit else { return (nil, true) }
      if state.undealtSince == nil { state.undealtSince = .now }
      state.events.append(event)
      defer { state.reader = nil }
      return (state.reader, false)
    }
    reader?.resume()
    if isFull {
      throw RPCError(code: .resourceExhausted, message: "The hub sends more answers than there can be questions.")
    }
  }

  /// Nothing more will come.
  func finish() {
    let reader = state.withLock { state in
      state.isFinished = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
  }

  /// All that waits, at least one; nil when it is finished and empty, or the task is cancelled.
  func takeAll() async -> [Delivery.Event]? {
    while true {
      if Task.isCancelled { return nil }
      let (taken, isFinished) = state.withLock { state in
        state.undealtSince = state.events.isEmpty ? nil : .now
        defer { state.events = [] }
        return (state.events, state.isFinished)
      }
      if !taken.isEmpty { return taken }
      if isFinished { return nil }
      await wait()
    }
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          guard state.events.isEmpty, !state.isFinished else { return true }
          state.reader = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      finish()
    }
  }

  /// Whether the last event says the same and more with this.
  private static func merge(_ event: Delivery.Event, into events: inout [Delivery.Event]) -> Bool {
    switch (events.last, event) {
    case (.acknowledged(let before)?, .acknowledged(let position)) where before.epoch == position.epoch:
      events[events.count - 1] = .acknowledged(max(before, position))
      return true
    case (.grew(let before)?, .grew(let head)) where before.epoch == head.epoch:
      events[events.count - 1] = .grew(max(before, head))
      return true
    default: return false
    }
  }
}
