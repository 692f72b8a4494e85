// How a part ends when the group ends in order.

internal import Journal
internal import ServiceLifecycle

/// Runs `operation` until it ends or the group is to end in order; then it is cancelled and waited for.
/// - Throws: what the operation throws, but for the cancellation itself.
func untilGracefulShutdown(_ operation: @escaping @Sendable () async throws -> Void) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await operation() }
    group.addTask { try await gracefulShutdown() }
    var failure: (any Error)?
    while let result = await group.nextResult() {
      group.cancelAll()
      if case .failure(let error) = result, !isCancellation(error), failure == nil { failure = error }
    }
    if let failure { throw failure }
  }
}

/// The journal has a word of its own for a caller that was cancelled.
private func isCancellation(_ error: any Error) -> Bool {
  error is CancellationError || (error as? JournalError) == .cancelled
}
