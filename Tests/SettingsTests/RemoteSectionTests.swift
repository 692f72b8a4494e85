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

  @Test func `knows where technicians' sessions go`() throws {
    let hub = "[hub]\ncsr = \"h:1\"\nca_pin = \"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"\n"
    #expect(try AgentConfiguration.parse(hub, file: "x").hub?.remotetechnician == nil)
    let named = try AgentConfiguration.parse(hub + "remotetechnician = \"r.example:6001\"", file: "x")
    #expect(named.hub?.remotetechnician == HostAndPort("r.example:6001"))
  }
}
