// What a diagnostics archive holds, and what it never does.

import Discovery
import FoundationEssentials
import Journal
import Platform
import SNMP
import Settings
import Testing
import Zlib

@testable import AgentCore

@Suite struct DiagnosticsArchiveTests {
  private static let secrets = [
    "s3cr3t-c0mmunity", "auth-pa\"ss\\word", "priv/pass word", "pr0xy-pässword", "another-community",
  ]

  private func directory() throws -> String {
    let directory = "/tmp/printtrail-tests/diagnostics-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(directory)
    return directory
  }

  private func configuration(_ directory: String) throws -> AgentConfiguration {
    func bytes(_ index: Int) -> [UInt8] { Array(Self.secrets[index].utf8) }
    var configuration = AgentConfiguration()
    configuration.state.directory = directory
    configuration.journal.directory = directory + "/journal"
    configuration.credentials["site"] = NamedCredential(
      name: "site", credential: .community(version: .v2c, community: bytes(0)))
    configuration.credentials["old"] = NamedCredential(
      name: "old", credential: .community(version: .v1, community: bytes(4)))
    let user = try USMUser(
      name: "reader", authentication: .init(.sha256, password: bytes(1)), privacy: .init(.aes128, password: bytes(2)))
    configuration.credentials["office"] = NamedCredential(name: "office", credential: .user(user))
    configuration.proxy = ProxySettings(
      address: try #require(HostAndPort("proxy:3128")), credentials: .init(user: "pt", password: Self.secrets[3]))
    return configuration
  }

  /// The files of an archive, by their names without the directory.
  private func unpacked(_ archive: [UInt8]) throws -> [String: [UInt8]] {
    let tar = try Inflater(.gzip).inflate(archive[...], bytesMax: 64 << 20)
    var files: [String: [UInt8]] = [:]
    var place = 0
    while place + 512 <= tar.count, tar[place] != 0 {
      let header = Array(tar[place..<place + 512])
      func text(_ range: Range<Int>) -> String { String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self) }
      var blank = header
      blank.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
      #expect(Int(text(148..<154), radix: 8) == blank.reduce(0) { $0 + Int($1) }, "the header's sum")
      #expect(text(257..<262) == "ustar")
      let size = try #require(Int(text(124..<135), radix: 8))
      let name = try #require(text(0..<100).split(separator: "/").last)
      files[String(name)] = Array(tar[place + 512..<place + 512 + size])
      place += 512 + (size + 511) / 512 * 512
    }
    #expect(tar.count == place + 1_024 && tar[place...].allSatisfy { $0 == 0 })
    return files
  }

  private func excerpt(_ events: [String]) -> JournalExcerpt {
    var excerpt = JournalExcerpt(trouble: "the disk said \(Self.secrets[0])")
    excerpt.events = events
    return excerpt
  }

  @Test func `an archive has the files that it is documented to have, and each can be read`() throws {
    let place = try directory()
    let archive = DiagnosticsArchive(try configuration(place), status: try StatusTests.sample(), now: 1_772_352_900_000)
    #expect(archive.name == "ptagent-diagnostics-2026-03-01T081500Z")
    let files = try unpacked(try archive.packed(excerpt(["an event"])))
    #expect(
      Set(files.keys) == [
        "versions.json", "status.txt", "status.json", "configuration.json", "journal.json", "events.txt", "log.txt",
      ])
    for (name, bytes) in files where name.hasSuffix(".json") {
      #expect(throws: Never.self, "\(name)") { try JSONDecoder().decode([String: Anything].self, from: Data(bytes)) }
    }
    #expect(files["events.txt"] == Array("an event\n".utf8))
  }

  private struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
  }

  @Test func `no secret is in any byte of it, whatever was logged, recorded or said, and in whatever form`() throws {
    let place = try directory()
    let configuration = try configuration(place)
    let tail = LogTail()
    tail.add("before the directory was there: \(Self.secrets[1])\n")
    tail.keep(in: place)
    for secret in Self.secrets {
      tail.add("msg=\"it failed\" reason=\"\(secret)\"\n")
      tail.add(LineLogHandler.json([("reason", secret)]))
      tail.add(LineLogHandler.logfmt([("reason", secret)]))
      tail.add("Proxy-Authorization: Basic \(Data(secret.utf8).base64EncodedString())\n")
    }
    let status = try StatusTests.sample(.failed, remedy: Self.secrets[0])
    let bytes = try DiagnosticsArchive(configuration, status: status).packed(excerpt(Self.secrets))
    let files = try unpacked(bytes)
    #expect(files["log.txt"]?.isEmpty == false && files["events.txt"]?.isEmpty == false)
    let whole = files.values.flatMap { $0 } + bytes
    let text = String(decoding: whole, as: UTF8.self)
    for secret in Self.secrets {
      let escaped = secret.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      for form in [secret, escaped, Data(secret.utf8).base64EncodedString()] {
        #expect(!text.contains(form), "\(form)")
      }
    }
    #expect(text.contains("(redacted)"))
    // And the words that are no secret are there.
    let told = String(decoding: files["configuration.json"] ?? [], as: UTF8.self)
    for word in ["site", "office", "SNMPv3 user", "proxy:3128 as pt"] { #expect(told.contains(word), "\(word)") }
  }

  @Test func `a secret within another leaves nothing of either`() {
    let mask = SecretMask([Array("abc".utf8), Array("abcdef".utf8)])
    #expect(String(decoding: mask.masked(Array("xabcdefx abc ab".utf8)), as: UTF8.self) == "x(redacted)x (redacted) ab")
    #expect(SecretMask([]).masked([1, 2]) == [1, 2] && SecretMask([[]]).masked([1, 2]) == [1, 2])
  }

  @Test func `a journal that is not there or cannot be read is told in the archive`() throws {
    let reader = JournalExcerpt(trouble: "Reading the journal ended with signal(7): it is damaged.")
    let archive = DiagnosticsArchive(try configuration(try directory()), status: nil)
    let files = try unpacked(try archive.packed(reader))
    #expect(String(decoding: files["journal.json"] ?? [], as: UTF8.self).contains("it is damaged"))
    #expect(String(decoding: files["status.txt"] ?? [], as: UTF8.self).contains("has not run"))
  }

  @Test func `the file of the log never grows beyond twice its size, and keeps the newest`() throws {
    let path = try directory() + "/recent.log"
    let file = RollingFile(path, bytesMax: 1_000)
    for number in 0..<500 { file.append(Array("line \(number)\n".utf8)) }
    let kept = RollingFile.read(path)
    #expect(kept.count <= 2_000 && kept.count > 1_000)
    #expect(String(decoding: kept, as: UTF8.self).hasSuffix("line 499\n"))
    #expect(Files.mode(of: path) == 0o600)
    // Another process goes on where this one ended.
    RollingFile(path, bytesMax: 1_000).append(Array("again\n".utf8))
    #expect(String(decoding: RollingFile.read(path), as: UTF8.self).hasSuffix("line 499\nagain\n"))
  }
}
