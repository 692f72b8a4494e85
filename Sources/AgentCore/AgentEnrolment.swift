// `ptagent enroll`: also while the agent runs, which then journals the enrolment itself, because a journal has one writer.

package import Settings
package import Enrolment
package import Logging

internal import Events
internal import Journal
internal import OpenSSL
internal import Platform
internal import ReadModels
internal import TLS

package struct AgentEnrolment: Sendable {
  package struct Outcome: Sendable {
    package let identity: InstallIdentity
    /// Whether an agent runs, and goes on with the new identity by itself.
    package let isAgentRunning: Bool
  }

  /// By what the hub will know the journal, and the journal itself if nobody else writes it.
  private enum JournalAccess {
    case writing(Journal)
    case reading(JournalReader)

    var reference: JournalReference {
      switch self {
      case .writing(let journal): JournalReference(id: journal.identity.id, publicKey: journal.identity.publicKey)
      case .reading(let reader): JournalReference(id: reader.identity.id, publicKey: reader.identity.publicKey)
      }
    }
  }

  private let configuration: AgentConfiguration
  private let logger: Logger

  package init(_ configuration: AgentConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
  }

  /// Enrols this machine, or finishes an enrolment that was interrupted.
  /// - Throws: `AgentFailure`; an earlier identity is then untouched and the same command may be given again.
  package func enrol(code text: String, isAgain: Bool) async throws -> Outcome {
    guard let hub = configuration.hub else {
      throw AgentFailure(.configuration, "No hub is configured. Add [hub] with csr and ca_pin to ptagent.toml.")
    }
    guard let code = DataLinkCode(text) else { throw AgentFailure(EnrolmentError.malformedCode) }
    let access = try open()
    do {
      let outcome = try await enrol(code, hub, access, isAgain: isAgain)
      await close(access)
      return outcome
    } catch {
      await close(access)
      switch error {
      case let error as EnrolmentError: throw AgentFailure(error)
      case let error as JournalError: throw AgentFailure(error, directory: configuration.journal.directory)
      default: throw error
      }
    }
  }

  private func enrol(
    _ code: DataLinkCode, _ hub: HubSettings, _ access: JournalAccess, isAgain: Bool
  ) async throws -> Outcome {
    if case .writing(let journal) = access { try await journal.tellDamage(logger) }
    let identity = try await enrolBeside(code: code, journal: access.reference, isAgain: isAgain)
    guard case .writing(let journal) = access else { return Outcome(identity: identity, isAgentRunning: true) }
    try await journal.append(.enrolled(identity, dcam: hub.dcam ?? identity.dcam))
    try IdentityStore(stateDirectory: configuration.state.directory).settle()
    return Outcome(identity: identity, isAgentRunning: false)
  }

  /// Enrols and stores the identity, and leaves the event to whoever writes the journal.
  /// - Throws: `EnrolmentError`.
  func enrolBeside(code: DataLinkCode, journal: JournalReference, isAgain: Bool) async throws -> InstallIdentity {
    guard let hub = configuration.hub else {
      throw AgentFailure(.configuration, "No hub is configured. Add [hub] with csr and ca_pin to ptagent.toml.")
    }
    let trust: TLSConfiguration.Trust =
      switch hub.authority {
      case .pin(let pin): .pinnedAuthority(pin)
      case .certificates(let certificates): .authorities(certificates)
      }
    let service = HubEnrolmentService(
      address: hub.csr, trust: trust, product: AgentVersion.product, proxy: configuration.proxy?.httpProxy)
    let machine = MachineDescription(
      hostName: Machine.hostName, operatingSystem: Machine.operatingSystem, agentVersion: AgentVersion.text)
    return try await Enroller(store: IdentityStore(stateDirectory: configuration.state.directory), service: service)
      .enrol(code: code, journal: journal, machine: machine, isAgain: isAgain)
  }

  private func open() throws(AgentFailure) -> JournalAccess {
    let directory = configuration.journal.directory
    try configuration.makeDirectories()
    do {
      return .writing(try Journal.open(configuration.journalConfiguration(logger), fold: FleetFold()))
    } catch {
      guard case .locked = error else { throw AgentFailure(error, directory: directory) }
    }
    do { return .reading(try JournalReader.open(directory: directory)) } catch {
      throw AgentFailure(error, directory: directory)
    }
  }

  private func close(_ access: JournalAccess) async {
    if case .writing(let journal) = access { await journal.close() }
  }
}

extension EventBody {
  /// The fact that this machine became an install, or has another certificate.
  static func enrolled(_ identity: InstallIdentity, dcam: HostAndPort?, isRenewal: Bool = false) -> EventBody {
    let certificate = identity.certificate
    return .installEnrolled(
      InstallEnrolled(
        installID: identity.installID, entity: identity.entity, hub: dcam?.description ?? "",
        certificateFingerprint: certificate.fingerprint.hex, certificateNotAfter: certificate.notAfter,
        isRenewal: isRenewal))
  }
}
