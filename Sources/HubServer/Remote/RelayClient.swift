// Connections to other hubs of this authority: one to each, opened when it is needed. Both sides show their server's certificates.

internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import SwiftASN1
internal import Synchronization
internal import X509

/// How a hub says that others reach it: a name or an address, and a port.
package struct RelayAddress: Hashable, Sendable, CustomStringConvertible {
  package let host: String
  package let port: Int

  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      return nil
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard (try? ServerName(host)) != nil else { return nil }
    (self.host, self.port) = (host, Int(port))
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

actor RelayClient {
  static let protocolName = "printtrail-relay/1"

  private let identity: ServerIdentity
  private let authorities: Authorities
  private var connections: [RelayAddress: Task<TunnelConnection?, Never>] = [:]

  init(identity: ServerIdentity, authorities: Authorities) {
    self.identity = identity
    self.authorities = authorities
  }

  /// Nil where it cannot be reached, or is no hub of this authority.
  func connection(to address: RelayAddress) async -> TunnelConnection? {
    if let known = connections[address] {
      if let connection = await known.value, connection.isOpen { return connection }
      if connections[address] == known { connections[address] = nil }
    }
    if let other = connections[address] { return await other.value }
    let task = Task { try? await self.open(address) }
    connections[address] = task
    return await task.value
  }

  func closeAll() async {
    for task in connections.values { await task.value?.channel.close(promise: nil) }
    connections = [:]
  }

  private nonisolated func open(_ address: RelayAddress) async throws -> TunnelConnection {
    var configuration = identity.relayConfiguration()
    configuration.applicationProtocols = [Self.protocolName]
    let context = try NIOSSLContext(configuration: configuration)
    let authorities = authorities
    let made = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connectTimeout(.seconds(5))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let tls = try NIOSSLClientHandler(
            context: context, serverHostname: nil,
            customVerificationCallback: { chain, promise in
              promise.succeed(authorities.isOfHub(chain.first) ? .certificateVerified : .failed)
            })
          try channel.pipeline.syncOperations.addHandler(tls)
        }
      }
      .connect(host: address.host, port: address.port)
      .flatMapThrowing { channel in try TunnelConnection.made(on: channel) }.get()
    return made
  }
}

extension Authorities {
  /// Whether a certificate is a server's of this authority, and good now.
  func isOfHub(_ certificate: NIOSSLCertificate?) -> Bool {
    guard let der = try? certificate?.toDERBytes(), let certificate = try? Certificate(derEncoded: der) else {
      return false
    }
    return isOfHub(certificate)
  }

  func isOfHub(_ certificate: Certificate) -> Bool {
    current.trusted.contains { root in root.issued(certificate) && root.isGoodServer(certificate) }
  }
}
