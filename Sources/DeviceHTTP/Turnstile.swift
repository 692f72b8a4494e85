// At most so many at one time; the others wait in line.

internal import Synchronization

/// Places that are taken and given back. Every `enter` that returns is followed by one `leave`.
package final class Turnstile: Sendable {
  private struct Line {
    var free: Int
    var waiting: [(id: UInt64, continuation: CheckedContinuation<Void, any Error>)] = []
    var nextID: UInt64 = 0
    /// Cancelled before they stood in line.
    var cancelled: Set<UInt64> = []
  }

  private let line: Mutex<Line>

  package init(places: Int) { line = Mutex(Line(free: max(places, 1))) }

  /// - Throws: `CancellationError`; no place is taken then.
  package func enter() async throws {
    let id = line.withLock { line in
      line.nextID += 1
      return line.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = line.withLock { line in
          if line.cancelled.remove(id) != nil { return .failure(CancellationError()) }
          guard line.free > 0 else {
            line.waiting.append((id, continuation))
            return nil
          }
          line.free -= 1
          return .success(())
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let waiting = line.withLock { line -> CheckedContinuation<Void, any Error>? in
        guard let index = line.waiting.firstIndex(where: { $0.id == id }) else {
          line.cancelled.insert(id)
          return nil
        }
        return line.waiting.remove(at: index).continuation
      }
      waiting?.resume(throwing: CancellationError())
    }
    _ = line.withLock { $0.cancelled.remove(id) }
  }

  package func leave() {
    let next = line.withLock { line -> CheckedContinuation<Void, any Error>? in
      guard !line.waiting.isEmpty else {
        line.free += 1
        return nil
      }
      return line.waiting.removeFirst().continuation
    }
    next?.resume()
  }
}
