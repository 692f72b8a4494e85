// One gRPC port: the transport of our own with the hub's TLS in front of it.
//
//     TCP ──> TLS ──> ConnectionMeter ──> RPCTransport ──> grpc-swift's server, or past it
//
// The hub asks for a client certificate and does without (see ServerIdentity.swift). The TLS handler is put in front when a connection is accepted,
// before any byte was read. If that fails the connection is closed: there is no plaintext.

internal import GRPCCore
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import RPCServing
internal import ServiceLifecycle
internal import WebServing

struct RPCListener: Service {
  private let name: String
  private let endpoint: Endpoint
  private let server: GRPCServer<RPCTransport>
  private let connections: OpenConnections
  private let ending: @Sendable () -> Void

  /// - Parameters:
  ///   - direct: served beside `services`.
  ///   - ending: told when the hub goes down, so that calls without an end come to one.
  init(
    name: String, endpoint: Endpoint, identity: ServerIdentity, services: [any RegistrableRPCService],
    direct: (any DirectCall)? = nil, metrics: HubMetrics, logger: Logger, ending: @escaping @Sendable () -> Void = {}
  ) throws {
    self.name = name
    self.endpoint = endpoint
    self.ending = ending
    let connections = OpenConnections()
    self.connections = connections
    let context = try NIOSSLContext(configuration: identity.tlsConfiguration(protocols: ["h2"]))
    let transport = RPCTransport(
      host: endpoint.host, port: endpoint.port, configuration: Self.configuration, direct: direct,
      prepare: { channel in
        connections.add(channel)
        var kept = NIOSSLServerHandler.Configuration()
        kept.maximumPreservedOutboundBufferCapacity = HubLimits.idleWriteBytesMax
        let tls = NIOSSLServerHandler(
          context: context,
          customVerificationCallback: { _, promise in
            // The handshake proves possession of the key; PeerCheck judges the certificate, per call.
            promise.succeed(.certificateVerified)
          }, configuration: kept)
        let meter = ConnectionMeter(listener: name, metrics: metrics, logger: logger)
        try channel.pipeline.syncOperations.addHandlers([tls, meter])
      }, specific: { RPCPeer(channel: $0) })
    server = GRPCServer(transport: transport, services: services)
  }

  private static var configuration: RPCConfiguration {
    var configuration = RPCConfiguration()
    configuration.messageBytesMax = HubLimits.messageBytesMax
    configuration.windowBytes = HubLimits.windowBytes
    configuration.callsMax = HubLimits.streamsPerConnectionMax
    configuration.keepaliveInterval = HubLimits.keepaliveInterval
    configuration.keepaliveTimeout = HubLimits.keepaliveTimeout
    configuration.pingIntervalLeast = HubLimits.agentPingInterval
    configuration.graceMax = HubLimits.shutdownGrace
    return configuration
  }

  /// - Throws: `HubError` if it cannot listen.
  func run() async throws {
    do {
      try await servedToTheEnd(connections) { [server, ending] in
        server.beginGracefulShutdown()
        ending()
      } serve: { [server] in
        try await server.serve()
      }
    } catch let error as RuntimeError where error.code == .transportError {
      throw HubError(listening: name, on: endpoint, error.cause ?? error)
    }
  }

  /// The port it listens on, once it does.
  var port: Int {
    get async throws { try await server.transport.port }
  }
}
