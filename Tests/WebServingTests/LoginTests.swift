// Passwords, sessions, and those who guess.

internal import Testing
internal import WebServing

@Suite("Logins")
struct LoginTests {
  @Test("a password is known again by what is kept of it, and no other is")
  func passwords() async throws {
    let kept = try await PasswordHash.make("four words in a row")
    #expect(kept.hasPrefix("$scrypt$ln=15,r=8,p=1$") && !kept.contains("four"))
    let is1 = try await PasswordHash.verify("four words in a row", kept)
    #expect(is1)
    let is2 = try await PasswordHash.verify("four words in a roW", kept)
    #expect(!is2)
    let is3 = try await PasswordHash.verify("", kept)
    #expect(!is3)
    let again = try await PasswordHash.make("four words in a row")
    #expect(again != kept)
  }

  @Test(
    "a text that is no hash is nobody's password",
    arguments: [
      "", "x", "$scrypt$ln=15,r=8,p=1$$",
      "$scrypt$ln=40,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "$scrypt$ln=15,r=8$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "$bcrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
      "$scrypt$ln=15,r=8,p=1$*$*", "$scrypt$ln=-1,r=8,p=1$AAAA$AAAA",
    ])
  func noHash(text: String) async throws {
    #expect(!PasswordHash.isHash(text))
    let is4 = try await PasswordHash.verify("", text)
    #expect(!is4)
    let is5 = try await PasswordHash.verify(text, text)
    #expect(!is5)
  }

  @Test("weak passwords are refused with the reason, good ones are not")
  func rules() {
    for weak in [
      "", "short", "aaaaaaaaaaaa", "password123", "PrintTrail2024", "1234567890", "print-srv1234", "with\ttab in it",
      String(repeating: "ab cd ef ", count: 200),
    ] {
      #expect(PasswordRules.complaint(about: weak, besides: ["print-srv"]) != nil, "\(weak)")
    }
    for good in ["four words in a row", "Xk29-ppqz-77", "наш принтер стоит", "correct horse"] {
      #expect(PasswordRules.complaint(about: good, besides: ["print-srv"]) == nil, "\(good)")
    }
  }

  @Test("a session ends by idleness, by age, and when all are ended")
  func sessions() throws {
    let sessions = Sessions()
    let start = ContinuousClock.now
    let token = sessions.begin(now: start)
    #expect(SessionToken(token.text)?.hash == token.hash)
    #expect(sessions.use(token, now: start.advanced(by: .seconds(29 * 60))) != nil)
    #expect(sessions.use(token, now: start.advanced(by: .seconds(58 * 60))) != nil)
    #expect(sessions.use(token, now: start.advanced(by: .seconds(89 * 60))) == nil)
    let old = sessions.begin(now: start)
    for minutes in stride(from: 20, through: 700, by: 20) {
      #expect(sessions.use(old, now: start.advanced(by: .seconds(minutes * 60))) != nil)
    }
    #expect(sessions.use(old, now: start.advanced(by: .seconds(720 * 60))) == nil)
    let (kept, ended) = (sessions.begin(now: start), sessions.begin(now: start))
    sessions.endAll(but: kept)
    #expect(sessions.use(kept, now: start) != nil && sessions.use(ended, now: start) == nil)
    for text in ["", "x", String(repeating: "a", count: 42), String(repeating: "=", count: 43)] {
      #expect(SessionToken(text) == nil)
    }
    #expect(sessions.use(SessionToken(String(repeating: "a", count: 43)), now: start) == nil)
  }

