import AgentCore
import Collectors
import Discovery
import Logging
import Settings
import Synchronization
import Testing

@Suite struct SweepLogTests {
  private let lines = LineLogHandlerTests.Lines()

  private func log() -> SweepLog {
    let lines = lines
    return SweepLog(
      Logger(label: "test") { _ in
        LineLogHandler(format: .logfmt, level: .info, now: { 0 }, emit: { lines.add($0) })
      })
  }

  private func result(_ number: UInt32, _ reason: SweepReason, _ detail: String, hasAnswered: Bool = true)
    -> AddressResult
  {
    var result = AddressResult(address: IPv4Address(0x0a00_0000 + number), reason: reason, detail: detail)
    result.hasAnswered = hasAnswered
    return result
  }

  @Test func `what answers and is not found is logged with its address and the reason, and nothing else is`() {
    let log = log()
    log.began()
    log.settled(result(1, .wrongCredential, "v3: unknown user name"))
    log.settled(result(2, .notAPrinter, "no rows"))
    log.settled(result(3, .noAnswer, "only answers with other request ids (2)"))
    log.settled(result(4, .noAnswer, "no answer", hasAnswered: false))
    log.settled(result(5, .found, "rows"))
    log.settled(result(6, .excluded, "excluded", hasAnswered: false))
    log.ended()
    #expect(lines.all.withLock { $0.count } == 3)
    #expect(
      lines.text.contains(
        "level=notice msg=\"an address refuses the credentials\" address=10.0.0.1 detail=\"v3: unknown"))
    #expect(lines.text.contains("address=10.0.0.2 detail=\"no rows\""))
    #expect(lines.text.contains("address=10.0.0.3 detail=\"only answers"))
  }

  @Test func `a sweep logs a bounded number of lines and says how many more there were, and the next begins anew`() {
    let log = log()
    log.began()
    for number in 1...UInt32(SweepLog.linesMax + 7) { log.settled(result(number, .notAPrinter, "no rows")) }
    log.ended()
    #expect(lines.all.withLock { $0.count } == SweepLog.linesMax + 1)
    #expect(lines.text.hasSuffix("addresses=7\n"))
    log.began()
    log.settled(result(1, .notAPrinter, "no rows"))
    log.ended()
    #expect(lines.all.withLock { $0.count } == SweepLog.linesMax + 2)
  }
}
