// One listener for browsers: HTTP/1.1 over Hummingbird, with or without TLS, behind the limits of `WebLimits`.
//
//     connection ──> counted ──> clocked ──> (TLS) ──> HTTP/1.1 ──> pace ──> gate ──> body ──> the console's own answer ──> headers that all have
//
// HTTP/2 is not offered: browsers speak it over TLS alone, and its streams would need limits of their own.

internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
package import NIOSSL
internal import ServiceLifecycle

/// Answers what came through the gate.
package protocol WebHandler: Sendable {
  /// - Throws: `WebError`; anything else is a fault of the program.
  @concurrent func answer(_ request: WebRequest) async throws -> WebAnswer
  /// The server ends: streams have to.
  func end()
}

package struct WebConfiguration: Sendable {
  /// In messages: `console`.
  package var name: String
  package var host: String
  /// 0 lets the system choose.
  package var port: Int
  package var hosts: HostNames
  /// Nil: without TLS.
  package var tls: TLSConfiguration?
  package var limits = WebLimits()
  /// In the header Server.
  package var serverName: String

  package init(name: String, host: String, port: Int, hosts: HostNames, tls: TLSConfiguration?, serverName: String) {
    self.name = name
    self.host = host
    self.port = port
    self.hosts = hosts
    self.tls = tls
    self.serverName = serverName
  }
}

package struct WebServer: Service {
  private let configuration: WebConfiguration
  private let handler: any WebHandler
  private let logger: Logger
  private let bound: @Sendable (Int) -> Void
  private let connections = OpenConnections()

  /// - Parameter bound: told the port once it listens.
  package init(
    _ configuration: WebConfiguration, handler: any WebHandler, logger: Logger,
    bound: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.configuration = configuration
    self.handler = handler
    self.logger = logger
    self.bound = bound
  }

  /// Serves until the service group shuts down.
  /// - Throws: `IOError` where the port cannot be had, `NIOSSLError` where the certificate cannot be used.
  package func run() async throws {
    try await servedToTheEnd(application(), connections, logger: quieter) { handler.end() }
  }

  private var quieter: Logger {
    var logger = logger
    logger.logLevel = max(logger.logLevel, .error)
    return logger
  }

  private func application() throws -> some ApplicationProtocol {
    let limits = configuration.limits
    let count = ConnectionCount(max: limits.connectionsMax, perClientMax: limits.connectionsPerClientMax)
    let context = try configuration.tls.map { try NIOSSLContext(configuration: $0) }
    return Application(
      responder: WebResponder(
        gate: Gate(configuration.hosts), limits: limits, handler: handler, isSecure: context != nil, logger: logger),
      server: HTTPServerBuilder { [connections] responder in
        KeptChannel(
          inner: WatchedChannel(responder: responder, limits: limits, count: count, context: context),
          connections: connections)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: configuration.serverName),
      onServerRunning: { [bound] channel in bound(channel.localAddress?.port ?? 0) }, logger: quieter)
  }
}