  @Test("a cookie is read among others, and with TLS it is one that no page without TLS can set")
  func cookies() {
    let cookie = SessionCookie("printtrail_session")
    let token = SessionToken.make()
    var request = WebRequest(.get, path: [], headers: [("cookie", "a=b; printtrail_session=\(token.text); c=d")])
    #expect(cookie.token(request)?.hash == token.hash)
    request.isSecure = true
    #expect(cookie.token(request) == nil)
    let header = cookie.setting(token, isSecure: true).1
    #expect(
      header.hasPrefix("__Host-printtrail_session=") && header.hasSuffix("; Path=/; HttpOnly; SameSite=Strict; Secure"))
  }

  @Test("who guesses has to wait, alone and in company, and who knows the password does not")
  func limiter() {
    var limiter = LoginLimiter()
    let start = ContinuousClock.now
    for _ in 0..<LoginLimiter.perClientMax {
      do {
        let wait = limiter.wait("a", now: start)
        #expect(wait == nil)
      }
      limiter.failed("a", now: start)
    }
    do {
      let wait = limiter.wait("a", now: start)
      #expect(wait == LoginLimiter.window)
    }
    do {
      let wait = limiter.wait("b", now: start)
      #expect(wait == nil)
    }
    do {
      let wait = limiter.wait("a", now: start.advanced(by: LoginLimiter.window))
      #expect(wait == nil)
    }
    for client in 0..<LoginLimiter.totalMax { limiter.failed("\(client)", now: start) }
    let stranger = limiter.wait("nobody yet", now: start)
    #expect(stranger != nil)
    var other = LoginLimiter()
    for _ in 0..<4 { other.failed("a", now: start) }
    other.succeeded("a")
    other.failed("a", now: start)
    let own = other.wait("a", now: start)
    #expect(own == nil)
  }
}

@Suite("Pace, feed, assets")
struct PartsTests {
  @Test("a client's pace is its own, and is given back with time")
  func pace() {
    var pace = RequestPace(perSecond: 10, burst: 20)
    let start = ContinuousClock.now
    var admitted = 0
    for _ in 0..<25 where pace.admits("a", now: start) { admitted += 1 }
    #expect(admitted == 20)
    let isOther = pace.admits("b", now: start)
    #expect(isOther)
    admitted = 0
    for _ in 0..<25 where pace.admits("a", now: start.advanced(by: .seconds(1))) { admitted += 1 }
    #expect(admitted == 10)
    // However many addresses there are.
    for client in 0..<(3 * RequestPace.clientsMax) { _ = pace.admits("x\(client)", now: start) }
    #expect(pace.clientCount <= RequestPace.clientsMax)
  }

  @Test("who comes back gets what it missed, or a reset where that is gone")
  func feed() async throws {
    let feed = EventFeed(subscriptionsMax: 2)
    let first = try feed.subscribe(after: nil)
    for number in 0..<3 { feed.publish("n", .integer(Int64(number))) }
    let bytes = try #require(await first.next())
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("event: reset") && text.contains("data: 2"))
    let ids = text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
    first.end()
    let again = try feed.subscribe(after: ids[2])
    #expect(String(decoding: try #require(await again.next()), as: UTF8.self) == "id: \(ids[3])\nevent: n\ndata: 2\n\n")
    let uptodate = try feed.subscribe(after: ids[3])
    uptodate.beat()
    #expect(await uptodate.next() == Array(":\n\n".utf8))
    #expect(throws: WebError.self) { try feed.subscribe(after: nil) }
    uptodate.end()
    for number in 0..<2_000 { feed.publish("n", .integer(Int64(number))) }
    let late = try feed.subscribe(after: ids[3])
    #expect(String(decoding: try #require(await late.next()), as: UTF8.self).contains("event: reset"))
    feed.end()
    #expect(await late.next() == nil)
    #expect(throws: WebError.self) { try feed.subscribe(after: nil) }
  }

  @Test("the pages are there, compressed where that pays, and are not sent twice")
  func assets() throws {
    let assets = try Assets(.agent)
    #expect(assets.paths.contains("/"))
    let page = try #require(assets.answer(WebRequest(.get, path: [])))
    let tag = try #require(page.headers.first { $0.0 == "ETag" }?.1)
    #expect(assets.answer(WebRequest(.get, path: [], headers: [("if-none-match", "\"x\", \(tag)")]))?.status == 304)
    for path in assets.paths {
      let parts = path.split(separator: "/").map(String.init)
      let plain = try #require(assets.answer(WebRequest(.get, path: parts)))
      let packed = try #require(
        assets.answer(WebRequest(.get, path: parts, headers: [("accept-encoding", "br, gzip;q=0.8")])))
      guard case .bytes(let bytes) = plain.body else { return #expect(Bool(false)) }
      if case .gzip(let gzip) = packed.body {
        #expect(gzip.count < bytes.count)
        #expect(plain.headers.first { $0.0 == "ETag" }?.1 != packed.headers.first { $0.0 == "ETag" }?.1)
      }
    }
    #expect(assets.answer(WebRequest(.get, path: ["nothing"])) == nil)
    #expect(assets.answer(WebRequest(.post, path: [])) == nil)
  }
}
