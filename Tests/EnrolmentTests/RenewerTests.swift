// Renewal against a csr in memory: the happy path, each crash between two steps, and answers that must not be believed.

@testable import Enrolment
import OpenSSL
import Platform
import Synchronization
import Testing

/// csr as its proto says, but without mercy: the first use of a newer certificate ends the older ones at once.
final class MemoryRenewalHub: RenewalHub {
  struct State {
    /// Fingerprints in the order in which they were issued.
    var issued: [Digest] = []
    var newestUsed = 0
    var requests = 0
    /// What goes wrong next, before or after the hub has done its part.
    var losesRequests = 0
    var losesAnswers = 0
    var isRevoked = false
    /// What it names in its standing; nil: its one root.
    var roots: [[UInt8]]?
  }

  let authority: TestAuthority
  let state = Mutex(State())
  let falsify: @Sendable (inout RenewalAnswer) -> Void

  init(_ authority: TestAuthority, falsify: @escaping @Sendable (inout RenewalAnswer) -> Void = { _ in }) {
    self.authority = authority
    self.falsify = falsify
  }

  func renew(
    as identity: InstallIdentity, _ request: CertificateRequest
  ) async throws(RenewalError) -> RenewalAnswer {
    state.withLock { $0.requests += 1 }
    try use(identity)
    let certificate: Certificate
    do { certificate = try Certificate(der: authority.issue(request.der, name: identity.installID)) } catch {
      throw .unavailable(reason: "\(error)", hint: nil)
    }
    let isLost = state.withLock { state in
      state.issued.append(certificate.fingerprint)
      guard state.losesAnswers > 0 else { return false }
      state.losesAnswers -= 1
      return true
    }
    if isLost { throw .unavailable(reason: "The connection was lost.", hint: nil) }
    var answer = RenewalAnswer(chain: [certificate.der], roots: [authority.root])
    falsify(&answer)
    return answer
  }

  func standing(of identity: InstallIdentity) async throws(RenewalError) -> Standing {
    try use(identity)
    return Standing(hubTime: 1, roots: state.withLock { $0.roots } ?? [authority.root], advice: nil, nextIn: nil)
  }

  /// - Throws: `refused` for a certificate that is not the newest that was used, or newer.
  private func use(_ identity: InstallIdentity) throws(RenewalError) {
    let refusal = state.withLock { state -> RenewalError? in
      if state.losesRequests > 0 {
        state.losesRequests -= 1
        return .unavailable(reason: "Nobody is there.", hint: .seconds(7))
      }
      if state.issued.isEmpty { state.issued.append(identity.certificate.fingerprint) }
      guard !state.isRevoked, let index = state.issued.firstIndex(of: identity.certificate.fingerprint),
        index >= state.newestUsed
      else { return .refused(reason: "superseded") }
      state.newestUsed = index
      return nil
    }
    if let refusal { throw refusal }
  }
}

@Suite struct RenewerTests {
  struct Crash: Error {}

  @Test func `a renewal gives a new key and certificate to the same install, and leaves nothing else behind`()
    async throws
  {
    let (store, hub) = try await enrolled()
    let old = try #require(try store.identity())
    let (renewed, standing) = try await Renewer(store: store, hub: hub).renew(now: now)
    try store.settleRenewal()
    #expect(standing?.hubTime == 1)
    #expect(renewed.installID == old.installID && renewed.entity == old.entity && renewed.dcam == old.dcam)
    #expect(renewed.certificate != old.certificate && renewed.certificate.pin != old.certificate.pin)
    let restored = try #require(try store.identity())
    #expect(restored.certificate == renewed.certificate && restored.certificate.matches(restored.key))
    #expect(!store.hasRenewal)
    #expect(try keys(store).count == 1)
    #expect(try Files.names(in: store.directory).allSatisfy { Files.mode(of: store.directory + "/" + $0) == 0o600 })
  }

