// csr, as csr.proto specifies it. It is served on the csr port and on the dcam port alike: TLS asks for a client
// certificate and does not demand one, `Enroll` needs none, `Renew` and `Standing` do. An agent that can reach only one of the ports
// can do both.
//
// | the crash is                                  | found at the next attempt                    | decision                             |
// |-----------------------------------------------|----------------------------------------------|--------------------------------------|
// | before the hub's commit                       | no install of this enrolment id              | enrols as if for the first time      |
// | after the commit, before the answer arrived   | the install, same id, same key               | same install, fresh certificate      |
// | in the agent, which made another key          | the install, same id, another key            | INVALID_ARGUMENT: begin anew         |
// | after a renewal, before its answer arrived    | an unused newer certificate                  | the old one is good until a new one is used |
//
// Attempts to enrol are limited per peer and in all, renewals per install; each that is refused, for whatever reason, is in the audit trail,
// of those that must wait the first.

internal import FoundationEssentials
internal import GRPCCore
internal import HubProtocol
internal import Logging
internal import Synchronization

final class SigningService: Printtrail_Csr_V1_CertificateSigning.SimpleServiceProtocol {
  /// Where agents go after enrolment, as `host:port`; empty means: as configured at the agent.
  struct Addresses: Sendable {
    var dcam: String
    var hc: String
  }

  /// 16 bytes each: enrolment and journal ids; 32: an Ed25519 public key.
  private static let idByteCount = 16
  private static let journalKeyByteCount = 32

  private let directory: HubDirectory
  private let authorities: Authorities
  private let store: any RegistryStore
  private let peers: PeerCheck
  private let addresses: @Sendable () -> Addresses
  private let clock: HubClock
  private let logger: Logger
  private let limiter = Mutex(AttemptLimiter())
  private let renewals = Mutex(
    AttemptLimiter(
      perPeer: .init(burst: HubLimits.renewalsBurst, interval: HubLimits.renewalInterval),
      // An hour in which all of the largest fleet renew is not too much: renewals cost what a check-in costs.
      inAll: .init(burst: Int(HubLimits.streamsMax), interval: .milliseconds(10)), peersMax: HubLimits.streamsMax))
  private let standingInterval: Duration
  private let clientValidity: Duration
  private let metrics: HubMetrics

  init(
    directory: HubDirectory, authorities: Authorities, store: any RegistryStore, peers: PeerCheck,
    addresses: @escaping @Sendable () -> Addresses, clientValidity: Duration = HubLimits.clientValidity,
    standingInterval: Duration = HubLimits.standingInterval, clock: HubClock, logger: Logger,
    metrics: HubMetrics = HubMetrics()
  ) {
    self.metrics = metrics
    self.directory = directory
    self.authorities = authorities
    self.clientValidity = clientValidity
    self.standingInterval = standingInterval
    self.store = store
    self.peers = peers
    self.addresses = addresses
    self.clock = clock
    self.logger = logger
  }

  // MARK: Enroll

