import Platform
import Testing

@testable import Settings

@Suite struct MetricsSectionTests {
  private func listen(_ text: String) throws -> HostAndPort? {
    try AgentConfiguration.parse("[metrics]\nlisten = \"\(text)\"\n", file: "ptagent.toml").metrics.listen
  }

  @Test func `metrics are served nowhere unless somebody says where`() throws {
    #expect(AgentConfiguration().metrics.listen == nil)
    #expect(try AgentConfiguration.parse("[metrics]\n", file: "ptagent.toml").metrics.listen == nil)
    #expect(try listen("off") == nil)
  }

  @Test(arguments: ["127.0.0.1:1302", "127.9.8.7:80", "[::1]:1302", "localhost:1302"])
  func `an address of loopback is taken`(text: String) throws { #expect(try listen(text)?.description == text) }

  @Test(arguments: [
    "0.0.0.0:1302", "10.0.0.7:1302", "[::]:1302", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999",
    "127.0.0.1.example.org:1302",
    "127.0.0:1302", "128.0.0.1:1302", "printer:1302", ":1302", "on", "",
  ])
  func `any other is an error that says why`(text: String) {
    let failure = #expect(throws: ConfigurationProblems.self) { try listen(text) }
    #expect(failure?.description.contains("without a login") == true, "\(String(describing: failure))")
  }

  @Test func `a key that is none is told with the nearest`() {
    let failure = #expect(throws: ConfigurationProblems.self) {
      try AgentConfiguration.parse("[metrics]\nlisten_on = \"off\"\n", file: "ptagent.toml")
    }
    #expect(failure?.description.contains("listen") == true)
  }
}
