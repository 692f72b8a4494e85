import Platform
import Settings
import Testing

@Suite struct RemoteSectionTests {
  private func remote(_ text: String) throws(ConfigurationProblems) -> RemoteSettings {
    try AgentConfiguration.parse("[remote]\n" + text, file: "x").remote
  }

  @Test func `is off unless the file says otherwise`() throws {
    let settings = try AgentConfiguration.parse("", file: "x").remote
    #expect(!settings.isEnabled && settings.ports == [80, 443, 631] && settings.timeLimit == .seconds(1_800))
    #expect(settings.exclusions.isEmpty && settings.oldTLS.isEmpty && settings.allowedAddresses.isEmpty)
    #expect(try remote("enabled = true").isEnabled)
  }

  @Test func `is never a hub's to set`() {
    #expect(!SettingKey.all.contains { $0.name.hasPrefix("remote.") || $0.name.hasPrefix("hub.") })
  }

  @Test(arguments: [
    "ports = [9100]", "ports = []", "ports = [0]", "ports = [1,2,3,4,5,6,7,8,9]", "time_limit = \"31m\"",
    "time_limit = \"10s\"", "sessions_max = 21", "sessions_max = 0", "exclude = [\"?\"]", "exclude = [\"10.0.0.0/99\"]",
    "allow_addresses = [\"printer.example\"]", "enabled = 1", "requests_max = 0", "bytes_max = \"1B\"",
  ]) func `refuses what is beyond its limits`(text: String) {
    #expect(throws: ConfigurationProblems.self) { try remote(text) }
  }

  @Test func `names devices in four ways`() throws {
    let settings = try remote("old_tls = [\"10.0.0.0/24\", \"00:11:22:33:44:55\", \"VCF9Z01234\", \"0011223344\"]")
    #expect(settings.oldTLS.count == 4)
    guard case .addresses? = settings.oldTLS.first, case .mac([0, 0x11, 0x22, 0x33, 0x44, 0x55]) = settings.oldTLS[1],
      case .named = settings.oldTLS[2]
    else { return #expect(Bool(false), "\(settings.oldTLS)") }
  }

  /// What is not understood excludes nothing: the site would believe that it did.
  @Test(arguments: [
    "00:11:22:33:44", "00:11:22:33:44:5g", "00:11:22:33:44:55:66", "00-11-22-33-44", "00-11-22-33-44-5g",
    "00:11-22-33-44-55", "001a.2b33.4455", ":", "fe80::1", "10.0.0.0/99", "10.0.0.x", "10.0.0", "VC", "", " VCF9Z01234",
    "VCF9Z  1234", "VCF9Z01234\\t", "VCF9Z\u{e9}1234", "VCF9Z#1234", "*",
  ]) func `refuses to exclude what names no device`(word: String) throws {
    let error = #expect(throws: ConfigurationProblems.self) { try remote("exclude = [\"\(word)\"]") }
    let problem = try #require(error?.problems.first)
    #expect(error?.problems.count == 1 && problem.key == "remote.exclude[0]")
    if word.contains(":") { #expect(problem.expected.hasPrefix("a MAC address of six pairs"), "\(problem)") }
    #expect(throws: ConfigurationProblems.self) { try remote("old_tls = [\"\(word)\"]") }
  }

  @Test(arguments: [
    "VCF9Z01234", "ABC", "VNB3K-12345", "12 34/A", "A_1.2", "00-11-22", "a8:BB:cc:0d:0e:0f", "10.0.0.1-10.0.0.9",
  ]) func `takes what a device may be named by`(word: String) throws {
    #expect(try remote("exclude = [\"\(word)\"]").exclusions.count == 1)
  }

  @Test func `knows where technicians' sessions go`() throws {
    let hub = "[hub]\ncsr = \"h:1\"\nca_pin = \"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"\n"
    #expect(try AgentConfiguration.parse(hub, file: "x").hub?.remotetechnician == nil)
    let named = try AgentConfiguration.parse(hub + "remotetechnician = \"r.example:6001\"", file: "x")
    #expect(named.hub?.remotetechnician == HostAndPort("r.example:6001"))
  }
}