  func enroll(
    request: Printtrail_Csr_V1_EnrollRequest, context: ServerContext
  ) async throws -> Printtrail_Csr_V1_EnrollResponse {
    let address = Self.address(of: context.remotePeer)
    if let limited = limiter.withLock({ $0.begin(address, now: clock.now) }) {
      metrics.count(.enrolments, "limited")
      logger.notice("enrolment attempts limited", metadata: ["peer": "\(address)"])
      if limited.isNews { try await audit("enrolment.limited", address, "too many attempts") }
      throw RPCError.tooMuch("Too many failed attempts from this address.", retryAfter: limited.wait)
    }
    let checked: CheckedRequest
    do { checked = try Self.check(request) } catch let error as RPCError {
      metrics.count(.enrolments, "invalid")
      logger.notice("enrolment refused", metadata: ["peer": "\(address)", "reason": "\(error.message)"])
      try await audit("enrolment.refused", address, error.message)
      throw error
    }
    guard let code = DataLinkCode(request.datalinkCode) else {
      throw try await refused("not 24 hexadecimal digits", address)
    }
    let enrolment = EnrolmentRequest(
      codeHash: code.hash(in: directory), enrolmentID: Array(request.enrolmentID), publicKeyHash: checked.publicKeyHash,
      journalID: Array(request.journalID), journalKey: Array(request.journalPublicKey),
      machine: MachineDescription(
        hostName: cleaned(request.machine.hostName), operatingSystem: cleaned(request.machine.operatingSystem),
        agentVersion: cleaned(request.machine.agentVersion)),
      peer: address)
    let outcome: EnrolmentOutcome
    do {
      outcome = try await store.enrol(enrolment, now: clock.now) {
        [issuing = authorities.current.issuing, clientValidity] in
        try issuing.issueClient(install: $0, request: checked, validity: clientValidity)
      }
    } catch {
      metrics.count(.enrolments, "not_stored")
      logger.error("enrolment not stored", metadata: ["peer": "\(address)", "error": "\(error)"])
      limiter.withLock { $0.succeeded(address) }
      throw RPCError.storeUnavailable
    }
    switch outcome {
    case .refused(let reason): throw try await refused(reason, address)
    case .mismatch(let reason):
      metrics.count(.enrolments, "refused")
      logger.notice("enrolment refused", metadata: ["peer": "\(address)", "reason": "\(reason)"])
      try await audit("enrolment.refused", address, reason)
      throw RPCError(code: .invalidArgument, message: "Not enrolled: \(reason).")
    case .enrolled(let install, let certificate, let repeated):
      // Each repetition is another certificate: an agent needs a few of them.
      if !repeated { limiter.withLock { $0.succeeded(address) } }
      metrics.count(.enrolments, repeated ? "repeated" : "enrolled")
      logger.info(
        "install enrolled",
        metadata: [
          "install": "\(install.id)", "entity": "\(install.entity)", "peer": "\(address)", "repeated": "\(repeated)",
        ])
      return answer(install, certificate)
    }
  }

  private func answer(_ install: Install, _ certificate: IssuedCertificate) -> Printtrail_Csr_V1_EnrollResponse {
    var response = Printtrail_Csr_V1_EnrollResponse()
    response.installID = install.id
    response.entityName = install.entity
    response.certificateChain = [Data(certificate.der)]
    response.trustedRoots = trustedRoots
    let addresses = addresses()
    response.dcamAddress = addresses.dcam
    response.hcAddress = addresses.hc
    return response
  }

  /// What the request must be, whatever its code.
  private static func check(_ request: Printtrail_Csr_V1_EnrollRequest) throws -> CheckedRequest {
    guard request.enrolmentID.count == idByteCount else {
      throw invalid("the enrolment id has \(request.enrolmentID.count) bytes, not \(idByteCount)")
    }
    guard request.journalID.count == idByteCount else {
      throw invalid("the journal's id has \(request.journalID.count) bytes, not \(idByteCount)")
    }
    guard request.journalPublicKey.count == journalKeyByteCount else {
      throw invalid("the journal's public key has \(request.journalPublicKey.count) bytes, not \(journalKeyByteCount)")
    }
    return try checkedRequest(request.certificateRequest)
  }

  private static func checkedRequest(_ der: Data) throws -> CheckedRequest {
    do throws(CheckedRequest.Refusal) { return try CheckedRequest(der: der) } catch { throw invalid(error.description) }
  }

  private static func invalid(_ reason: String) -> RPCError {
    RPCError(code: .invalidArgument, message: "Not signed: \(reason).")
  }

  /// One answer for every reason, so that a guesser learns nothing; the audit trail has the reason.
  private func refused(_ reason: String, _ address: String) async throws -> RPCError {
    metrics.count(.enrolments, "refused")
    logger.notice("enrolment refused", metadata: ["peer": "\(address)", "reason": "\(reason)"])
    try await audit("enrolment.refused", address, "the code is \(reason)")
    return RPCError(
      code: .unauthenticated,
      message: "The DataLink code is not valid: unknown, expired, used up or revoked. Ask for a new one.")
  }

