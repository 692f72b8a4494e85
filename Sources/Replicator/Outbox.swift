// What is to be written into the stream. A write waits while the hub takes nothing; the core must not, or what is in a hurry would wait with it.
//
//     core ──> outbox ──> writer (waits for the hub)
//              │
//              '── room ──> the next read of the journal
//
// It has no limit of its own: batches come of reads, one at a time, and a read waits for room.

internal import HubProtocol
internal import Synchronization

final class Outbox: Sendable {
  /// Messages that may wait before no more records are read: one that is being written, and the next one.
  static let waitingMax = 2

  private struct State {
    var waiting = 0
    var reader: CheckedContinuation<Void, Never>?
    var isCancelled = false
  }

  /// One reader, who says `written` after each.
  let messages: AsyncStream<Printtrail_Dcam_V1_AgentMessage>
  private let continuation: AsyncStream<Printtrail_Dcam_V1_AgentMessage>.Continuation
  private let state = Mutex(State())

  init() { (messages, continuation) = AsyncStream.makeStream(of: Printtrail_Dcam_V1_AgentMessage.self) }

  func put(_ message: Printtrail_Dcam_V1_AgentMessage) {
    state.withLock { $0.waiting += 1 }
    continuation.yield(message)
  }

  /// The transport has taken a message.
  func written() {
    let reader = state.withLock { state in
      state.waiting -= 1
      guard state.waiting < Self.waitingMax else { return nil as CheckedContinuation<Void, Never>? }
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
  }

  func finish() { continuation.finish() }

  /// Returns when fewer messages wait than may.
  /// - Throws: `CancellationError`.
  func room() async throws {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let hasRoom = state.withLock { state in
          if state.isCancelled || state.waiting < Self.waitingMax { return true }
          state.reader = continuation
          return false
        }
        if hasRoom { continuation.resume() }
      }
    } onCancel: {
      let reader = state.withLock { state in
        state.isCancelled = true
        defer { state.reader = nil }
        return state.reader
      }
      reader?.resume()
    }
    try Task.checkCancellation()
  }
}
