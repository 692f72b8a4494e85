// hc: HTTPS for health (docs/formats/health.md).
//
//     POST /v1/health   an install's report, a JSON object of at most 64 KiB; needs the install's client certificate    204
//     GET  /healthz     for load balancers, without a certificate                                                      200 {"status":"ok"}
//
// HTTP/2 and HTTP/1.1 by ALPN. The report is kept as it came, the latest of each install with the time. Errors are
// JSON, one sentence:
//
//     {"error":"The report is not a JSON object."}
//
//     400 not JSON      401 no certificate of this hub      403 revoked      404 no such path      405 another method
//     413 too large     415 not application/json            503 the store cannot store now

internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdHTTP2
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import SwiftASN1
internal import WebServing
internal import X509

struct HealthService: Sendable {
  /// A connection without a request is closed after this time.
  private static let idleTimeout: Duration = .seconds(60)

  let peers: PeerCheck
  let store: any RegistryStore
  let wellness: Wellness
  let clock: HubClock
  let logger: Logger
  let metrics: HubMetrics

  /// The application that serves it.
  ///
  /// - Parameters:
  ///   - connections: where those that it accepts are kept.
  ///   - onBound: told the port once it listens.
  func application(
    endpoint: Endpoint, identity: ServerIdentity, connections: OpenConnections,
    onBound: @escaping @Sendable (Int) -> Void
  ) throws -> some ApplicationProtocol {
    let tls = TLSChannelConfiguration(tlsConfiguration: identity.tlsConfiguration(protocols: ["h2", "http/1.1"])) {
      _, promise in
      // Judged per call, by PeerCheck.
      promise.succeed(.certificateVerified)
    }
    let channels = HTTP2ChannelConfiguration(
      idleTimeout: Self.idleTimeout,
      streamConfiguration: HTTP1Channel.Configuration(idleTimeout: .seconds(Self.idleTimeout.components.seconds)))
    return Application(
      router: router(),
      server: HTTPServerBuilder { responder in
        KeptChannel(
          inner: try HTTP2UpgradeChannel(
            tlsChannelConfiguration: tls, configuration: channels, responder: responder),
          connections: connections)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(endpoint.host, port: endpoint.port), serverName: "pthub"),
      onServerRunning: { channel in onBound(channel.localAddress?.port ?? endpoint.port) },
      logger: logger.quieter)
  }

  private func router() -> Router<HealthContext> {
    let router = Router(context: HealthContext.self)
    router.addMiddleware { JSONErrors() }
    router.get("healthz") { _, _ in try wellness.answer(hasReason: false) }
    router.post("v1/health") { request, context in
      do {
        let response = try await receive(request, context)
        metrics.count(.reports, "kept")
        return response
      } catch {
        let isStore = (error as? HTTPError)?.status == .serviceUnavailable
        metrics.count(.reports, isStore ? "not_stored" : "refused")
        throw error
      }
    }
    for method in [HTTPRequest.Method.get, .put, .delete, .patch] {
      router.on("v1/health", method: method) { _, _ -> Response in
        throw HTTPError(.methodNotAllowed, headers: [.allow: "POST"], message: "Send the report with POST.")
      }
    }
    return router
  }

  private func receive(_ request: Request, _ context: HealthContext) async throws -> Response {
    let install = try await install(context)
    let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased().trimmingPrefix(" ") }
    guard type == "application/json" else {
      throw HTTPError(.unsupportedMediaType, message: "The report must be application/json.")
    }
    let body = try await Self.body(of: request)
    let json = String(validating: body.readableBytesView, as: UTF8.self)
    guard let json, Self.isObject(body) else {
      throw HTTPError(.badRequest, message: "The report is not a JSON object.")
    }
    do { try await store.keepHealth(json, install: install.number, now: clock.now) } catch {
      context.logger.error("health not stored", metadata: ["install": "\(install.id)", "error": "\(error)"])
      throw HTTPError(.serviceUnavailable, message: "The hub cannot store now. Try again later.")
    }
    return Response(status: .noContent)
  }

  private func install(_ context: HealthContext) async throws -> Install {
    let certificate = await context.peerCertificate()
    do throws(PeerCheck.Refusal) {
      return try await peers.install(certificate, peer: context.channel.remoteAddress?.ipAddress ?? "unknown")
    } catch {
      switch error {
      case .unauthenticated(let reason): throw HTTPError(.unauthorized, message: reason)
      case .revoked: throw HTTPError(.forbidden, message: PeerCheck.revokedText)
      case .unavailable:
        throw HTTPError(.serviceUnavailable, message: "The hub cannot look the install up now. Try again later.")
      }
    }
  }

  private static func body(of request: Request) async throws -> ByteBuffer {
    do { return try await request.body.collect(upTo: HubLimits.healthBytesMax) } catch is NIOTooManyBytesError {
      throw HTTPError(.contentTooLarge, message: "The report has more than \(HubLimits.healthBytesMax) bytes.")
    }
  }

  /// Whether the bytes are one JSON object (RFC 8259). Its values are looked at only as far as that needs.
  private static func isObject(_ body: ByteBuffer) -> Bool {
    struct Anything: Decodable {
      init(from decoder: any Decoder) throws {}
    }
    return (try? JSONDecoder().decode([String: Anything].self, from: Data(body.readableBytesView))) != nil
  }
}

/// A request and the connection it came on.
struct HealthContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  /// The certificate of the TLS handshake. In HTTP/2 the request has a channel of its own, below that of the
  /// connection.
  func peerCertificate() async -> Certificate? {
    for channel in [channel, channel.parent].compactMap({ $0 }) {
      if let shown = try? await channel.nioSSL_peerCertificate().get(), let der = try? shown.toDERBytes() {
        return try? Certificate(derEncoded: der)
      }
    }
    return nil
  }
}

/// Errors as JSON: `{"error":"<sentence>"}`.
struct JSONErrors: RouterMiddleware {
  typealias Context = HealthContext

  private struct Body: Encodable {
    let error: String
  }

  func handle(
    _ request: Request, context: HealthContext, next: @concurrent (Request, HealthContext) async throws -> Response
  ) async throws -> Response {
    do { return try await next(request, context) } catch let error as HTTPError {
      let sentence =
        error.body ?? (error.status == .notFound ? "There is nothing under this path." : error.status.reasonPhrase)
      let json = try JSONEncoder().encode(Body(error: sentence))
      var response = Self.response(error.status, String(decoding: json, as: UTF8.self))
      for field in error.headers { response.headers[field.name] = field.value }
      return response
    }
  }

  static func response(_ status: HTTPResponse.Status, _ json: String) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
  }
}
