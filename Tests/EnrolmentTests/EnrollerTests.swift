// Enrolment against a csr in memory: the happy path, each crash between two steps, and answers that must not be believed.

import Enrolment
import OpenSSL
import Platform
import Synchronization
import Testing

/// csr as its proto says: the same enrolment id and key give the same install; a code is good for one enrolment.
final class MemoryHub: EnrolmentService {
  struct State {
    var codes: Set<String> = ["0123456789ABCDEF01234567"]
    var installs: [[UInt8]: (id: String, pin: PublicKeyPin, code: String)] = [:]
    var requests = 0
    var losesAnswers = 0
  }

  let hub = "hub.test:7443"
  let authority: TestAuthority
  let state = Mutex(State())
  /// What the answer becomes before it is given.
  let falsify: @Sendable (inout EnrolmentAnswer) -> Void

  init(falsify: @escaping @Sendable (inout EnrolmentAnswer) -> Void = { _ in }) throws {
    authority = try TestAuthority()
    self.falsify = falsify
  }

  func enrol(_ request: EnrolmentRequest) async throws(EnrolmentError) -> EnrolmentAnswer {
    let certificate: [UInt8]
    let pin: PublicKeyPin
    do {
      pin = try Certificate(der: authority.issue(request.certificateRequest.der, name: "probe")).pin
    } catch { throw .requestRefused(hub: hub, reason: "\(error)") }
    let install = state.withLock { state -> String? in
      state.requests += 1
      if let known = state.installs[request.enrolmentID] {
        return known.pin == pin && known.code == request.code.digits ? known.id : nil
      }
      guard state.codes.remove(request.code.digits) != nil else { return nil }
      let id = "install-\(state.installs.count + 1)"
      state.installs[request.enrolmentID] = (id, pin, request.code.digits)
      return id
    }
    guard let install else { throw .codeRefused(hub: hub, reason: "used up") }
    do { certificate = try authority.issue(request.certificateRequest.der, name: install) } catch {
      throw .requestRefused(hub: hub, reason: "\(error)")
    }
    let isLost = state.withLock { state in
      guard state.losesAnswers > 0 else { return false }
      state.losesAnswers -= 1
      return true
    }
    if isLost { throw .unreachable(hub: hub, reason: "The connection was lost.") }
    var answer = EnrolmentAnswer(
      installID: install, entity: "Acme", chain: [certificate], roots: [authority.root], dcamAddress: "hub.test:7444",
      hcAddress: "")
    falsify(&answer)
    return answer
  }
}

@Suite struct EnrollerTests {
  struct Crash: Error {}

  let code = DataLinkCode("0123-4567-89ab-cdef-0123-4567")

