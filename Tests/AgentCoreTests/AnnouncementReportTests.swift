import AgentCore
import Discovery
import Testing

@Suite struct `Printers that announce themselves, shown` {
  /// Whoever shares the network chooses these names.
  private let hostile = AnnouncedPrinter(
    service: "_ipp._tcp", instance: "=HYPERLINK(\"http://x\")\u{1B}[2J", host: "npi.local", port: 631,
    address: IPv4Address(0xC000_0211), attributes: ["ty": "Acme, 500", "note": "+1"])

  @Test func `run nothing in a spreadsheet`() {
    let lines = AnnouncementReport.csv([hostile]).split(separator: "\r\n")
    #expect(lines.count == 2)
    #expect(lines[1].hasPrefix("192.0.2.17,_ipp._tcp,631,\"'=HYPERLINK(\"\"http://x\"\")"))
    #expect(lines[1].hasSuffix(",\"Acme, 500\",npi.local,,'+1"))
  }

  @Test func `do not move the cursor of a terminal`() {
    #expect(!AnnouncementReport.table([hostile]).contains("\u{1B}"))
    #expect(AnnouncementReport.table([]).hasPrefix("No printer announces itself"))
  }

  @Test func `are an object each in JSON`() {
    let json = AnnouncementReport.json([hostile])
    #expect(json.contains(#""address":"192.0.2.17""#) && json.contains(#"{"key":"ty","value":"Acme, 500"}"#))
    #expect(!json.contains("\u{1B}"))
  }
}
