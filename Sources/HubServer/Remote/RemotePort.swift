// What the two ports of remote technician have in common: how they are opened.

internal import NIOCore
internal import NIOPosix
internal import WebServing

enum RemotePort {
  /// Listens.
  ///
  /// - Parameters:
  ///   - word: the option that names the port, for who reads the error.
  ///   - accept: makes a connection's pipeline, on its event loop, before anything of it is read.
  /// - Throws: `HubError` if it cannot listen.
  static func open(
    _ endpoint: Endpoint, named word: String, accept: @escaping @Sendable (any Channel) throws -> Void
  ) async throws -> any Channel {
    do {
      return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try accept(channel) } }
        .bind(host: endpoint.host, port: endpoint.port).get()
    } catch let error as IOError { throw HubError(listening: word, on: endpoint, error) }
  }
}
