@testable internal import HubServer
internal import Logging
internal import Synchronization
internal import Testing

@Suite struct DataLinkCodeTests {
  @Test func `spaces, hyphens and case do not matter`() throws {
    let code = try #require(DataLinkCode("26bae1-7c2088-be3a7b-13ae93"))
    #expect(DataLinkCode(" 26BAE17C2088 BE3A7B13AE93 ") == code)
    #expect(code.text == "26bae1-7c2088-be3a7b-13ae93")
  }

  @Test(arguments: [
    "", "26bae17c2088be3a7b13ae9", "26bae17c2088be3a7b13ae933", "g6bae17c2088be3a7b13ae93",
    String(repeating: "-", count: 10_000),
  ])
  func `anything but 24 hexadecimal digits is no code`(text: String) { #expect(DataLinkCode(text) == nil) }

  @Test func `two codes differ, and so do one code's hashes at two hubs`() throws {
    let place = try TestDirectory()
    let one = try HubDirectory.create(at: place.path + "/1", names: [])
    let two = try HubDirectory.create(at: place.path + "/2", names: [])
    let code = DataLinkCode()
    #expect(code != DataLinkCode())
    #expect(code.hash(in: one).count == 32)
    #expect(code.hash(in: one) != code.hash(in: two))
    #expect(code.hash(in: one) == DataLinkCode(code.text)?.hash(in: one))
  }

  @Test func `a one-time code lives a day at most, one for several machines a month`() {
    #expect(throws: Never.self) { try CodeRules.check(uses: 1, validity: .seconds(86_400)) }
    #expect(throws: HubError.self) { try CodeRules.check(uses: 1, validity: .seconds(86_401)) }
    #expect(throws: Never.self) { try CodeRules.check(uses: 2, validity: .seconds(30 * 86_400)) }
    #expect(throws: HubError.self) { try CodeRules.check(uses: 2, validity: .seconds(31 * 86_400)) }
    #expect(throws: HubError.self) { try CodeRules.check(uses: 0, validity: .seconds(1)) }
  }
}

@Suite struct AttemptLimiterTests {
  @Test func `an address has a burst of failures, then one each interval`() {
    var limiter = AttemptLimiter()
    for _ in 1...HubLimits.attemptsBurst { #expect(limiter.begin("a", now: 0) == nil) }
    let wait = limiter.begin("a", now: 0)
    #expect(wait != nil)
    #expect(limiter.begin("b", now: 0) == nil)
    let later = HubLimits.attemptInterval.milliseconds
    #expect(limiter.begin("a", now: later) == nil)
    #expect(limiter.begin("a", now: later) != nil)
  }

  @Test func `successes cost nothing`() {
    var limiter = AttemptLimiter()
    for _ in 1...1_000 {
      #expect(limiter.begin("a", now: 0) == nil)
      limiter.succeeded("a")
    }
  }

  @Test func `many addresses together are limited too`() {
    var limiter = AttemptLimiter()
    let refused = (0..<HubLimits.attemptsOverallBurst + 50).count { limiter.begin("address \($0)", now: 0) != nil }
    #expect(refused == 50)
  }

  @Test func `a clock that goes back neither opens nor locks it`() {
    var limiter = AttemptLimiter()
    for _ in 1...HubLimits.attemptsBurst { _ = limiter.begin("a", now: 1_000_000) }
    #expect(limiter.begin("a", now: 0) != nil)
    #expect(limiter.begin("a", now: HubLimits.attemptInterval.milliseconds) == nil)
  }

  @Test func `the addresses that are remembered are bounded`() {
    var limiter = AttemptLimiter(peersMax: 2)
    for _ in 1...HubLimits.attemptsBurst { _ = limiter.begin("a", now: 0) }
    _ = limiter.begin("b", now: 1)
    _ = limiter.begin("c", now: 2)
    #expect(limiter.begin("a", now: 3) == nil)
  }

  @Test func `who tries all the time waits no longer than others`() {
    var limiter = AttemptLimiter()
    for _ in 1...HubLimits.attemptsBurst { _ = limiter.begin("a", now: 0) }
    let interval = HubLimits.attemptInterval.milliseconds
    let first = (1...2 * interval).first { limiter.begin("a", now: $0) == nil }
    #expect(first == interval)
  }

  @Test func `of attempts that must wait, the first is news until one was let through`() {
    var limiter = AttemptLimiter()
    for _ in 1...HubLimits.attemptsBurst { _ = limiter.begin("a", now: 0) }
    #expect(limiter.begin("a", now: 0)?.isNews == true)
    #expect(limiter.begin("a", now: 1)?.isNews == false)
    let later = HubLimits.attemptInterval.milliseconds
    #expect(limiter.begin("a", now: later) == nil)
    #expect(limiter.begin("a", now: later)?.isNews == true)
  }

  @Test func `a flood from many addresses is news once`() {
    var limiter = AttemptLimiter()
    for peer in 0..<HubLimits.attemptsOverallBurst { _ = limiter.begin("\(peer)", now: 0) }
    let news = (0..<500).count { limiter.begin("other \($0)", now: 0)?.isNews == true }
    #expect(news == 1)
  }

  @Test(arguments: [
    ("ipv6:[2001:db8:1:2:3:4:5:6]", "ipv6:20010db800010002"), ("ipv6:[2001:db8:1:2::]", "ipv6:20010db800010002"),
    ("ipv6:[::ffff:192.0.2.7]", "ipv4:192.0.2.7"), ("ipv4:192.0.2.7", "ipv4:192.0.2.7"), ("ipv6:[", "ipv6:["),
    ("<unknown>", "<unknown>"),
  ])
  func `who has one IPv6 address has a network of them`(address: String, peer: String) {
    #expect(AttemptLimiter.peer(of: address) == peer)
  }

  @Test(arguments: [
    ("ipv4:127.0.0.1:4711", "ipv4:127.0.0.1"), ("ipv6:[::1]:9", "ipv6:[::1]"), ("<unknown>", "<unknown>"),
  ])
  func `the port of a peer does not make it another`(peer: String, address: String) {
    #expect(SigningService.address(of: peer) == address)
  }
}

@Suite struct LogFormatTests {
  private func lines(_ format: LogFormat, _ body: (Logger) -> Void) -> [String] {
    let lines = LineBox()
    var handler = LineLogHandler(format: format, clock: HubClock { 0 }) { line in lines.add(line) }
    handler.logLevel = .info
    body(Logger(label: "test") { [handler] _ in handler })
    return lines.all
  }

  private final class LineBox: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
  }

  @Test func `logfmt quotes what could be mistaken`() {
    let logged = lines(.logfmt) {
      $0.info("hello there", metadata: ["b": "plain", "a": "two words\nlevel=error \"x\""])
    }
    #expect(
      logged == [
        #"time=1970-01-01T00:00:00.000Z level=info msg="hello there" a="two words\nlevel=error \"x\"" b=plain"#
      ])
  }

  @Test func `JSON is one object a line`() {
    let logged = lines(.json) { $0.warning("m", metadata: ["a": "x\ny"]) }
    #expect(logged == [#"{"a":"x\ny","level":"warning","msg":"m","time":"1970-01-01T00:00:00.000Z"}"#])
  }

  @Test func `a level below the set one is not logged`() { #expect(lines(.json) { $0.debug("m") }.isEmpty) }
}