  @Test(arguments: Renewer<MemoryRenewalHub>.Step.allCases)
  func `a crash after any step is survived: the hub accepts the identity at each moment, and the renewal ends`(
    step: Renewer<MemoryRenewalHub>.Step
  ) async throws {
    let (store, hub) = try await enrolled()
    let old = try #require(try store.identity()).certificate
    await #expect(throws: Crash.self) {
      try await Renewer(store: store, hub: hub) { if $0 == step { throw Crash() } }.renew(now: now)
    }
    let restarted = IdentityStore(stateDirectory: Files.parent(of: store.directory))
    let found = try #require(try restarted.identity()).certificate
    #expect((found == old) == (step != .adopted))
    let (renewed, _) = try await Renewer(store: restarted, hub: hub).renew(now: now)
    #expect(try restarted.hasUnsettledRenewal())
    try restarted.settleRenewal()
    #expect(renewed.certificate != old)
    #expect(try restarted.identity()?.certificate == renewed.certificate)
    _ = try await hub.standing(of: renewed)
    #expect(!restarted.hasRenewal)
    #expect(try keys(restarted).count == 1)
    // One more certificate than needed only where the answer was lost.
    #expect(hub.state.withLock { $0.requests } == (step == .asked ? 2 : 1))
  }

  @Test func `crashes at every step one after the other are survived, too`() async throws {
    let (store, hub) = try await enrolled()
    for step in Renewer<MemoryRenewalHub>.Step.allCases {
      await #expect(throws: Crash.self) {
        try await Renewer(store: store, hub: hub) { if $0 == step { throw Crash() } }.renew(now: now)
      }
    }
    let (renewed, _) = try await Renewer(store: store, hub: hub).renew(now: now)
    try store.settleRenewal()
    _ = try await hub.standing(of: renewed)
    #expect(try keys(store).count == 1)
  }

  @Test func `a renewal that was begun before the hub went over to another root forgets none that it named since`()
    async throws
  {
    let (store, hub) = try await enrolled()
    await #expect(throws: Crash.self) {
      try await Renewer(store: store, hub: hub) { if $0 == .stored { throw Crash() } }.renew(now: now)
    }
    let (old, new) = (hub.authority.root, try TestAuthority().root)
    #expect(try store.trust(try [new, old].map { try Certificate(der: $0) }))
    // Which of them the hub shows when it is asked next, nobody knows.
    let identity = try #require(try store.identity())
    let candidate = try #require(try store.renewal(of: identity, now: now)?.candidate)
    #expect(Set(candidate.roots.map(\.der)) == [old, new])
    hub.state.withLock { $0.roots = [new, old] }
    let (renewed, _) = try await Renewer(store: store, hub: hub).renew(now: now)
    #expect(renewed.certificate != identity.certificate && renewed.roots.map(\.der) == [new, old])
    try store.settleRenewal()
    #expect(try store.identity()?.roots.map(\.der) == [new, old])
  }

  @Test func `a lost answer is asked for again with the same key`() async throws {
    let (store, hub) = try await enrolled()
    hub.state.withLock { $0.losesAnswers = 2 }
    for _ in 0..<2 {
      await #expect(throws: RenewalError.unavailable(reason: "The connection was lost.", hint: nil)) {
        try await Renewer(store: store, hub: hub).renew(now: now)
      }
      #expect(try keys(store).count == 2)
    }
    _ = try await Renewer(store: store, hub: hub).renew(now: now)
    try store.settleRenewal()
    #expect(try keys(store).count == 1)
  }

  @Test func `a new certificate that the hub does not accept is dropped, and the old identity stays`() async throws {
    let (store, hub) = try await enrolled()
    let old = try #require(try store.identity())
    await #expect(throws: Crash.self) {
      try await Renewer(store: store, hub: hub) { if $0 == .stored { throw Crash() } }.renew(now: now)
    }
    hub.state.withLock { _ = $0.issued.removeLast() }
    await #expect(throws: RenewalError.refused(reason: "superseded")) {
      try await Renewer(store: store, hub: hub).renew(now: now)
    }
    #expect(try store.identity()?.certificate == old.certificate)
    #expect(!store.hasRenewal)
    _ = try await Renewer(store: store, hub: hub).renew(now: now)
  }

  @Test func `a revoked install keeps its identity and is told`() async throws {
    let (store, hub) = try await enrolled()
    hub.state.withLock { $0.isRevoked = true }
    await #expect(throws: RenewalError.refused(reason: "superseded")) {
      try await Renewer(store: store, hub: hub).renew(now: now)
    }
    #expect(try store.identity() != nil)
  }

  @Test func `a renewal of another install's certificate is dropped`() async throws {
    let (store, hub) = try await enrolled()
    await #expect(throws: Crash.self) {
      try await Renewer(store: store, hub: hub) { if $0 == .stored { throw Crash() } }.renew(now: now)
    }
    let text = try Files.readText(store.directory + "/renewal.json")
    let other = text.replacingOccurrences("install-1", "install-2")
    try Files.replace(store.directory + "/renewal.json", with: other.utf8)
    let (renewed, _) = try await Renewer(store: store, hub: hub).renew(now: now)
    #expect(renewed.installID == "install-1")
    #expect(hub.state.withLock { $0.requests } == 2)
  }

  @Test(arguments: [
    "", "{",
    #"{"version":1,"install":"install-1","from":"00","key":"../identity.json","oldKey":"../identity.json"}"#,
  ])
  func `a renewal that cannot be read is begun anew`(text: String) async throws {
    let (store, hub) = try await enrolled()
    try Files.replace(store.directory + "/renewal.json", with: text.utf8)
    _ = try await Renewer(store: store, hub: hub).renew(now: now)
    try store.settleRenewal()
    #expect(try keys(store).count == 1)
  }

  @Test func `a certificate that has ended while it waited to be used is dropped`() async throws {
    let (store, hub) = try await enrolled()
    await #expect(throws: Crash.self) {
      try await Renewer(store: store, hub: hub) { if $0 == .stored { throw Crash() } }.renew(now: now)
    }
    _ = try await Renewer(store: store, hub: hub).renew(now: now + 91 * 86_400)
    #expect(hub.state.withLock { $0.requests } == 2)
  }

  @Test func `the key of an enrolment that another process has just begun is left alone`() async throws {
    let (store, hub) = try await enrolled()
    let foreign = "key-0123456789abcdef.pem"
    try Files.replace(store.directory + "/" + foreign, with: Array("of another process".utf8), mode: 0o600)
    _ = try await Renewer(store: store, hub: hub).renew(now: now)
    try store.settleRenewal()
    #expect(try keys(store).count == 2 && keys(store).contains(foreign))
  }

  @Test func `an enrolment leaves the key of a renewal alone that has just begun`() async throws {
    let (store, hub) = try await enrolled()
    await #expect(throws: Crash.self) {
      try await Renewer(store: store, hub: hub) { if $0 == .key { throw Crash() } }.renew(now: now)
    }
    _ = try store.makeKey()
    #expect(try keys(store).count == 3)
  }

  @Test func `an enrolment that was made meanwhile wins`() async throws {
    let (store, hub) = try await enrolled()
    let enrolments = try MemoryHub()
    await #expect(throws: EnrolmentError.self) {
      try await Renewer(store: store, hub: hub) { step in
        guard step == .used else { return }
        // As another process would, in between.
        let text = try Files.readText(store.directory + "/identity.json")
        let renewal = try Files.readText(store.directory + "/renewal.json")
        #expect(text != renewal)
        var other = try #require(try store.identity())
        other.installID = "install-9"
        other.chain = try [
          Certificate(
            der: enrolments.authority.issue(CertificateRequest(key: other.key, commonName: "x").der, name: "install-9"))
        ]
        let key = try keys(store).first { text.contains($0) }
        try store.store(other, keyFile: try #require(key))
      }.renew(now: now)
    }
    #expect(try store.identity()?.installID == "install-9")
    #expect(!store.hasRenewal)
  }

  static let falsehoods: [(String, @Sendable (inout RenewalAnswer) -> Void)] = [
    ("no certificate", { $0.chain = [] }),
    ("no root", { $0.roots = [] }),
    ("a certificate for another key", { $0.chain = $0.roots }),
    ("garbage for a certificate", { $0.chain[0] = [1, 2, 3] }),
    ("garbage for a root", { $0.roots = [[]] }),
  ]

  @Test(arguments: falsehoods.indices)
  func `an answer that does not fit together is not believed`(index: Int) async throws {
    let (store, hub) = try await enrolled(falsify: Self.falsehoods[index].1)
    let old = try #require(try store.identity())
    let error = await #expect(throws: RenewalError.self) {
      try await Renewer(store: store, hub: hub).renew(now: now)
    }
    guard case .unusableAnswer? = error else {
      Issue.record("\(Self.falsehoods[index].0): \(String(describing: error))")
      return
    }
    #expect(try store.identity()?.certificate == old.certificate)
  }

  @Test func `other roots are trusted from then on, and the certificate stays`() async throws {
    let (store, _) = try await enrolled()
    let identity = try #require(try store.identity())
    let second = try Certificate(der: try TestAuthority().root)
    #expect(try store.trust([second] + identity.roots))
    #expect(try !store.trust([second] + identity.roots))
    #expect(try !store.trust([]))
    #expect(try store.identity()?.roots == [second] + identity.roots)
    #expect(try store.identity()?.certificate == identity.certificate)
  }

  // MARK: Helpers

  private let now = Machine.milliseconds / 1000

  private func keys(_ store: IdentityStore) throws -> [String] {
    try Files.names(in: store.directory).filter { $0.hasPrefix("key-") }
  }

  /// A store with an identity, and a hub that knows it.
  private func enrolled(
    falsify: @escaping @Sendable (inout RenewalAnswer) -> Void = { _ in }
  ) async throws -> (IdentityStore, MemoryRenewalHub) {
    let path = "/tmp/printtrail-tests/renewal-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(path)
    let store = IdentityStore(stateDirectory: path)
    let enrolments = try MemoryHub()
    let journal = JournalReference(
      id: [UInt8](repeating: 1, count: 16), publicKey: try Ed25519PrivateKey().publicKey)
    let code = try #require(DataLinkCode("0123456789ABCDEF01234567"))
    _ = try await Enroller(store: store, service: enrolments).enrol(
      code: code, journal: journal,
      machine: MachineDescription(hostName: "print-server", operatingSystem: "Debian", agentVersion: "1"))
    try store.settle()
    return (store, MemoryRenewalHub(enrolments.authority, falsify: falsify))
  }
}

extension String {
  fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
    split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}
