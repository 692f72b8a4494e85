internal import Crypto
internal import Foundation
@testable internal import HubServer
internal import Logging
internal import SwiftASN1
internal import TestPrograms
internal import Testing
internal import X509

@Suite struct AuthorityTests {
  private func authority(_ clock: TestClock = TestClock()) throws -> (TestDirectory, HubDirectory, CertificateAuthority)
  {
    let place = try TestDirectory()
    let directory = try HubDirectory.create(
      at: place.path + "/hub", names: ["hub.example.org", "192.0.2.7"], clock: clock.clock)
    return (place, directory, directory.authority.with(clock: clock.clock))
  }

  /// Runs the openssl command and returns what it printed.
  private func openssl(_ arguments: String...) async throws -> String {
    let command = try await ChildProgram.running("/usr/bin/openssl", arguments)
    return command.output + command.errors + "exit \(command.status)"
  }

  @Test func `openssl verifies a client certificate for clients and not for servers`() async throws {
    let (place, directory, authority) = try authority()
    let agent = TestAgent(root: authority.rootDER)
    let issued = try authority.issueClient(install: "install-1", request: try CheckedRequest(der: try agent.request()))
    let file = place.path + "/client.der"
    try Data(issued.der).write(to: URL(fileURLWithPath: file))
    let pem = place.path + "/client.pem"
    _ = try await openssl("x509", "-inform", "der", "-in", file, "-out", pem)
    #expect(
      try await openssl("verify", "-x509_strict", "-CAfile", directory.path + "/ca.pem", "-purpose", "sslclient", pem)
        .contains("OK\nexit 0"))
    #expect(
      !(try await openssl("verify", "-CAfile", directory.path + "/ca.pem", "-purpose", "sslserver", pem)).contains(
        "exit 0"))
    #expect(try await openssl("x509", "-in", pem, "-noout", "-subject").contains("CN = install-1"))
  }

  @Test func `openssl verifies the server certificate for every name and for no other`() async throws {
    let (place, directory, _) = try authority()
    _ = try ServerIdentity(
      directory: directory, extraNames: [.address([10, 0, 0, 9])], clock: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let (root, server) = (directory.path + "/ca.pem", directory.path + "/server.pem")
    for name in ["hub.example.org", "localhost"] {
      #expect(
        try await openssl(
          "verify", "-x509_strict", "-CAfile", root, "-purpose", "sslserver", "-verify_hostname", name, server
        ).hasSuffix("exit 0"))
    }
    for address in ["192.0.2.7", "127.0.0.1", "::1", "10.0.0.9"] {
      #expect(try await openssl("verify", "-CAfile", root, "-verify_ip", address, server).hasSuffix("exit 0"))
    }
    #expect(
      !(try await openssl("verify", "-CAfile", root, "-verify_hostname", "other.example.org", server)).hasSuffix(
        "exit 0"))
    withExtendedLifetime(place) {}
  }

  @Test func `the pin is the one that openssl computes`() async throws {
    let (place, directory, authority) = try authority()
    let (key, der) = (place.path + "/key.pem", place.path + "/key.der")
    _ = try await openssl("x509", "-in", directory.path + "/ca.pem", "-pubkey", "-noout", "-out", key)
    _ = try await openssl("pkey", "-pubin", "-in", key, "-outform", "der", "-out", der)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: der))
    #expect(authority.pin == "sha256/" + Data(SHA256.hash(data: bytes)).base64EncodedString())
  }

  @Test func `secrets are their owner's alone, and one that is not is refused`() throws {
    let (place, directory, _) = try authority()
    for name in ["ca.key", "pepper", "hub.json"] {
      let mode = try FileManager.default.attributesOfItem(atPath: directory.file(name))[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: directory.file("ca.key"))
    let error = #expect(throws: HubError.self) { _ = try HubDirectory.open(at: directory.path) }
    #expect(error?.kind == .permission)
    withExtendedLifetime(place) {}
  }

  @Test func `a request of another key type is refused`() throws {
    for key in [
      Certificate.PrivateKey(P384.Signing.PrivateKey()), Certificate.PrivateKey(Curve25519.Signing.PrivateKey()),
    ] {
      let refusal = #expect(throws: CheckedRequest.Refusal.self) {
        _ = try CheckedRequest(der: try TestAgent.request(key))
      }
      #expect(refusal?.description == "the certificate request's key is not a P-256 key")
    }
  }

  @Test func `a request with any byte changed is refused`() throws {
    let good = try TestAgent(root: []).request()
    _ = try CheckedRequest(der: good)
    // The byte before the signature's SEQUENCE counts the unused bits of its BIT STRING: where the last bit is 0 anyway,
    // 1 says the same.
    let sequences = good.indices.filter { good[$0] == 0x30 && good.count - $0 - 2 == Int(good[good.index(after: $0)]) }
    let signature = try #require(sequences.first)
    for index in good.indices where index != signature - 1 {
      var changed = good
      changed[index] ^= 0x01
      #expect(throws: CheckedRequest.Refusal.self, "byte \(index) of \(good.count)") {
        _ = try CheckedRequest(der: changed)
      }
    }
  }

  @Test func `a request cut short or too long is refused`() throws {
    let good = try TestAgent(root: []).request()
    for count in 0..<good.count {
      #expect(throws: CheckedRequest.Refusal.self) { _ = try CheckedRequest(der: good.prefix(count)) }
    }
    #expect(throws: CheckedRequest.Refusal.self) { _ = try CheckedRequest(der: good + [0]) }
    #expect(throws: CheckedRequest.Refusal.self) {
      _ = try CheckedRequest(der: [UInt8](repeating: 0x30, count: HubLimits.certificateRequestBytesMax + 1))
    }
  }

  @Test func `a client certificate is good within its days and fifteen minutes around them`() throws {
    let clock = TestClock()
    let (place, directory, authority) = try authority(clock)
    let issued = try authority.issueClient(
      install: "x", request: try CheckedRequest(der: try TestAgent(root: []).request()))
    let certificate = try Certificate(derEncoded: issued.der)
    #expect(try authority.checkClient(certificate) == issued.serial)
    clock.advance(by: HubLimits.clientValidity + .seconds(14 * 60))
    #expect(try authority.checkClient(certificate) == issued.serial)
    clock.advance(by: .seconds(120))
    #expect(throws: CertificateAuthority.ClientFault.expired(at: issued.notAfter)) {
      _ = try authority.checkClient(certificate)
    }
    withExtendedLifetime((place, directory)) {}
  }

  @Test func `a certificate of another root, and the hub's own, are not clients'`() throws {
    let (place, directory, authority) = try authority()
    let (otherPlace, _, other) = try self.authority()
    let request = try CheckedRequest(der: try TestAgent(root: []).request())
    let foreign = try Certificate(derEncoded: try other.issueClient(install: "x", request: request).der)
    #expect(throws: CertificateAuthority.ClientFault.notOurs) { _ = try authority.checkClient(foreign) }
    _ = try ServerIdentity(
      directory: directory, extraNames: [], clock: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let server = try Certificate(pemEncoded: try String(contentsOfFile: directory.file("server.pem"), encoding: .utf8))
    #expect(throws: CertificateAuthority.ClientFault.notForClients) { _ = try authority.checkClient(server) }
    withExtendedLifetime((place, otherPlace)) {}
  }

  @Test func `the server certificate is kept while it is good and made anew in the last third of its life`() throws {
    let clock = TestClock()
    let (place, directory, _) = try authority(clock)
    func pem() throws -> String { try String(contentsOfFile: directory.file("server.pem"), encoding: .utf8) }
    let identity = try ServerIdentity(
      directory: directory, extraNames: [], clock: clock.clock,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let first = try pem()
    clock.advance(by: HubLimits.serverValidity / 2)
    identity.renewIfDue()
    #expect(try pem() == first)
    clock.advance(by: HubLimits.serverValidity / 4)
    identity.renewIfDue()
    #expect(try pem() != first)
    #expect(identity.notAfter > clock.now + HubLimits.serverValidity.milliseconds - 60_000)
    // Another start keeps it; one with another name does not.
    let second = try pem()
    _ = try ServerIdentity(
      directory: directory, extraNames: [], clock: clock.clock,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    #expect(try pem() == second)
    _ = try ServerIdentity(
      directory: directory, extraNames: [.dns("new.example.org")], clock: clock.clock,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    #expect(try pem() != second)
    withExtendedLifetime(place) {}
  }
}

@Suite struct HubDirectoryTests {
  @Test func `an interrupted init goes on with what it made`() throws {
    let place = try TestDirectory()
    let path = place.path + "/hub"
    let first = try HubDirectory.create(at: path, names: [])
    try FileManager.default.removeItem(atPath: path + "/hub.json")
    let unfinished = #expect(throws: HubError.self) { _ = try HubDirectory.open(at: path) }
    #expect(unfinished?.kind == .configuration)
    let second = try HubDirectory.create(at: path, names: ["a.example.org"])
    #expect(second.authority.pin == first.authority.pin)
    #expect(try HubDirectory.open(at: path).names == ["a.example.org"])
  }

  @Test func `a hub is not made over a hub, nor among other files`() throws {
    let place = try TestDirectory()
    _ = try HubDirectory.create(at: place.path + "/hub", names: [])
    for path in [place.path + "/hub", place.path] {
      let error = #expect(throws: HubError.self) { _ = try HubDirectory.create(at: path, names: []) }
      #expect(error?.kind == .cannotCreate)
    }
  }

  @Test func `a directory of a newer format is refused`() throws {
    let place = try TestDirectory()
    _ = try HubDirectory.create(at: place.path + "/hub", names: [])
    try SecretFile.write(Array(#"{"format":3,"names":[]}"#.utf8), to: place.path + "/hub/hub.json")
    let error = #expect(throws: HubError.self) { _ = try HubDirectory.open(at: place.path + "/hub") }
    #expect(error?.kind == .configuration)
  }

  @Test func `a directory is served once at a time`() throws {
    let place = try TestDirectory()
    let directory = try HubDirectory.create(at: place.path + "/hub", names: [])
    do {
      let lock = try HubLock(directory: directory)
      let error = #expect(throws: HubError.self) { _ = try HubLock(directory: directory) }
      #expect(error?.kind == .unavailable)
      withExtendedLifetime(lock) {}
    }
    _ = try HubLock(directory: directory)
  }

  @Test func `a database is served once at a time, from whatever directory a link leads to it`() throws {
    let place = try TestDirectory()
    let (own, linking) = (place.path + "/hub", place.path + "/other")
    let directory = try HubDirectory.create(at: own, names: [])
    try FileManager.default.copyItem(atPath: own, toPath: linking)
    try FileManager.default.removeItem(atPath: linking + "/hub.sqlite")
    try FileManager.default.createSymbolicLink(
      atPath: linking + "/hub.sqlite", withDestinationPath: "../hub/hub.sqlite")
    let other = try HubDirectory.open(at: linking)
    for (first, second) in [(directory, other), (other, directory)] {
      let lock = try HubLock(directory: first)
      let error = #expect(throws: HubError.self) { _ = try HubLock(directory: second) }
      #expect(
        error?.kind == .unavailable && error?.message.contains("/hub/hub.sqlite already") == true, "\(error as Any)")
      withExtendedLifetime(lock) {}
    }
    // With a database of another program's there may be any number.
    let shared = try HubLock(directory: directory, shared: true)
    _ = try HubLock(directory: directory, shared: true)
    withExtendedLifetime(shared) {}
  }

  @Test(arguments: ["hub.example.org", "localhost", "192.0.2.1", "2001:db8::1", "a-b.c"])
  func `a name that can stand in a certificate is taken`(name: String) throws { _ = try ServerName(name) }

  @Test(arguments: [
    "", "hub.example.org:7443", "-a", "a..b", "a b", "http://x", "ü", String(repeating: "a", count: 64),
  ])
  func `a name that cannot is refused`(name: String) { #expect(throws: HubError.self) { _ = try ServerName(name) } }

  @Test(arguments: [("127.0.0.1:7443", "127.0.0.1:7443"), ("[::]:0", "[::]:0"), ("0.0.0.0:1", "0.0.0.0:1")])
  func `an endpoint is read as it is written`(text: String, shown: String) {
    #expect(Endpoint(text)?.description == shown)
  }

  @Test(arguments: [
    "", ":7443", "localhost:1", "::1:7443", "[::1]", "[127.0.0.1]:1", "127.0.0.1:70000", "127.0.0.1:-1",
  ])
  func `what is no endpoint is not read`(text: String) { #expect(Endpoint(text) == nil) }
}
