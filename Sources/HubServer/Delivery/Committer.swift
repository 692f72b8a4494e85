// Group commit: what many streams bring goes into one transaction, so that one disk flush serves them all.
// Acknowledgements leave only after it.
//
//     stream A ── submit ──┐
//     stream B ── submit ──┼──> pending ── run(): take up to commitBytesMax ──> RecordStore.append ──> resume A, B, C
//     stream C ── submit ──┘         (meanwhile the next group gathers)
//
// Memory is bounded by the byte budget that the submitters took before they read. If a group fails, each submission is
// tried by itself, so that one install's damaged rows do not stop the others.

internal import Logging
internal import ServiceLifecycle
internal import Synchronization

final class Committer: Service {
  /// The hub is going down, or the store cannot store now: nothing of the submission was stored.
  enum Failure: Error, Equatable {
    case shuttingDown
    case store(String)
  }

  private typealias Reply = CheckedContinuation<Result<[AppendOutcome], Failure>, Never>

  private struct Submission {
    let appends: [Append]
    let byteCount: Int
    let reply: Reply
  }

  private struct State {
    var pending: [Submission] = []
    var isClosed = false
    var runner: CheckedContinuation<Void, Never>?
    /// When the transaction that is under way began.
    var began: ContinuousClock.Instant?
  }

  private let store: any RecordStore
  private let clock: HubClock
  private let logger: Logger
  private let committed: @Sendable (Set<InstallNumber>) -> Void
  private let ended: @Sendable (Duration, HubError?) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - committed: hears of whom records were committed.
  ///   - ended: hears of each transaction how long it took, and why it failed.
  init(
    store: any RecordStore, clock: HubClock, logger: Logger,
    ended: @escaping @Sendable (Duration, HubError?) -> Void = { _, _ in },
    committed: @escaping @Sendable (Set<InstallNumber>) -> Void = { _ in }
  ) {
    self.ended = ended
    self.committed = committed
    self.store = store
    self.clock = clock
    self.logger = logger
  }

  /// Stores `appends` of one stream, in order, in one transaction with others.
  ///
  /// - Returns: one outcome per append; they are durable.
  /// - Throws: `Failure`; nothing was stored.
  func submit(_ appends: [Append]) async throws(Failure) -> [AppendOutcome] {
    guard !appends.isEmpty else { return [] }
    let result = await withCheckedContinuation { (reply: Reply) in
      let submission = Submission(appends: appends, byteCount: appends.reduce(0) { $0 + $1.byteCount }, reply: reply)
      let (isClosed, runner) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
        if state.isClosed { return (true, nil) }
        state.pending.append(submission)
        defer { state.runner = nil }
        return (false, state.runner)
      }
      if isClosed { reply.resume(returning: .failure(.shuttingDown)) }
      runner?.resume()
    }
    return try result.get()
  }

  /// How many submissions wait for the next transaction.
  var waiting: Int { state.withLock { $0.pending.count } }

  /// How long the transaction that is under way has been so; nil if there is none.
  var committingFor: Duration? { state.withLock { state in state.began.map { .now - $0 } } }

  /// Commits until the hub shuts down; what was submitted by then is still committed.
  func run() async throws {
    await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        while let group = await nextGroup() { await commit(group) }
      } onGracefulShutdown: {
        self.close()
      }
    } onCancel: {
      close()
    }
  }

  /// Takes no more submissions; `run` returns once the pending ones are committed.
  func close() {
    let runner = state.withLock { state in
      state.isClosed = true
      defer { state.runner = nil }
      return state.runner
    }
    runner?.resume()
  }

  /// The submissions of the next transaction, at least one; nil when closed and empty.
  private func nextGroup() async -> [Submission]? {
    while true {
      let next: [Submission]?? = state.withLock { state in
        if !state.pending.isEmpty { return .some(Self.takeGroup(&state)) }
        return state.isClosed ? .some(nil) : nil
      }
      if let next { return next }
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          if !state.pending.isEmpty || state.isClosed { return true }
          state.runner = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  private static func takeGroup(_ state: inout State) -> [Submission] {
    var bytes = 0
    var count = 0
    for submission in state.pending {
      guard count == 0 || bytes + submission.byteCount <= HubLimits.commitBytesMax else { break }
      bytes += submission.byteCount
      count += 1
    }
    let group = Array(state.pending.prefix(count))
    state.pending.removeFirst(count)
    return group
  }

  private func commit(_ group: [Submission]) async {
    do {
      var outcomes = try await append(group.flatMap(\.appends))[...]
      committed(Set(group.flatMap(\.appends).map(\.install)))
      for submission in group {
        let own = Array(outcomes.prefix(submission.appends.count))
        outcomes = outcomes.dropFirst(submission.appends.count)
        submission.reply.resume(returning: .success(own))
      }
    } catch  where group.count > 1 {
      logger.warning(
        "group not stored, trying each by itself", metadata: ["submissions": "\(group.count)", "error": "\(error)"])
      for submission in group { await commit([submission]) }
    } catch {
      // Whoever submitted says whose they are.
      for submission in group { submission.reply.resume(returning: .failure(.store("\(error)"))) }
    }
  }

  private func append(_ appends: [Append]) async throws -> [AppendOutcome] {
    let began = ContinuousClock.now
    state.withLock { $0.began = began }
    defer { state.withLock { $0.began = nil } }
    do {
      let outcomes = try await store.append(appends, now: clock.now)
      ended(.now - began, nil)
      return outcomes
    } catch {
      ended(.now - began, error as? HubError ?? HubError(.inputOutput, "\(error)"))
      throw error
    }
  }
}
