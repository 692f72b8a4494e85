// Keeps `<state>/status.json` up to date: each second while something changes, and now and then when nothing does, so that a reader can tell
// an agent at rest from one that hangs.

internal import Logging
internal import Platform
internal import ServiceLifecycle

struct StatusFile: Service {
  private static let changeInterval: Duration = .seconds(1)
  /// In changeIntervals.
  private static let heartbeat = 10

  let composer: StatusComposer
  let board: StatusBoard
  let stateDirectory: String
  let logger: Logger

  func run() async throws {
    try await untilGracefulShutdown {
      var written: UInt64?
      var idle = 0
      while true {
        let revision = board.snapshot.revision
        idle += 1
        if revision != written || idle >= Self.heartbeat {
          write()
          (written, idle) = (revision, 0)
        }
        try await Task.sleep(for: Self.changeInterval)
      }
    }
    write()
  }

  /// A status that cannot be written is worth a line in the log, and no more: collecting goes on.
  func write() {
    do {
      let json = try composer.status().json()
      try Files.replace(AgentStatus.path(in: stateDirectory), with: json, mode: 0o644, .cached)
    } catch {
      logger.warning("the status file was not written", metadata: ["reason": "\(error)"])
    }
  }
}
