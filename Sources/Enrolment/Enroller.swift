// Enrolment, step by step; `IdentityStore` says what a crash between two of them leaves behind and how the next attempt goes on.
//
//   1 key        a P-256 key is made and kept
//   2 pending    the enrolment's id is kept
//   3 asked      the hub has answered
//   4 stored     identity.json names the new install
//   5 journalled `InstallEnrolled` is in the journal       (by whoever writes the journal: this process, or the agent that runs)
//   6 settled    pending.json is gone

package import OpenSSL
internal import Platform

/// What the hub's csr service is asked, in plain values.
package struct EnrolmentRequest: Sendable {
  package var code: DataLinkCode
  /// 16 bytes.
  package var enrolmentID: [UInt8]
  package var certificateRequest: CertificateRequest
  package var journal: JournalReference
  package var machine: MachineDescription

  package init(
    code: DataLinkCode, enrolmentID: [UInt8], certificateRequest: CertificateRequest, journal: JournalReference,
    machine: MachineDescription
  ) {
    self.code = code
    self.enrolmentID = enrolmentID
    self.certificateRequest = certificateRequest
    self.journal = journal
    self.machine = machine
  }
}

/// By what the hub will know this machine's journal.
package struct JournalReference: Hashable, Sendable {
  /// 16 bytes.
  package var id: [UInt8]
  package var publicKey: Ed25519PublicKey

  package init(id: [UInt8], publicKey: Ed25519PublicKey) {
    self.id = id
    self.publicKey = publicKey
  }
}

/// What a dealer sees in the list of installs.
package struct MachineDescription: Hashable, Sendable {
  package var hostName: String
  package var operatingSystem: String
  package var agentVersion: String

  package init(hostName: String, operatingSystem: String, agentVersion: String) {
    self.hostName = hostName
    self.operatingSystem = operatingSystem
    self.agentVersion = agentVersion
  }
}

/// What the hub answers.
package struct EnrolmentAnswer: Sendable {
  package var installID: String
  package var entity: String
  /// DER, the install's own first.
  package var chain: [[UInt8]]
  package var roots: [[UInt8]]
  /// `host:port`, or empty.
  package var dcamAddress: String
  package var hcAddress: String

  package init(
    installID: String, entity: String, chain: [[UInt8]], roots: [[UInt8]], dcamAddress: String, hcAddress: String
  ) {
    self.installID = installID
    self.entity = entity
    self.chain = chain
    self.roots = roots
    self.dcamAddress = dcamAddress
    self.hcAddress = hcAddress
  }
}

/// The hub's csr service.
package protocol EnrolmentService: Sendable {
  /// `host:port`, for messages.
  var hub: String { get }
  func enrol(_ request: EnrolmentRequest) async throws(EnrolmentError) -> EnrolmentAnswer
}

/// Enrols this machine.
package struct Enroller<Service: EnrolmentService>: Sendable {
  /// The steps after which a crash is survived.
  package enum Step: CaseIterable, Sendable {
    case key, pending, asked, stored
  }

  private let store: IdentityStore
  private let service: Service
  private let reached: @Sendable (Step) throws -> Void

  /// - Parameter reached: told of each step as it is done; what it throws ends the enrolment there, as a crash would.
  package init(store: IdentityStore, service: Service, reached: @escaping @Sendable (Step) throws -> Void = { _ in }) {
    self.store = store
    self.service = service
    self.reached = reached
  }

  /// Enrols, or goes on with an enrolment that was interrupted.
  /// - Parameter isAgain: whether a machine that is enrolled already becomes a new install.
  /// - Returns: the identity, stored and not yet journalled: the caller appends `InstallEnrolled` and calls `IdentityStore.settle`.
  /// - Throws: `EnrolmentError`; an earlier identity is then untouched, and another attempt may follow.
  package func enrol(
    code: DataLinkCode, journal: JournalReference, machine: MachineDescription, isAgain: Bool = false
  ) async throws -> InstallIdentity {
    if isAgain { try store.setAsideUnreadable() }
    let isUnjournalled = try store.hasUnjournalledIdentity()
    if let identity = try store.identity() {
      if isUnjournalled { return identity }
      if !isAgain, try store.pending() == nil {
        throw EnrolmentError.enrolledAlready(installID: identity.installID, entity: identity.entity)
      }
    }
    let pending = try begun(with: code)
    let answer = try await service.enrol(
      EnrolmentRequest(
        code: code, enrolmentID: pending.id, certificateRequest: try request(for: pending.key), journal: journal,
        machine: machine))
    try reached(.asked)
    let identity = try checked(answer, key: pending.key)
    try store.store(identity, keyFile: pending.keyFile)
    try reached(.stored)
    return identity
  }

  /// The enrolment that is under way with this code, or a new one: a hub takes no other code for one that it has seen, and whoever was given
  /// another code is to get in with it.
  private func begun(with code: DataLinkCode) throws -> PendingEnrolment {
    if let pending = try store.pending(),
      pending.codeDigest ?? IdentityStore.digest(of: code) == IdentityStore.digest(of: code)
    {
      return pending
    }
    let (key, file) = try store.makeKey()
    try reached(.key)
    let pending = try store.begin(key: key, file: file, code: code)
    try reached(.pending)
    return pending
  }

  private func request(for key: P256PrivateKey) throws(EnrolmentError) -> CertificateRequest {
    do {
      // The hub names the install; the subject only helps whoever looks at the request.
      return try CertificateRequest(key: key, commonName: "ptagent")
    } catch {
      throw .cryptography(error.description)
    }
  }

  /// An answer is believed only as far as it fits together.
  private func checked(_ answer: EnrolmentAnswer, key: P256PrivateKey) throws(EnrolmentError) -> InstallIdentity {
    let chain = try certificates(answer.chain, "certificate chain")
    let roots = try certificates(answer.roots, "trusted roots")
    guard let own = chain.first else { throw unusable("it holds no certificate") }
    guard !roots.isEmpty else { throw unusable("it names no root to trust") }
    guard own.matches(key) else { throw unusable("its certificate belongs to another key") }
    guard !answer.installID.isEmpty, own.subjectCommonName == answer.installID else {
      throw unusable("its certificate is for '\(own.subject)', not for the install '\(answer.installID)'")
    }
    return InstallIdentity(
      installID: answer.installID, entity: answer.entity, chain: chain, key: key, roots: roots,
      dcam: try address(answer.dcamAddress), hc: try address(answer.hcAddress))
  }

  private func certificates(_ ders: [[UInt8]], _ what: String) throws(EnrolmentError) -> [Certificate] {
    var certificates: [Certificate] = []
    for der in ders {
      do { certificates.append(try Certificate(der: der)) } catch { throw unusable("its \(what) cannot be read") }
    }
    return certificates
  }

  private func address(_ text: String) throws(EnrolmentError) -> HostAndPort? {
    if text.isEmpty { return nil }
    guard let address = HostAndPort(text) else { throw unusable("'\(text)' is no address with a port") }
    return address
  }

  private func unusable(_ reason: String) -> EnrolmentError { .unusableAnswer(hub: service.hub, reason: reason) }
}
