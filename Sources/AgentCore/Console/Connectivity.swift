// Whether the hub's services can be reached, one by one, and why not: a TLS connection to each, by the same room and the same trust as the agent's own.

internal import Console
internal import Dispatch
internal import Enrolment
internal import OpenSSL
internal import Platform
internal import Settings
internal import TLS
internal import WebServing

struct Connectivity: Sendable {
  /// What a service gets to answer in. An enrolment takes as long at most.
  static let timeMax: Duration = .seconds(10)
  private static let queue = DispatchQueue(label: "printtrail.connectivity", qos: .utility, attributes: .concurrent)

  let configuration: AgentConfiguration
  let identity: InstallIdentity?
  /// Where the remote technician's service would be; nil: it is not used.
  let remotetechnician: HostAndPort?

  private struct Service: Sendable {
    let name: String
    let setting: String
    let address: HostAndPort?
    let trust: TLSConfiguration.Trust?
    let identity: TLSConfiguration.Identity?
  }

  func check() async -> WebJSON {
    let services = services
    let checks = await withTaskGroup(of: (Int, WebJSON).self) { group in
      for (index, service) in services.enumerated() { group.addTask { (index, await check(service)) } }
      return await group.reduce(into: [WebJSON?](repeating: nil, count: services.count)) { $0[$1.0] = $1.1 }
    }
    return .object([("checks", .array(checks.compactMap { $0 }))])
  }

  private var services: [Service] {
    let hub = configuration.hub
    let first: TLSConfiguration.Trust? = hub.map {
      switch $0.authority {
      case .pin(let pin): .pinnedAuthority(pin)
      case .certificates(let certificates): .authorities(certificates)
      }
    }
    let later: TLSConfiguration.Trust? = identity.map { .authorities($0.roots) } ?? first
    let own = identity.flatMap { try? TLSConfiguration.Identity(chain: $0.chain, key: $0.key) }
    return [
      Service(name: "csr", setting: "hub.csr", address: hub?.csr, trust: first, identity: nil),
      Service(
        name: "dcam", setting: "hub.dcam", address: hub?.dcam ?? identity?.dcam, trust: later, identity: own),
      Service(name: "hc", setting: "hub.hc", address: hub?.hc ?? identity?.hc, trust: later, identity: own),
      Service(
        name: "remotetechnician", setting: "its address", address: remotetechnician, trust: later, identity: own),
    ]
  }

  private func check(_ service: Service) async -> WebJSON {
    guard let address = service.address, let trust = service.trust else {
      if service.name == "remotetechnician" {
        return Self.json(service, "off", nil, "not_used", "This agent does not use it.", nil)
      }
      return Self.json(
        service, "unknown", nil, "address_unknown",
        configuration.hub == nil ? "No hub is named yet." : "The hub tells the address when this machine enrols.", nil)
    }
    let tls = TLSConfiguration(
      trust: trust, identity: service.identity, applicationProtocols: service.name == "remotetechnician" ? [] : ["h2"],
      proxy: configuration.proxy?.httpProxy)
    let endpoint = Endpoint(host: address.host, port: address.port)
    return await withCheckedContinuation { continuation in
      Self.queue.async {
        let start = ContinuousClock.now
        let result = Result { () throws(TLSError) in
          let connection = try TLSConnection(to: endpoint, configuration: tls)
          try connection.open(until: start.advanced(by: Self.timeMax))
          return connection.protocolVersion
        }
        let elapsed = Int64((start.duration(to: .now) / .milliseconds(1)).rounded())
        continuation.resume(returning: Self.json(service, result, elapsed))
      }
    }
  }

  private static func json(_ service: Service, _ result: Result<String, TLSError>, _ elapsed: Int64) -> WebJSON {
    switch result {
    case .success(let version):
      let by =
        switch service.trust {
        case .pinnedAuthority?: "the pin"
        case .authorities?, .systemRoots?, nil: "the hub's authority"
        }
      return json(service, "ok", elapsed, nil, "\(version); the certificate is vouched for by \(by).", nil)
    case .failure(let error):
      let remedy = error.remedy(
        setting: service.setting,
        untrusted: service.name == "csr"
          ? "Compare the pin with what `pthub ca show` tells at the hub; if it is right, something between here and the hub inspects the connection."
          : TLSError.otherAuthorityRemedy)
      return json(service, "failed", elapsed, code(error), error.description, remedy)
    }
  }

  private static func json(
    _ service: Service, _ state: String, _ elapsed: Int64?, _ code: String?, _ message: String, _ remedy: String?
  ) -> WebJSON {
    .object([
      ("service", .string(service.name)), ("address", WebJSON(service.address?.description)), ("state", .string(state)),
      ("milliseconds", WebJSON(elapsed)), ("code", WebJSON(code)), ("message", .string(message)),
      ("remedy", WebJSON(remedy)),
    ])
  }

  private static func code(_ error: TLSError) -> String {
    switch error {
    case .nameNotResolved: "name"
    case .refused: "refused"
    case .unreachable: "network"
    case .timedOut: "timeout"
    case .proxyRefused: "proxy_refused"
    case .certificateNotTrusted, .wrongPin: "untrusted"
    case .certificateExpired, .certificateNotYetValid, .wrongHost: "certificate"
    case .notTLS, .protocolNotAgreed, .handshakeFailed, .ownCertificateRefused, .configuration: "tls"
    case .connectionLost, .closedUnexplained, .interrupted: "closed"
    }
  }
}
