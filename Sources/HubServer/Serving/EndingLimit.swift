// An end that is waited for in vain. A database that hangs without breaking the connection, as one on a frozen machine does, holds up whoever
// asks it, and nothing in this process can end such a call. What was acknowledged was committed before; what was not, its agent sends again: so
// the process may go.

internal import Foundation
internal import Logging
internal import ServiceLifecycle

/// Ends the process when an orderly end takes too long.
struct EndingLimit: Service {
  let limit: Duration
  let logger: Logger
  /// Ends the process.
  let end: @Sendable () -> Void

  func run() async throws {
    try await gracefulShutdown()
    // A thread of its own: whatever hangs may hold the others.
    Thread.detachNewThread { [limit, logger, end] in
      Thread.sleep(forTimeInterval: limit / .seconds(1))
      logger.critical(
        "the hub's end takes too long and is cut short; nothing acknowledged is lost",
        metadata: ["seconds": "\(limit.components.seconds)", "look at": "the database: it does not answer"])
      end()
    }
  }
}
