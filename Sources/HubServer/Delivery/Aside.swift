// A task takes memory for what it calls, in slabs that it keeps until it ends: one that once went deep, into the database, keeps some kilobytes for
// that. A stream lives for weeks and does nothing most of the time, so what goes deep is done in a task that ends with it.

/// Does `work` in a task of its own, and waits for it; cancelled with the task that waits.
func aside<Value: Sendable>(_ work: @Sendable @escaping () async throws -> Value) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask { try await work() }
    guard let value = try await group.next() else { throw CancellationError() }
    return value
  }
}
