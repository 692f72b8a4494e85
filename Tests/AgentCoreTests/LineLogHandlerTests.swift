import AgentCore
import Settings
import Logging
import Synchronization
import Testing

@Suite struct LineLogHandlerTests {
  final class Lines: Sendable {
    let all = Mutex<[String]>([])
    func add(_ line: String) { all.withLock { $0.append(line) } }
    var text: String { all.withLock { $0.joined() } }
  }

  private func log(_ format: LogSettings.Format, _ work: (inout Logger) -> Void) -> String {
    let lines = Lines()
    var logger = Logger(label: "test") { _ in
      LineLogHandler(format: format, level: .info, now: { 1_772_352_900_250 }, emit: { lines.add($0) })
    }
    work(&logger)
    return lines.text
  }

  @Test func `logfmt quotes what needs it, and only that`() {
    let text = log(.logfmt) { $0.info("a device was read", metadata: ["model": "HL 2", "address": "10.0.0.7:161"]) }
    #expect(
      text == "time=2026-03-01T08:15:00.250Z level=info msg=\"a device was read\" address=10.0.0.7:161 model=\"HL 2\"\n"
    )
  }

  @Test func `json is one object a line, with the same fields in the same order`() {
    let text = log(.json) { $0.warning("odd", metadata: ["b": "2", "a": "\"q\""]) }
    #expect(text == #"{"time":"2026-03-01T08:15:00.250Z","level":"warning","msg":"odd","a":"\"q\"","b":"2"}"# + "\n")
  }

  @Test(arguments: LogSettings.Format.allCases)
  func `a device's text cannot begin a line of its own or hide what follows`(format: LogSettings.Format) {
    let text = log(format) { $0.info("x", metadata: ["name": "a\nlevel=error\r\u{1B}[2J\u{202E}\u{2028}b"]) }
    #expect(text.filter { $0.isNewline }.count == 1)
    for scalar in ["\r", "\u{1B}", "\u{202E}", "\u{2028}"] {
      #expect(!text.unicodeScalars.contains(Unicode.Scalar(scalar)!))
    }
  }

  @Test func `values are cut where a log's reader could not bear more`() {
    let text = log(.logfmt) { $0.info("x", metadata: ["v": "\(String(repeating: "a", count: 70_000))"]) }
    #expect(text.count < LineLogHandler.valueCharactersMax + 100)
  }

  @Test func `what lies below the level is not written, and the logger's own metadata is`() {
    let text = log(.logfmt) { logger in
      logger[metadataKey: "install"] = "i1"
      logger.debug("hidden")
      logger.error("shown", metadata: ["install": "i2"])
    }
    #expect(text == "time=2026-03-01T08:15:00.250Z level=error msg=shown install=i2\n")
  }
}
