// The change from one root to the next: the files, the chain that is shown, and who gets in meanwhile.

internal import Foundation
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import Logging
internal import SwiftASN1
internal import Synchronization
internal import TestPrograms
internal import Testing
internal import X509

@Suite(.timeLimit(.minutes(5))) struct RootsTests {
  private func directory() throws -> (TestDirectory, HubDirectory) {
    let place = try TestDirectory()
    return (place, try HubDirectory.create(at: place.path + "/hub", names: ["hub.example.org"]))
  }

  @Test func `a rotation adds a root, and a retirement leaves the new one alone`() throws {
    let (place, before) = try directory()
    #expect(!before.roots.isRotating)
    let during = try Roots.rotate(before)
    #expect(during.serving.pin == before.authority.pin && during.issuing.pin != before.authority.pin)
    #expect(during.isRotating && during.trusted.count == 2)
    #expect(throws: HubError.self) { _ = try Roots.rotate(before) }
    let opened = try HubDirectory.open(at: before.path)
    #expect(opened.roots.trusted.map(\.pin) == [during.issuing.pin, before.authority.pin])
    let after = try Roots.retire(opened)
    #expect(!after.isRotating && after.serving.pin == during.issuing.pin)
    #expect(!FileManager.default.fileExists(atPath: before.file("ca.key")))
    #expect(throws: HubError.self) { _ = try Roots.retire(opened) }
    let again = try Roots.rotate(try HubDirectory.open(at: before.path))
    #expect(again.serving.pin == during.issuing.pin && again.isRotating)
    #expect(FileManager.default.fileExists(atPath: before.file("ca-3.key")))
    withExtendedLifetime(place) {}
  }

  @Test func `a rotation that was interrupted goes on with the key that it made`() throws {
    let (place, directory) = try directory()
    let made = try CertificateAuthority.create(in: directory.path, name: "ca-2", clock: .system)
    #expect(try HubDirectory.open(at: directory.path).roots.isRotating == false)
    #expect(try Roots.rotate(directory).issuing.pin == made.pin)
    withExtendedLifetime(place) {}
  }

  @Test func `a retirement that was interrupted is finished by the next start`() throws {
    let (place, directory) = try directory()
    let key = try Data(contentsOf: URL(fileURLWithPath: directory.file("ca.key")))
    _ = try Roots.rotate(directory)
    _ = try Roots.retire(directory)
    try key.write(to: URL(fileURLWithPath: directory.file("ca.key")))
    let opened = try HubDirectory.open(at: directory.path)
    #expect(!opened.roots.isRotating && opened.authority.pin != directory.authority.pin)
    try Roots.removeRetiredKeys(opened)
    #expect(!FileManager.default.fileExists(atPath: directory.file("ca.key")))
    withExtendedLifetime(place) {}
  }

  @Test(arguments: ["{", #"{"serving":"ca","issuing":"../ca"}"#, #"{"serving":"ca","issuing":"ca-9"}"#])
  func `roots that are damaged or lack a file are refused`(text: String) throws {
    let (place, directory) = try directory()
    try text.write(toFile: directory.file(Roots.fileName), atomically: true, encoding: .utf8)
    let error = #expect(throws: HubError.self) { _ = try HubDirectory.open(at: directory.path) }
    #expect(error?.kind == .configuration)
    withExtendedLifetime(place) {}
  }

  @Test func `openssl verifies what is shown meanwhile by either root, and by no third`() async throws {
    let (place, directory) = try directory()
    let roots = try Roots.rotate(directory)
    let rotated = try HubDirectory.open(at: directory.path)
    _ = try ServerIdentity(
      directory: rotated, extraNames: [], clock: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let chain = place.path + "/chain.pem"
    let pem = try rotated.roots.servingChain.map { try Certificate(derEncoded: $0).serializeAsPEM().pemString }
    try pem.joined(separator: "\n").write(toFile: chain, atomically: true, encoding: .utf8)
    let other = place.path + "/other.pem"
    try HubDirectory.create(at: place.path + "/other", names: []).authority.rootPEM
      .write(toFile: other, atomically: true, encoding: .utf8)
    for (file, isGood) in [(directory.file("ca.pem"), true), (directory.file("ca-2.pem"), true), (other, false)] {
      let verified = try await ChildProgram.running(
        "/usr/bin/openssl",
        [
          "verify", "-x509_strict", "-CAfile", file, "-untrusted", chain, "-purpose", "sslserver", "-verify_hostname",
          "hub.example.org", directory.file("server.pem"),
        ])
      #expect((verified.status == 0) == isGood, "\(file): \(verified.output) \(verified.errors)")
    }
    #expect(roots.servingChain.count == 2)
  }

  @Test func `agents go over to the new root while the hub is served, and the old one is then refused`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (old, install) = try await hub.agent(journal)
      let before = hub.directory.authority
      let roots = try Roots.rotate(hub.directory)
      // Until the hub has noticed.
      var standing = try await hub.standing(old)
      while standing.renewalAdvised.isEmpty {
        try await Task.sleep(for: .milliseconds(100))
        standing = try await hub.standing(old)
      }
      #expect(standing.trustedRoots.map { Array($0) } == [roots.issuing.rootDER, before.rootDER])
      let clock = HubClock.system
      #expect(try await RootChange.installsLeft(of: roots, hub.store, clock: clock).map(\.id) == [install])

      // Who knows the new root only is let in as well.
      let renewed = try await hub.renew(old)
      for root in [before.rootDER, roots.issuing.rootDER] {
        var agent = old
        agent.certificate = Array(renewed.certificateChain[0])
        agent.root = root
        #expect(try await hub.standing(agent).renewalAdvised.isEmpty)
        try await hub.converse(agent) { _ = try await $0.greet(journal) }
      }
      #expect(try await RootChange.installsLeft(of: roots, hub.store, clock: clock).isEmpty)

      _ = try Roots.retire(hub.directory)
      var new = old
      new.certificate = Array(renewed.certificateChain[0])
      new.root = roots.issuing.rootDER
      var left = old
      left.root = roots.issuing.rootDER
      var refused: RPCError?
      while refused?.code != .unauthenticated {
        try await Task.sleep(for: .milliseconds(100))
        refused = try await status { [left] in _ = try await hub.standing(left) }
      }
      #expect(refused?.message.contains("not one that this hub issued") == true)
      #expect(try await hub.standing(new).trustedRoots.map { Array($0) } == [roots.issuing.rootDER])
      // What the hub shows is of the new root alone soon, and who knows the old one only is left.
      var stranded: RPCError?
      while stranded == nil {
        stranded = try await status { [renewed] in
          var agent = old
          agent.certificate = Array(renewed.certificateChain[0])
          _ = try await hub.standing(agent)
        }
      }
      #expect(try await hub.standing(new).renewalAdvised.isEmpty)
    }
  }

  @Test func `a hub that is started in between lets in who has a certificate of either root`() async throws {
    let place = try TestDirectory()
    let clock = TestClock()
    let directory = try HubDirectory.create(at: place.path + "/hub", names: [], clock: clock.clock)
    let journal = try TestJournal()
    let enrolled = Mutex<TestAgent?>(nil)
    try await TestHub.serve(directory, clock: clock) { hub in
      let agent = try await hub.agent(journal).agent
      enrolled.withLock { $0 = agent }
    }
    let old = try #require(enrolled.withLock { $0 })
    _ = try Roots.rotate(directory)
    try await TestHub.serve(try HubDirectory.open(at: directory.path), clock: clock) { hub in
      #expect(try await hub.standing(old).renewalAdvised.isEmpty == false)
      var new = old
      new.certificate = Array(try await hub.renew(old).certificateChain[0])
      #expect(try await hub.standing(new).renewalAdvised.isEmpty)
      for agent in [old, new] { try await hub.converse(agent) { _ = try await $0.greet(journal) } }
    }
    withExtendedLifetime(place) {}
  }
}
