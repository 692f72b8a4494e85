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

  /// The file is filled up to a multiple of this with spaces, so that a later status fits into it when the disk is full: just then somebody
  /// will ask.
  private static let roomBytes = 8192

  /// A status that cannot be written is worth a line in the log, and no more: collecting goes on.
  func write() {
    do {
      var json = try composer.status().json()
      json += [UInt8](repeating: 0x20, count: Self.roomBytes - json.count % Self.roomBytes)
      let path = AgentStatus.path(in: stateDirectory)
      do {
        try Files.replace(path, with: json, mode: 0o644, .cached)
      } catch {
        guard error.isDiskFull else { throw error }
        try Files.overwrite(path, with: json)
      }
    } catch {
      logger.warning("the status file was not written", metadata: ["reason": "\(error)"])
    }
  }
}
