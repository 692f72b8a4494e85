import AlertRules
import Foundation
import Platform
import Testing

@testable import Settings

@Suite struct `What the console sets` {
  private let directory = NSTemporaryDirectory() + "printtrail-consolefile-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

  private func load(_ text: String, console: (inout ConsoleFile) -> Void) throws -> AgentConfiguration {
    try "[state]\ndirectory = \"\(directory)\"\n\(text)".write(
      toFile: directory + "/ptagent.toml", atomically: true, encoding: .utf8)
    var file = ConsoleFile(path: directory + "/console.toml")
    console(&file)
    try file.write()
    return try AgentConfiguration.load(directory + "/ptagent.toml")
  }

  private func key(_ name: String) throws -> SettingKey { try #require(SettingKey.named(name)) }

  @Test func `is in use where the file says nothing, and comes before the hub`() throws {
    let (interval, low) = (try key("poll.interval"), try key("alerts.low_supply"))
    let configuration = try load("[poll]\ninterval = \"7m\"\n") { file in
      file.set(interval, "\"2m\"")
      file.set(low, "12")
    }
    #expect(configuration.poll.interval == .seconds(420) && configuration.rules.thresholds.lowSupply == 12)
    let layered = try configuration.layered(
      with: SettingsSet(version: 1, values: [Setting(key: "alerts.low_supply", value: "30")]))
    #expect(layered.configuration.rules.thresholds.lowSupply == 12 && layered.overridden == ["alerts.low_supply"])
    let origins = configuration.explanation(with: nil).filter { [interval, low].contains($0.key) }.map(\.origin)
    #expect(origins == [.console, .file(line: 4)])
  }

  @Test func `names the hub and the proxy as long as the file does not`() throws {
    let pin = "sha256/" + String(repeating: "A", count: 43) + "="
    let own = try load("") { file in
      file.setHub(csr: "hub.example.org:7443", dcam: nil, hc: nil, pin: pin)
      file.setProxy(("proxy.example.org:3128", "user", "se\"cret"))
    }
    #expect(own.hub?.csr.description == "hub.example.org:7443" && own.proxy?.credentials?.password == "se\"cret")
    #expect(Files.mode(of: directory + "/console.toml") == 0o600)
    let both = try load("[hub]\ncsr = \"other.example.org:1\"\nca_pin = \"\(pin)\"\n") { file in
      file.setHub(csr: "hub.example.org:7443", dcam: nil, hc: nil, pin: pin)
    }
    #expect(both.hub?.csr.description == "other.example.org:1")
  }

  @Test func `is refused whole where anything in it is wrong`() throws {
    let site = try load("") { _ in }
    var file = ConsoleFile(path: site.consoleFilePath)
    file.set(try key("poll.interval"), "\"soon\"")
    file.setHub(csr: "no address", dcam: nil, hc: nil, pin: nil)
    let problems = #expect(throws: ConfigurationProblems.self) { try site.joined(with: file) }
    #expect(problems?.problems.map(\.key).contains("poll.interval") == true)
    // What no console may set is no setting of it, either.
    try "[journal]\nsize_max = \"2GiB\"\n".write(toFile: site.consoleFilePath, atomically: true, encoding: .utf8)
    #expect(throws: ConfigurationProblems.self) { try AgentConfiguration.load(directory + "/ptagent.toml") }
  }

  @Test func `is gone once nothing is set any more`() throws {
    let low = try key("alerts.low_supply")
    _ = try load("") { $0.set(low, "12") }
    let configuration = try load("") { file in
      file.set(low, "12")
      file.set(low, nil)
    }
    #expect(configuration.source?.console == nil && !Files.exists(directory + "/console.toml"))
  }

  @Test(arguments: [
    "listen = \"0.0.0.0:1301\"", "listen = \"print-srv:1301\"", "listen = \"127.0.0.1\"", "listen = 1301",
    "certificate = \"c.pem\"",
    "key = \"k.pem\"", "hosts = \"a\"", "hosts = [\"a b\"]", "enabled = \"yes\"", "pasword_file = \"x\"",
    "password_file = \"\"",
  ])
  func `a wrong key of the console's table is told`(line: String) {
    #expect(throws: ConfigurationProblems.self) {
      try AgentConfiguration.parse("[console]\n\(line)\n", file: directory + "/ptagent.toml")
    }
  }
}
