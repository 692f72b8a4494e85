// Knowing when all ports listen.

internal import GRPCCore
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization
internal import WebServing

/// Waits for the ports, tells so once, then waits for the end and tells that, too.
struct Readiness: Service {
  private let announce: @Sendable () async throws -> Void
  private let ending: @Sendable () -> Void

  init(_ announce: @escaping @Sendable () async throws -> Void, ending: @escaping @Sendable () -> Void = {}) {
    self.announce = announce
    self.ending = ending
  }

  func run() async throws {
    do { try await cancelWhenGracefulShutdown { try await announce() } } catch {
      // A listener that could not bind ends the group with the reason; this service only waits for that.
    }
    try await gracefulShutdown()
    ending()
  }
}

extension Logger {
  /// For a library that tells what the hub tells itself, such as that it listens.
  var quieter: Logger {
    var logger = self
    logger.logLevel = max(logLevel, .notice)
    return logger
  }
}

/// A port that Hummingbird serves, with its bind errors made readable.
struct HTTPListener<Application: ApplicationProtocol>: Service {
  let name: String
  let application: Application
  let endpoint: Endpoint
  let connections: OpenConnections
  let logger: Logger
  /// What must listen before: a server that is stopped while it starts complains of it in the log.
  let before: [RPCListener]

  func run() async throws {
    for listener in before {
      // One that cannot bind ends the group with the reason; this service only waits for that.
      guard (try? await listener.port) != nil else { return try await gracefulShutdown() }
    }
    do { try await servedToTheEnd(application, connections, logger: logger) } catch let error as IOError {
      throw HubError(listening: name, on: endpoint, error)
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
