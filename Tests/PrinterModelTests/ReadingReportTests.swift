// What `ptagent read` prints.

internal import Foundation
internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Reading report")
struct ReadingReportTests {
  private func report(_ name: String) throws -> ReadingReport {
    ReadingReport(Interpretation.read(try Fixtures.walk(name)))
  }

  @Test func `a meter stands with its object, raw value, unit, rule and reason`() throws {
    let line = try #require(try report("colour-mfp").text.split(separator: "\n").first { $0.contains("10000") })
    for part in [
      "total", "10000 impressions", "exact", "1.3.6.1.4.1.1347.43.10.1.1.12.1.1", "INTEGER 10000",
      "kyocera/printed-pages@1", "because:",
    ] {
      #expect(line.contains(part), "\(part)")
    }
  }

  @Test func `unknown is shown as unknown, never as a number`() throws {
    let text = try report("colour-mfp").text
    let cyan = try #require(text.split(separator: "\n").first { $0.contains("Cyan Toner") })
    #expect(cyan.contains("some remaining") && !cyan.contains("%"))
    let nonsense = try report("nonsense").text
    #expect(!nonsense.contains("-100 %") && nonsense.contains("unknown"))
  }

  @Test(arguments: Fixtures.names)
  func `the JSON is JSON, with null where nothing is known`(name: String) throws {
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(try report(name).json.utf8)) as? [String: Any])
    #expect(object.keys.count == 11)
    let supplies = JSON(object["supplies"]).array
    for supply in supplies where supply["quality"].string == "unknown" || supply["quality"].string == "someRemaining" {
      #expect(supply["percentRemaining"].isNull)
    }
  }

  @Test func `control characters of a device do not reach the terminal`() {
    var reading = Reading()
    reading.identity.hostName = DeviceText("a\u{1B}[31mb\nc")
    let report = ReadingReport(reading)
    #expect(!report.text.contains("\u{1B}"))
    #expect(report.json.contains("\\u001b"))
  }
}
