// Speaks with the service manager: that the agent is ready, that it lives, that it ends.
//
// - Ready: the journal is open and printers are asked, or it is plain why none are (no range, a full disk): then it is on the status and no
//   fault of the start.
// - Alive: only while nothing hangs. A process that runs and does not move is ended by the manager and started anew, which loses nothing.
// - Ending: at once, because it is the last part to start and so the first to end. A restart by a job is no end: the process stays.

internal import Logging
internal import Platform
internal import ServiceLifecycle

struct SupervisionService: Service {
  /// How often it is looked whether the agent is ready. People and scripts wait for it.
  private static let readyInterval: Duration = .milliseconds(50)
  /// `alive` is told so often within the time that the manager gives: one that is lost or late does no harm.
  private static let tellings = 4
  private static let againInterval: Duration = .seconds(1)
  /// Where nobody watches, the status line alone is brought up to date.
  private static let statusInterval: Duration = .seconds(30)

  /// Whoever is told.
  struct Manager: Sendable {
    /// Within this, `alive` must be told again and again; nil: nobody watches.
    let watchdogTimeout: Duration?
    let tell: @Sendable ([ServiceManager.Notice]) throws -> Void

    init(watchdogTimeout: Duration?, tell: @escaping @Sendable ([ServiceManager.Notice]) throws -> Void) {
      self.watchdogTimeout = watchdogTimeout
      self.tell = tell
    }

    init(_ manager: ServiceManager) {
      self.init(watchdogTimeout: manager.watchdogTimeout) { try manager.tell($0) }
    }
  }

  /// Nil where nobody wants to be told.
  let manager: Manager?
  /// Whether it is asking printers, or has said why it does not.
  let isReady: @Sendable () -> Bool
  /// What hangs, as a sentence; nil if nothing does.
  let trouble: @Sendable () -> String?
  /// One line for people.
  let summary: @Sendable () -> String
  let restart: RestartRequest
  let logger: Logger

  func run() async throws {
    guard let manager else { return try await gracefulShutdown() }
    try await untilGracefulShutdown {
      while !isReady() { try await Task.sleep(for: Self.readyInterval) }
      // Without this word the start has not finished: it is said until it is taken.
      while !tell(manager, .ready, .status(summary())) { try await Task.sleep(for: Self.againInterval) }
      let interval = manager.watchdogTimeout.map { $0 / Self.tellings } ?? Self.statusInterval
      var hangs: String?
      while true {
        hangs = look(manager, before: hangs)
        try await Task.sleep(for: interval)
      }
    }
    if restart.isMade {
      tell(manager, .reloading, .status("begins again"))
    } else {
      tell(manager, .stopping, .status("ends in order"))
    }
  }

  /// - Returns: what hangs now.
  private func look(_ manager: Manager, before: String?) -> String? {
    guard let hangs = trouble() else {
      if before != nil { logger.notice("the agent moves again") }
      tell(manager, .alive, .status(summary()))
      return nil
    }
    if before == nil {
      logger.critical(
        "the agent hangs; the service manager will end it and start it anew", metadata: ["reason": "\(hangs)"])
    }
    tell(manager, .status("hangs: \(hangs)"))
    return hangs
  }

  /// A manager that cannot be told does not keep the agent from its work.
  /// - Returns: whether it was told.
  @discardableResult
  private func tell(_ manager: Manager, _ notices: ServiceManager.Notice...) -> Bool {
    do {
      try manager.tell(notices)
      return true
    } catch {
      logger.warning("the service manager was not told", metadata: ["reason": "\(error)"])
      return false
    }
  }
}

extension StatusBoard.Board {
  /// Whether the collector has asked a printer, or has said why it asks none.
  var isCollectorSettled: Bool {
    if collectorProgress != nil { return true }
    guard let word = words[.collector] else { return false }
    return word.state != .working
  }
}
