// What goes over the journal: on threads of its own, few at a time, and never on those that the program's tasks share.

internal import Dispatch
internal import Synchronization
internal import WebServing

final class HeavyWork: Sendable {
  /// The machine has other things to do.
  private static let parallelMax = 2
  /// Those that wait besides: people have opened so many pages at once.
  private static let waitingMax = 24

  private let queue = DispatchQueue(label: "printtrail.console", qos: .utility, attributes: .concurrent)
  private let places = DispatchSemaphore(value: parallelMax)
  private let underWay = Mutex(0)

  /// - Parameter body: is told whether anybody still wants it.
  /// - Throws: what `body` throws, or `WebError` 503 where too many wait.
  func run<R: Sendable>(_ body: @escaping @Sendable (_ isWanted: @escaping () -> Bool) throws -> R) async throws -> R {
    let isAdmitted = underWay.withLock { count in
      guard count < Self.parallelMax + Self.waitingMax else { return false }
      count += 1
      return true
    }
    guard isAdmitted else {
      var error = WebError(503, "overloaded", "Too much is being looked up in the journal. Try again in a few seconds.")
      error.retryAfter = 3
      throw error
    }
    defer { underWay.withLock { $0 -= 1 } }
    let flag = Wanted()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        queue.async { [places] in
          places.wait()
          defer { places.signal() }
          guard flag.isWanted else { return continuation.resume(throwing: CancellationError()) }
          continuation.resume(with: Result { try body { flag.isWanted } })
        }
      }
    } onCancel: {
      flag.end()
    }
  }

  private final class Wanted: Sendable {
    private let flag = Atomic(true)
    var isWanted: Bool { flag.load(ordering: .relaxed) }
    func end() { flag.store(false, ordering: .relaxed) }
  }
}