  @Test func `an enrolment makes an identity that is there after a restart`() async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    let identity = try await enrol(store, hub)
    try store.settle()
    #expect(identity.installID == "install-1")
    #expect(identity.dcam == HostAndPort("hub.test:7444"))
    #expect(identity.hc == nil)
    let restored = try #require(try store.identity())
    #expect(restored.installID == identity.installID)
    #expect(restored.certificate == identity.certificate)
    #expect(restored.certificate.matches(restored.key))
    #expect(restored.roots.map(\.der) == [hub.authority.root])
    #expect(try store.pending() == nil)
  }

  @Test func `keys and identity can be read by their owner only`() async throws {
    let store = IdentityStore(stateDirectory: try scratch())
    _ = try await enrol(store, try MemoryHub())
    #expect(Files.mode(of: store.directory) == 0o700)
    for name in try Files.names(in: store.directory) {
      #expect(Files.mode(of: store.directory + "/" + name) == 0o600, "\(name)")
    }
  }

  @Test(arguments: Enroller<MemoryHub>.Step.allCases)
  func `a crash after any step is survived, with one install and one use of the code`(
    step: Enroller<MemoryHub>.Step
  ) async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    await #expect(throws: Crash.self) {
      try await enrol(store, hub) { if $0 == step { throw Crash() } }
    }
    // The next process finds only the disk.
    let restarted = IdentityStore(stateDirectory: Files.parent(of: store.directory))
    let identity = try await enrol(restarted, hub)
    #expect(identity.installID == "install-1")
    #expect(hub.state.withLock { $0.installs.count } == 1)
    #expect(try restarted.hasUnjournalledIdentity())
    try restarted.settle()
    #expect(try !restarted.hasUnjournalledIdentity())
    #expect(try Files.names(in: restarted.directory).filter { $0.hasPrefix("key-") }.count == 1)
  }

  @Test func `a lost answer is asked for again without another use of the code`() async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    hub.state.withLock { $0.losesAnswers = 3 }
    for _ in 0..<3 {
      await #expect(throws: EnrolmentError.unreachable(hub: hub.hub, reason: "The connection was lost.")) {
        try await enrol(store, hub)
      }
    }
    #expect(try await enrol(store, hub).installID == "install-1")
    #expect(hub.state.withLock { $0.requests } == 4)
  }

  @Test func `a machine whose answer was lost gets in with another code as well`() async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    hub.state.withLock { $0.losesAnswers = 1 }
    await #expect(throws: EnrolmentError.self) { try await enrol(store, hub) }
    let other = try #require(DataLinkCode("89ABCDEF0123456789ABCDEF"))
    hub.state.withLock { _ = $0.codes.insert(other.digits) }
    let identity = try await enrol(store, hub, code: other)
    #expect(identity.installID == "install-2")
    try store.settle()
    #expect(try Files.names(in: store.directory).filter { $0.hasPrefix("key-") }.count == 1)
  }

  @Test func `a machine that is enrolled is not enrolled again by mistake, but is when asked to`() async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    _ = try await enrol(store, hub)
    try store.settle()
    await #expect(throws: EnrolmentError.enrolledAlready(installID: "install-1", entity: "Acme")) {
      try await enrol(store, hub)
    }
    hub.state.withLock { _ = $0.codes.insert("0123456789ABCDEF01234567") }
    #expect(try await enrol(store, hub, isAgain: true).installID == "install-2")
    try store.settle()
    #expect(try store.identity()?.installID == "install-2")
    #expect(try Files.names(in: store.directory).filter { $0.hasPrefix("key-") }.count == 1)
  }

  @Test func `a refused new enrolment leaves the old identity in place`() async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    _ = try await enrol(store, hub)
    try store.settle()
    await #expect(throws: EnrolmentError.self) { try await enrol(store, hub, isAgain: true) }
    #expect(try store.identity()?.installID == "install-1")
  }

  static let falsehoods: [(String, @Sendable (inout EnrolmentAnswer) -> Void)] = [
    ("no certificate", { $0.chain = [] }),
    ("no root", { $0.roots = [] }),
    ("a certificate for another key", { $0.chain = $0.roots }),
    ("a certificate for another install", { $0.installID = "install-9" }),
    ("garbage for a certificate", { $0.chain[0] = [1, 2, 3] }),
    ("garbage for an address", { $0.dcamAddress = "nowhere" }),
  ]

  @Test(arguments: falsehoods.indices)
  func `an answer that does not fit together is not believed, and nothing is stored`(index: Int) async throws {
    let store = IdentityStore(stateDirectory: try scratch())
    let hub = try MemoryHub(falsify: Self.falsehoods[index].1)
    let error = await #expect(throws: EnrolmentError.self) { try await enrol(store, hub) }
    guard case .unusableAnswer = error else {
      Issue.record("\(Self.falsehoods[index].0): \(String(describing: error))")
      return
    }
    #expect(try store.identity() == nil)
  }

  @Test func `an identity that cannot be read is an error, not a machine that was never enrolled`() async throws {
    let store = IdentityStore(stateDirectory: try scratch())
    _ = try await enrol(store, try MemoryHub())
    try Files.replace(store.directory + "/identity.json", with: Array("{".utf8))
    #expect(throws: EnrolmentError.self) { try store.identity() }
  }

  @Test(arguments: ["identity.json", "pending.json"])
  func `who enrols again gets past what cannot be read, which is kept`(file: String) async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    _ = try await enrol(store, hub)
    try store.settle()
    hub.state.withLock { _ = $0.codes.insert("0123456789ABCDEF01234567") }
    try Files.replace(store.directory + "/" + file, with: Array("{".utf8))
    await #expect(throws: EnrolmentError.self) { try await enrol(store, hub) }
    #expect(try await enrol(store, hub, isAgain: true).installID == "install-2")
    try store.settle()
    #expect(try store.identity()?.installID == "install-2")
    #expect(Files.exists(store.directory + "/identity-unreadable.json") == (file == "identity.json"))
  }

  @Test func `an identity whose key is lost can be enrolled again`() async throws {
    let (store, hub) = (IdentityStore(stateDirectory: try scratch()), try MemoryHub())
    _ = try await enrol(store, hub)
    try store.settle()
    for key in try Files.names(in: store.directory) where key.hasPrefix("key-") {
      try Files.remove(store.directory + "/" + key)
    }
    hub.state.withLock { _ = $0.codes.insert("0123456789ABCDEF01234567") }
    #expect(throws: EnrolmentError.self) { try store.identity() }
    #expect(try await enrol(store, hub, isAgain: true).installID == "install-2")
  }

  @discardableResult
  private func enrol(
    _ store: IdentityStore, _ hub: MemoryHub, isAgain: Bool = false, code other: DataLinkCode? = nil,
    reached: @escaping @Sendable (Enroller<MemoryHub>.Step) throws -> Void = { _ in }
  ) async throws -> InstallIdentity {
    let journalKey = try Ed25519PrivateKey()
    let journal = JournalReference(id: [UInt8](repeating: 1, count: 16), publicKey: journalKey.publicKey)
    let machine = MachineDescription(hostName: "print-server", operatingSystem: "Debian", agentVersion: "1")
    return try await Enroller(store: store, service: hub, reached: reached)
      .enrol(code: try #require(other ?? code), journal: journal, machine: machine, isAgain: isAgain)
  }

  private func scratch() throws -> String {
    let path = "/tmp/printtrail-tests/enrolment-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(path)
    return path
  }
}

@Suite struct DataLinkCodeTests {
  @Test(arguments: ["0123456789ABCDEF01234567", "0123-4567-89ab-cdef-0123-4567", " 0123 4567 89AB cdef 0123 4567\n"])
  func `case, spaces and hyphens do not matter`(text: String) {
    #expect(DataLinkCode(text)?.digits == "0123456789ABCDEF01234567")
  }

  @Test(arguments: ["", "0123", "0123456789ABCDEF0123456G", "0123456789ABCDEF012345678", "٠123456789ABCDEF01234567"])
  func `anything but 24 hexadecimal digits is refused`(text: String) {
    #expect(DataLinkCode(text) == nil)
  }

  @Test func `a code does not show itself`() throws {
    let code = try #require(DataLinkCode("0123456789ABCDEF01234567"))
    #expect(!"\(code) \(String(reflecting: code))".contains("ABCDEF"))
  }
}
