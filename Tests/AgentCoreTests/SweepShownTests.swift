import AgentCore
import Collectors
import Discovery
import PrinterModel
import Testing

@Suite struct SweepShownTests {
  private func progress(_ done: Int, _ total: Int, found: Int = 0, rate: Double = 0, left: Duration? = nil)
    -> SweepProgress
  {
    var progress = SweepProgress()
    (progress.done, progress.total, progress.found, progress.rate, progress.timeLeft) = (done, total, found, rate, left)
    return progress
  }

  @Test func `a bar shows how far, how many, how fast and how long`() {
    let bar = ProgressLine.bar(progress(50, 200, found: 7, rate: 49.6, left: .milliseconds(2_100)), width: 80)
    #expect(bar == " 50/200 [##########------------------------------] 25%  found 7  50/s  3 s left")
  }

  @Test(arguments: [0, 1, 20, 40, 60, 79, 80, 200])
  func `a bar never exceeds a terminal that has room for its numbers`(width: Int) {
    let bar = ProgressLine.bar(progress(255, 255, found: 20, rate: 123, left: .zero), width: width)
    #expect(bar.count <= max(width, 40))
    #expect(bar.contains("255/255"))
  }

  @Test(arguments: [(0, 0), (-1, 5), (9, 5)])
  func `numbers that make no sense make no crash`(done: Int, total: Int) {
    _ = ProgressLine.bar(progress(done, total), width: 80)
    _ = ProgressLine.sentence(progress(done, total))
  }

  private func results() throws -> [AddressResult] {
    let base = try #require(IPv4Address("10.0.0.1")).value
    var results = (0..<5).map {
      AddressResult(address: IPv4Address(base + UInt32($0)), reason: .noAnswer, detail: "no answer")
    }
    results[2].reason = .found
    results[2].detail = "says \"hello\", twice"
    results[2].credential = "public"
    var identity = DeviceIdentity()
    identity.model = DeviceText("X\u{1B}[2J1")
    results[2].identity = identity
    return results
  }

  @Test func `neighbours of which nothing is known share a line, and every address has a reason`() throws {
    let text = SweepReport.table(try results())
    #expect(text.contains("10.0.0.1-10.0.0.2"))
    #expect(text.contains("10.0.0.4-10.0.0.5"))
    #expect(text.contains("1 found, 4 no answer"))
    #expect(!text.contains("\u{1B}"))
  }

  @Test func `csv has a line for each address and quotes what needs it`() throws {
    let lines = SweepReport.csv(try results()).split(separator: "\r\n")
    #expect(lines.count == 6)
    #expect(lines[3].contains("\"says \"\"hello\"\", twice\""))
  }

  @Test func `json has an object for each address`() throws {
    let json = SweepReport.json(try results())
    #expect(json.hasPrefix(#"{"addresses":[{"address":"10.0.0.1","result":"no answer","detail":"no answer"},"#))
    #expect(json.contains(#""credential":"public""#))
  }
}
