// Metrics for Prometheus and health for whoever watches, on a listener of its own.
//
//     GET /metrics    Prometheus' text format 0.0.4                        200
//     GET /healthz    {"status":"ok"}, or {"error":"<why>"}                200, 503
//
// HTTP/1.1 without TLS, on 127.0.0.1 unless the operator says otherwise. There is nothing to get in for: the answers are numbers, and why the
// database does not commit; they name no install, entity, device or peer, take no argument, and change nothing. Prometheus
// would need a certificate of a CA that only this hub's agents know. Whoever carries them over a network that others use puts a proxy
// with TLS before it.

internal import GRPCCore
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import Platform
internal import NIOCore
internal import WebServing

struct MetricsService: Sendable {
  /// Prometheus keeps its connection between two scrapes, which are a minute apart at most.
  private static let idleTimeout: Duration = .seconds(120)

  let families: @Sendable () -> [MetricFamily]
  let wellness: Wellness
  let logger: Logger

  /// - Parameters:
  ///   - connections: where those that it accepts are kept.
  ///   - onBound: told the port once it listens.
  func application(
    endpoint: Endpoint, connections: OpenConnections, onBound: @escaping @Sendable (Int) -> Void
  ) -> some ApplicationProtocol {
    Application(
      router: router(),
      server: HTTPServerBuilder { responder in
        KeptChannel(
          inner: HTTP1Channel(
            responder: responder, configuration: .init(idleTimeout: .seconds(Self.idleTimeout.components.seconds))),
          connections: connections)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(endpoint.host, port: endpoint.port), serverName: "pthub",
        availableConnectionsDelegate: MaximumAvailableConnections(HubLimits.metricsConnectionsMax)),
      onServerRunning: { channel in onBound(channel.localAddress?.port ?? endpoint.port) },
      logger: logger.quieter)
  }

  private func router() -> Router<HealthContext> {
    let router = Router(context: HealthContext.self)
    router.addMiddleware { JSONErrors() }
    router.get("healthz") { _, _ in try wellness.answer(hasReason: true) }
    router.get("metrics") { _, _ in
      Response(
        status: .ok, headers: [.contentType: PrometheusText.contentType],
        body: ResponseBody(byteBuffer: ByteBuffer(string: PrometheusText.text(families()))))
    }
    return router
  }
}

extension Wellness {
  /// What /healthz says.
  ///
  /// - Parameter hasReason: whether it may say why, which names the database and its place: not to everybody.
  /// - Throws: `HTTPError` 503.
  func answer(hasReason: Bool) throws -> Response {
    if let complaint {
      throw HTTPError(
        .serviceUnavailable, message: hasReason ? complaint : "The hub cannot commit now. Its operator sees why.")
    }
    return JSONErrors.response(.ok, #"{"status":"ok"}"#)
  }
}

/// Everything that /metrics shows, put together.
struct MetricsSources: Sendable {
  let metrics: HubMetrics
  let delivery: Delivery
  let committer: Committer
  let wellness: Wellness
  let store: SQLStore

  func families() -> [MetricFamily] {
    [
      MetricFamily(
        name: "pthub_build_info", kind: .gauge, help: "The release that runs; always 1.",
        samples: [.init(labels: [("version", HubVersion.text)], value: 1)]),
      .gauge("pthub_healthy", "Whether the hub can commit: what /healthz says.", wellness.complaint == nil ? 1 : 0),
      .gauge("pthub_streams_open", "Delivery streams that are open.", Double(delivery.streamsOpen)),
      .gauge(
        "pthub_commit_waiting", "Submissions of streams that wait for the next transaction.", Double(committer.waiting)),
      .gauge(
        "pthub_commit_waiting_bytes", "Bytes of all streams that were read and are not committed.",
        Double(delivery.budget.taken)),
    ] + metrics.families + (wellness.figures?.families ?? []) + [store.failureFamily] + ProcessFigures.families()
  }
}
