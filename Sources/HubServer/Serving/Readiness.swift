// Knowing when all ports listen.

internal import GRPCCore
internal import Hummingbird
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// Waits for the ports, tells so once, then waits for the end.
struct Readiness: Service {
  private let announce: @Sendable () async throws -> Void

  init(_ announce: @escaping @Sendable () async throws -> Void) { self.announce = announce }

  func run() async throws {
    do { try await cancelWhenGracefulShutdown { try await announce() } } catch {
      // A listener that could not bind ends the group with the reason; this service only waits for that.
    }
    try await gracefulShutdown()
  }
}

/// hc, with its bind errors made readable.
struct HealthListener<Application: ApplicationProtocol>: Service {
  let application: Application
  let endpoint: Endpoint
  let port: PortBox

  func run() async throws {
    do { try await application.run() } catch let error as IOError {
      throw HubError(
        .unavailable,
        "Could not serve hc on \(endpoint): \(error). Choose another address with --hc, or stop what uses it.")
    }
  }
}

/// A port that is known later.
final class PortBox: Sendable {
  private struct State {
    var port: Int?
    var waiters: [CheckedContinuation<Int?, Never>] = []
    var isCancelled = false
  }

  private let state = Mutex(State())

  func set(_ port: Int) {
    let waiters = state.withLock { state in
      state.port = port
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: port) }
  }

  /// - Throws: `CancellationError`.
  func wait() async throws -> Int {
    let port = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known: Int?? = state.withLock { state in
          if let port = state.port { return .some(port) }
          if state.isCancelled { return .some(nil) }
          state.waiters.append(continuation)
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    } onCancel: {
      let waiters = state.withLock { state in
        state.isCancelled = true
        defer { state.waiters = [] }
        return state.waiters
      }
      for waiter in waiters { waiter.resume(returning: nil) }
    }
    guard let port else { throw CancellationError() }
    return port
  }
}

/// The addresses that enrolled agents are told, known once the ports are.
final class AddressBox: Sendable {
  private let addresses = Mutex(SigningService.Addresses(dcam: "", hc: ""))

  var current: SigningService.Addresses {
    get { addresses.withLock { $0 } }
    set { addresses.withLock { $0 = newValue } }
  }
}
