// One gRPC port: grpc-swift-nio-transport with the hub's own TLS.
//
// The transport's own TLS settings either ignore client certificates or demand them; the hub must ask for one and do
// without (see ServerIdentity.swift). So the transport is left without TLS, and the TLS handler is put in front of it
// when a connection is accepted, before any byte was read. If that fails the connection is closed: there is no
// plaintext. The transport finds the peer's certificate in that handler.

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import ServiceLifecycle
internal import WebServing

struct RPCListener: Service {
  private let name: String
  private let endpoint: Endpoint
  private let server: GRPCServer<DirectTransport>
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
    let transport = HTTP2ServerTransport.Posix(
      address: endpoint.socketAddress, transportSecurity: .plaintext,
      config: .defaults { config in
        config.compression.enabledAlgorithms = [.gzip, .deflate]
        config.http2.targetWindowSize = HubLimits.windowBytes
        config.http2.maxConcurrentStreams = HubLimits.streamsPerConnectionMax
        config.rpc.maxRequestPayloadSize = HubLimits.messageBytesMax
        config.connection.keepalive.time = HubLimits.keepaliveInterval
        config.connection.keepalive.timeout = HubLimits.keepaliveTimeout
        config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = HubLimits.agentPingInterval
        config.connection.keepalive.clientBehavior.allowWithoutCalls = true
        config.connection.maxGraceTime = HubLimits.shutdownGrace
        config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
          connections.add(channel)
          return channel.eventLoop.makeCompletedFuture {
            var kept = NIOSSLServerHandler.Configuration()
            kept.maximumPreservedOutboundBufferCapacity = HubLimits.idleWriteBytesMax
            let tls = NIOSSLServerHandler(
              context: context,
              customVerificationCallback: { _, promise in
                // The handshake proves possession of the key; PeerCheck judges the certificate, per call.
                promise.succeed(.certificateVerified)
              }, configuration: kept)
            let meter = ConnectionMeter(listener: name, metrics: metrics, logger: logger)
            try channel.pipeline.syncOperations.addHandler(meter, position: .first)
            try channel.pipeline.syncOperations.addHandler(tls, position: .first)
          }
        }
      })
    server = GRPCServer(transport: DirectTransport(wire: transport, direct: direct), services: services)
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
    get async throws {
      let address = try await server.transport.wire.listeningAddress
      return address.ipv4?.port ?? address.ipv6?.port ?? endpoint.port
    }
  }
}