  private func audit(_ action: String, _ address: String, _ detail: String, subject: String = "") async throws {
    do {
      try await store.audit(
        AuditEntry(at: clock.now, action: action, subject: subject, peer: address, detail: detail))
    } catch {
      logger.error("audit not stored", metadata: ["error": "\(error)"])
      throw RPCError.storeUnavailable
    }
  }

  /// What agents trust from now on: while the hub goes over to another root, both.
  private var trustedRoots: [Data] { authorities.current.trusted.map { Data($0.rootDER) } }

  /// The address of a peer without its port, from gRPC's `ipv4:127.0.0.1:4711` or `ipv6:[::1]:4711`.
  static func address(of peer: String) -> String {
    guard let colon = peer.lastIndex(of: ":"), peer[colon...].dropFirst().allSatisfy(\.isNumber) else { return peer }
    return String(peer[..<colon])
  }

  // MARK: Renew

  func renew(
    request: Printtrail_Csr_V1_RenewRequest, context: ServerContext
  ) async throws -> Printtrail_Csr_V1_RenewResponse {
    let address = Self.address(of: context.remotePeer)
    let caller: Peer
    do { caller = try await peers.peer(context) } catch let error as RPCError where error.code == .permissionDenied {
      // csr.proto knows one answer for a certificate that may not be renewed.
      throw RPCError(code: .unauthenticated, message: error.message)
    }
    let install = caller.install
    if let limited = renewals.withLock({ $0.begin(install.id, now: clock.now) }) {
      metrics.count(.renewals, "limited")
      logger.notice("renewals limited", metadata: ["install": "\(install.id)"])
      if limited.isNews { try await audit("renewal.limited", address, "too many renewals", subject: install.id) }
      throw RPCError.tooMuch("This install renews its certificate too often.", retryAfter: limited.wait)
    }
    let checked: CheckedRequest
    do { checked = try Self.checkedRequest(request.certificateRequest) } catch let error as RPCError {
      metrics.count(.renewals, "refused")
      logger.notice(
        "renewal refused",
        metadata: ["install": "\(install.id)", "peer": "\(address)", "reason": "\(error.message)"])
      try await audit("renewal.refused", address, error.message, subject: install.id)
      throw error
    }
    let certificate = try authorities.current.issuing.issueClient(
      install: install.id, request: checked, validity: clientValidity)
    do {
      try await store.addCertificate(
        certificate, install: install.number, origin: RenewalOrigin(serial: caller.serial, peer: address),
        now: clock.now)
    } catch {
      metrics.count(.renewals, "not_stored")
      logger.error("renewal not stored", metadata: ["install": "\(install.id)", "error": "\(error)"])
      throw RPCError.storeUnavailable
    }
    metrics.count(.renewals, "renewed")
    logger.info(
      "certificate renewed",
      metadata: [
        "install": "\(install.id)", "peer": "\(address)",
        "not_after": "\(timeText(milliseconds: certificate.notAfter))",
      ])
    var response = Printtrail_Csr_V1_RenewResponse()
    response.certificateChain = [Data(certificate.der)]
    response.trustedRoots = trustedRoots
    return response
  }

  // MARK: Standing

  func standing(
    request: Printtrail_Csr_V1_StandingRequest, context: ServerContext
  ) async throws -> Printtrail_Csr_V1_StandingResponse {
    let peer = try await peers.peer(context)
    let now = clock.now
    // The agent's number may be any.
    if request.agentTime > 0, (now &- request.agentTime).magnitude > UInt64(HubLimits.clockSkew.milliseconds) {
      logger.warning(
        "an agent's clock is wrong",
        metadata: ["install": "\(peer.install.id)", "agent_time": "\(timeText(milliseconds: request.agentTime))"])
    }
    var response = Printtrail_Csr_V1_StandingResponse()
    response.installID = peer.install.id
    response.hubTime = now
    response.trustedRoots = trustedRoots
    if peer.isOfRetiringRoot {
      response.renewalAdvised = "the hub has a new root, and the one before it will be retired"
    }
    response.nextStandingMilliseconds = UInt32(clamping: standingInterval.milliseconds)
    return response
  }
}
