// Serves /metrics to Prometheus, over loopback alone and without a login: numbers that name nobody, behind the same gate as the console. A port that
// somebody else has is told, and tried again: nothing depends on it.

internal import Logging
internal import Platform
internal import ServiceLifecycle
internal import WebServing

struct MetricsService: Service {
  /// Whoever has the port may let it go.
  private static let retryPause: Duration = .seconds(30)

  let place: HostAndPort
  let composer: StatusComposer
  let board: StatusBoard
  let logger: Logger

  func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do { return try await server.run() } catch is CancellationError { throw CancellationError() } catch {
        logger.error("metrics cannot be served", metadata: ["listen": "\(place)", "reason": "\(error)"])
        board.say(
          .metrics, .degraded, "\(place) cannot be listened on: \(error)",
          remedy: "Give metrics.listen a port that nobody else has, or set it to \"off\". Trying goes on.")
      }
      try await untilGracefulShutdown { try await Task.sleep(for: Self.retryPause) }
    }
  }

  private var server: WebServer {
    WebServer(
      WebConfiguration(
        name: "metrics", host: place.host, port: Int(place.port), hosts: HostNames([], hasLoopback: true), tls: nil,
        serverName: AgentVersion.product), handler: MetricsPage(composer: composer), logger: logger
    ) { [board, place] _ in board.say(.metrics, .ok, "served at http://\(place)/metrics") }
  }
}

struct MetricsPage: WebHandler {
  let composer: StatusComposer

  @concurrent func answer(_ request: WebRequest) async throws -> WebAnswer {
    guard request.path == ["metrics"] else {
      throw WebError(404, "not_found", "Only /metrics is here; the console has a port of its own.")
    }
    guard request.method.isSafe else { throw WebError(405, "method", "Read it with GET.") }
    return WebAnswer(
      status: 200, headers: [("Content-Type", PrometheusText.contentType), ("Cache-Control", "no-store")],
      body: .bytes(Array(try composer.metrics().utf8)))
  }

  func end() {}
}
