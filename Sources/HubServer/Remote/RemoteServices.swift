// Remote technician, put together: where agents come, where browsers come, and what looks whose time is over.

internal import DevicePages
internal import Logging
internal import NIOSSL
internal import OpenSSL
internal import ServiceLifecycle
internal import WebServing

extension Hub.Configuration {
  /// How devices' own pages are served.
  package struct Remote: Sendable {
    /// Where agents and other hubs come.
    package var agents: Endpoint
    /// Where browsers come.
    package var web: Endpoint
    /// Below which each session has its origin.
    package var domain: String
    /// The port that browsers reach it at; nil: the one that it listens on.
    package var domainPort: UInt16?
    /// How other hubs of this database reach `agents`; nil: none does.
    package var relay: RelayAddress?
    /// PEM files, of `*.domain`; nil: the hub's own certificate.
    package var certificate: Hub.CertificateFiles?

    package init(agents: Endpoint, web: Endpoint, domain: String = Remote.usualDomain) {
      (self.agents, self.web, self.domain) = (agents, web, domain)
    }

    /// Browsers take every name below `localhost` for this machine (RFC 6761, section 6.3). Certificates stand for all names below a domain only where
    /// that has two parts.
    package static let usualDomain = "remote.localhost"

    /// - Throws: `HubError` 64 for what is no domain, or has one part alone.
    package static func checked(domain: String) throws(HubError) -> String {
      guard case .dns(let name) = try ServerName(domain), name.contains(".") else {
        throw HubError(
          .usage,
          "'\(domain)' is no domain that names can be below: give one of two parts or more, such as \(usualDomain)."
        )
      }
      return name
    }
  }
}

struct RemoteServices {
  let services: [any Service]
  let domain: RemoteDomainBox
  let agentsPort: PortBox
  let webPort: PortBox

  /// Whether two names have their last two labels in common, as those of one registrable domain have. A guess on the safe side: there are suffixes of two labels.
  static func isOfOneSite(_ name: String, _ other: String) -> Bool {
    let (left, right) = (Self.site(of: name), Self.site(of: other))
    return left != nil && left == right
  }

  private static func site(of name: String) -> [Substring]? {
    let labels = name.lowercased().split(separator: ".")
    guard labels.count >= 2, labels.last != "localhost", !labels.allSatisfy({ UInt8($0) != nil }) else { return nil }
    return Array(labels.suffix(2))
  }

  /// - Throws: `HubError` 78 for a certificate that cannot be used.
  init(
    _ remote: Hub.Configuration.Remote, consoleNames: [String], identity: ServerIdentity, peers: PeerCheck,
    store: SQLStore,
    clock: HubClock, logger: Logger
  ) throws {
    let (domain, agentsPort, webPort) = (RemoteDomainBox(), PortBox(), PortBox())
    // Where no other hub comes, the name is still this process's own.
    let own = remote.relay?.description ?? "process \(hexadecimal(SecureRandom.bytes(8)))"
    let relays = RelayClient(identity: identity, authorities: peers.authorities)
    let sessions = TunnelSessions(ownAddress: own, relays: relays)
    if let name = consoleNames.first(where: { Self.isOfOneSite($0, remote.domain) }) {
      logger.warning(
        "devices' pages are of one site with this hub's console: a page may set cookies there, and make a browser forget the console's",
        metadata: [
          "console": "\(name)", "pages": "\(remote.domain)", "remedy": "give --remote-domain a domain of its own",
        ])
    }
    let proxy = RemoteProxy(
      gate: RemoteGate(store: store, clock: clock), sessions: sessions, domain: domain,
      strangers: StrangerLog(logger))
    let tunnels = TunnelListener(
      endpoint: remote.agents, identity: identity, peers: peers, store: store, sessions: sessions, clock: clock,
      logger: logger
    ) { agentsPort.set($0) }
    let web = RemoteWebListener(
      endpoint: remote.web, tls: try Self.tls(remote, identity), proxy: proxy, logger: logger
    ) { port in
      domain.value = RemoteDomain(name: remote.domain, port: remote.domainPort ?? UInt16(port))
      webPort.set(port)
    }
    services = [
      RemoteStart(store: store, ownAddress: own, clock: clock),
      RemoteWatch(store: store, sessions: sessions, clock: clock, logger: logger), tunnels, web,
    ]
    (self.domain, self.agentsPort, self.webPort) = (domain, agentsPort, webPort)
  }

  private static func tls(_ remote: Hub.Configuration.Remote, _ identity: ServerIdentity) throws -> TLSConfiguration {
    guard let files = remote.certificate else { return identity.browserConfiguration() }
    do { return try WebTLS.configuration(certificate: files.certificate, key: files.key) } catch {
      throw HubError(.configuration, error.description)
    }
  }
}

/// Ends what a process before this one held and could not end.
struct RemoteStart: Service {
  let store: SQLStore
  let ownAddress: String
  let clock: HubClock

  func run() async throws {
    try? await store.endRemotesHeldBefore(by: store.isShared ? ownAddress : nil, now: clock.now)
    try? await gracefulShutdown()
  }
}
