// Serves the local console beside everything else, and never at its expense: a port that is taken, a disk that is full, a journal that is damaged are
// shown or said, and the agent goes on.

internal import Console
internal import Journal
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Platform
internal import ReadModels
internal import Replicator
internal import ServiceLifecycle
package import Settings
internal import WebServing

package struct ConsoleService: Service {
  /// How often a port that was taken is tried again.
  private static let retry: Duration = .seconds(10)
  /// How often it is looked whether there is news for the pages that are open.
  private static let look: Duration = .milliseconds(500)

  private let configuration: AgentConfiguration
  private let desk: ConsoleDesk
  private let board: StatusBoard
  private let feed: EventFeed
  private let logger: Logger

  init(configuration: AgentConfiguration, desk: ConsoleDesk, board: StatusBoard, feed: EventFeed, logger: Logger) {
    self.configuration = configuration
    self.desk = desk
    self.board = board
    self.feed = feed
    self.logger = logger
  }

  // MARK: Before the start

  /// - Throws: `AgentFailure` where others could reach the console and it has no password, or its certificate cannot be used.
  package static func check(_ configuration: AgentConfiguration) throws(AgentFailure) {
    let settings = configuration.console
    guard settings.isEnabled else { return }
    _ = try tls(settings)
    switch ConsolePassword(path: settings.passwordFile).state {
    case .unusable(let reason): throw AgentFailure(.configuration, reason)
    case .none where !settings.isLocal:
      throw AgentFailure(
        .configuration,
        "console.listen is \(settings.listen), which others can reach, and no password is set. Set one with: ptagent console password"
      )
    case .none, .hash: break
    }
  }

  private static func tls(_ settings: ConsoleSettings) throws(AgentFailure) -> TLSConfiguration? {
    guard let certificate = settings.certificate, let key = settings.key else { return nil }
    do throws(WebTLS.Failure) { return try WebTLS.configuration(certificate: certificate, key: key) } catch {
      throw AgentFailure(.configuration, "The console cannot use its certificate. \(error)")
    }
  }

  // MARK: Running

  package func run() async throws {
    let settings = configuration.console
    guard settings.isEnabled else {
      // What was asked for is not there; the others go on.
      return try await gracefulShutdown()
    }
    let console = try LocalConsole(
      desk, password: ConsolePassword(path: settings.passwordFile), feed: feed,
      exportDirectory: configuration.state.directory + "/export", isLocal: settings.isLocal, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await serve(console, settings) }
      group.addTask { try await untilGracefulShutdown { try await console.follow() } }
      group.addTask { try await untilGracefulShutdown { try await watch(console) } }
      try await group.waitForAll()
    }
  }

  private func serve(_ console: LocalConsole, _ settings: ConsoleSettings) async throws {
    let tls = try Self.tls(settings)
    var web = WebConfiguration(
      name: "console", host: settings.listen.host, port: Int(settings.listen.port),
      hosts: HostNames(
        settings.hosts + [settings.listen.host, Machine.hostName], hasLoopback: true, setting: "console.hosts"),
      tls: tls,
      serverName: "ptagent")
    web.limits = WebLimits()
    let address = "\(tls == nil ? "http" : "https")://\(settings.listen)"
    while true {
      let server = WebServer(web, handler: console, logger: logger) { [board, logger] _ in
        board.say(.console, .ok, "served at \(address)")
        logger.info("the console is served", metadata: ["address": "\(address)"])
      }
      do {
        return try await server.run()
      } catch {
        guard !(error is CancellationError) else { throw error }
        let reason = Self.reason(error)
        logger.warning("the console cannot be served", metadata: ["address": "\(address)", "reason": "\(reason)"])
        board.say(
          .console, .degraded, "not served at \(address): \(reason)",
          remedy: "Free the port, or set console.listen to another one; collecting and delivery go on.")
      }
      guard try await waits() else { return }
    }
  }

  /// - Returns: false when the agent ends.
  private func waits() async throws -> Bool {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await Task.sleep(for: Self.retry)
        return true
      }
      group.addTask {
        try await gracefulShutdown()
        return false
      }
      defer { group.cancelAll() }
      return try await group.next() ?? false
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? IOError else { return "\(error)" }
    switch error.errnoCode {
    case 98: return "another program uses the port"
    case 99: return "this machine has no such address"
    case 13: return "the port needs privileges"
    default: return "\(error)"
    }
  }

  // MARK: News

  /// Tells pages that are open what has changed of the agent itself.
  private func watch(_ console: LocalConsole) async throws {
    var components: [AgentStatus.Component] = []
    var sweep: AgentStatus.SweepState?
    var revision = desk.keeper.numbered.revision
    var queue: String?
    while true {
      try await Task.sleep(for: Self.look)
      if desk.keeper.numbered.revision != revision {
        revision = desk.keeper.numbered.revision
        console.settingsChanged()
        feed.publish("settings", .object([("revision", WebJSON(revision))]))
      }
      guard feed.hasListeners else { continue }
      let snapshot = board.snapshot
      if snapshot.components != components {
        components = snapshot.components
        tell(components)
      }
      if let state = snapshot.sweepState, state != sweep {
        sweep = state
        feed.publish("sweep", desk.sweep(state))
      }
      if let numbers = try? JournalNumbers(desk.reader) {
        let text = "\(numbers.head) \(numbers.acknowledged.map { "\($0)" } ?? "")"
        if text != queue {
          queue = text
          feed.publish(
            "queue",
            .object([
              ("head", .string("\(numbers.head)")), ("acknowledged", WebJSON(numbers.acknowledged.map { "\($0)" })),
              ("lag", desk.isShipping ? WebJSON(numbers.lag) : .null),
            ]))
        }
      }
    }
  }

  private func tell(_ components: [AgentStatus.Component]) {
    let order: [AgentStatus.Condition] = [.failed, .degraded, .waiting, .working, .ok]
    let worst = order.first { condition in components.contains { $0.state == condition } } ?? .ok
    feed.publish(
      "status",
      .object([
        ("condition", .string(worst.rawValue)),
        (
          "components",
          .array(
            components.map {
              .object([
                ("name", .string($0.name)), ("state", .string($0.state.rawValue)), ("message", .string($0.message)),
              ])
            })
        ),
      ]))
  }
}
