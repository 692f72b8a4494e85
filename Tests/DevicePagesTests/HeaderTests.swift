@testable internal import DevicePages
internal import Testing

private let own = "https://0123.remote.localhost:8443"
private let ownCookie = "__Host-printtrail-page"

private func place() throws -> DevicePlace {
  try #require(DevicePlace(names: ["192.168.1.7", "npi3f2a"], targets: [DeviceTarget(isSecure: false, port: 80)]))
}

@Suite struct `What reaches a device` {
  private let rules = RequestRules(ownOrigin: own, ownCookie: ownCookie)

  private func passed(_ pairs: [(String, String)], isWebSocket: Bool = false) throws -> Fields {
    rules.toDevice(Fields(pairs), try place(), isWebSocket: isWebSocket)
  }

  @Test(arguments: [
    ("Host", "0123.remote.localhost"), ("Forwarded", "for=1.2.3.4"), ("X-Forwarded-For", "1.2.3.4"),
    ("X-Forwarded-Anything", "x"), ("Via", "1.1 x"), ("X-Real-IP", "1.2.3.4"), ("Proxy-Authorization", "x"),
    ("Connection", "keep-alive"), ("Keep-Alive", "5"), ("TE", "trailers"), ("Upgrade", "h2c"),
    ("Expect", "100-continue"),
    ("Sec-Fetch-Site", "same-origin"), ("Sec-CH-UA", "x"), ("Upgrade-Insecure-Requests", "1"), ("Priority", "u=1"),
    ("Service-Worker", "script"), ("pt-session", "x"), ("Sec-WebSocket-Key", "x"), ("Origin", "https://evil.example"),
    ("Origin", "null"), ("Referer", "https://hub.example.org/#/devices"), ("Referer", own + ".evil.example/"),
    ("Cookie", "__Host-printtrail-page=secret"), ("Cookie", "  __host-printtrail-page = secret"), ("Cookie", ""),
    ("Transfer-Encoding", "chunked"),
  ])
  func `is nothing of the hub's or of the way`(_ name: String, _ value: String) throws {
    let fields = try passed([(name, value)])
    #expect(fields == Fields([("accept-encoding", "gzip, deflate")]), "\(fields)")
  }

  @Test(arguments: [
    ("Authorization", "Basic YWRtaW46", "Basic YWRtaW46"), ("Accept", "text/html", "text/html"),
    ("Cookie", "a=1; __Host-printtrail-page=secret; b=2", "a=1; b=2"), ("Content-Type", "text/plain", "text/plain"),
    ("Origin", own, "http://192.168.1.7"), ("Referer", own + "/menu?x", "http://192.168.1.7/menu?x"),
    ("X-Requested-With", "XMLHttpRequest", "XMLHttpRequest"), ("If-None-Match", "\"1\"", "\"1\""),
    ("Content-Length", "12", "12"), ("Range", "bytes=0-1", "bytes=0-1"),
  ])
  func `is what the device asked the browser for, under its own name`(
    _ name: String, _ value: String, _ reached: String
  ) throws {
    #expect(try passed([(name, value)])[name.lowercased()] == reached)
  }

  @Test func `is no field that Connection names`() throws {
    #expect(try passed([("Connection", "close, X-Secret"), ("X-Secret", "1"), ("X-Open", "2")])["x-secret"] == nil)
  }

  @Test func `has no length where it comes in chunks`() throws {
    let fields = try passed([("Content-Length", "5"), ("Transfer-Encoding", "chunked")])
    #expect(fields["content-length"] == nil && fields["transfer-encoding"] == nil)
  }

  @Test func `of a WebSocket is all but the key`() throws {
    let fields = try passed(
      [
        ("Sec-WebSocket-Key", "k"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Protocol", "chat"),
        ("Connection", "Upgrade"), ("Upgrade", "websocket"),
      ], isWebSocket: true)
    #expect(fields == Fields([("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat")]))
  }
}

@Suite struct `What reaches the browser` {
  private let rules = ResponseRules(ownOrigin: own, ownCookie: ownCookie)

  private func passed(_ pairs: [(String, String)], status: Int = 200) throws -> ResponseRules.Passed {
    rules.toBrowser(status, Fields(pairs), try place())
  }

  @Test(arguments: [
    "Strict-Transport-Security", "Public-Key-Pins", "Report-To", "NEL", "Alt-Svc", "Clear-Site-Data", "Expect-CT",
    "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Service-Worker-Allowed", "Connection",
    "Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade", "Proxy-Authenticate", "Link", "Set-Cookie2", "Via",
    "Forwarded", "Reporting-Endpoints", "Content-Security-Policy-Report-Only", "SourceMap", "pt-error", "Origin-Trial",
    "X-Accel-Redirect", "X-Sendfile", "X-LIGHTTPD-Send-File", "X-Frame-Options", "X-DNS-Prefetch-Control",
    "X-Forwarded-For",
    "Use-As-Dictionary", "Sec-Session-Registration", "Attribution-Reporting-Register-Source", "Integrity-Policy",
    "Document-Policy", "Something-New",
  ])
  func `is nothing that binds it beyond the session`(_ name: String) throws {
    #expect(try passed([(name, "x")]).fields[name.lowercased()] == nil)
  }

  @Test(arguments: [
    ("Content-Type", "text/html"), ("WWW-Authenticate", "Basic realm=x"), ("ETag", "\"1\""), ("X-Own", "y"),
    ("Content-Disposition", "attachment"), ("Content-Encoding", "gzip"), ("Content-Length", "3"),
    ("WWW-Authenticate", "Digest realm=\"a, NTLM\", nonce=\"\\\"x\", qop=\"auth,auth-int\""),
  ])
  func `is what makes the page`(_ name: String, _ value: String) throws {
    #expect(try passed([(name, value)]).fields[name.lowercased()] == value)
  }

  @Test(arguments: [
    ("NTLM", nil), ("Negotiate abc==", nil), ("Negotiate", nil), ("Bearer realm=\"x\"", nil), ("realm=x", nil),
    ("", nil),
    ("NTLM, Basic realm=\"x\"", "Basic realm=\"x\""),
    ("Basic realm=\"a\", charset=\"UTF-8\", Negotiate, NTLM TlRM==", "Basic realm=\"a\", charset=\"UTF-8\""),
    ("negotiate, DIGEST realm = \"a\" , nonce = x, ntlm", "DIGEST realm = \"a\", nonce = x"),
  ])
  func `is a challenge that a person answers, and none that a browser would answer by itself`(
    _ value: String, _ kept: String?
  ) throws {
    #expect(try passed([("WWW-Authenticate", value)], status: 401).fields["www-authenticate"] == kept)
  }

  @Test func `has our protections whatever the device says`() throws {
    let fields = try passed([
      ("Content-Security-Policy", "default-src * 'unsafe-inline'; report-uri https://evil.example/"),
      ("Cache-Control", "public, max-age=31536000"), ("Referrer-Policy", "unsafe-url"),
      ("X-Content-Type-Options", "sniff"), ("Cross-Origin-Opener-Policy", "unsafe-none"),
    ]).fields
    let policies = fields.values("content-security-policy")
    #expect(policies.count == 1)
    for word in [
      "sandbox ", "default-src 'self'", "connect-src 'self' wss://0123.remote.localhost:8443", "form-action 'self'",
      "base-uri 'self'", "frame-ancestors 'self'", "webrtc 'block'",
    ] {
      #expect(policies[0].contains(word), "\(word)")
    }
    #expect(!policies[0].contains("allow-top-navigation ") && !policies[0].contains("allow-top-navigation;"))
    #expect(!policies[0].contains("escape-sandbox") && !policies[0].contains("http:") && !policies[0].contains("*"))
    #expect(fields.values("cache-control") == ["no-store"] && fields.values("referrer-policy") == ["same-origin"])
    #expect(fields.values("x-content-type-options") == ["nosniff"])
    #expect(fields.values("cross-origin-opener-policy") == ["same-origin"])
    #expect(fields.values("cross-origin-resource-policy") == ["same-origin"])
  }

  @Test func `keeps a policy of the device's that names nobody`() throws {
    let fields = try passed([("Content-Security-Policy", "script-src 'self'")]).fields
    #expect(fields.values("content-security-policy").count == 2)
  }

  @Test(arguments: [
    ("a=1", "a=1"), ("a=1; Path=/x; HttpOnly; Secure", "a=1; Path=/x; HttpOnly; Secure"),
    ("a=1; Domain=.example.org; Path=/", "a=1; Path=/"), ("a=1;DOMAIN = x;SameSite=None", "a=1; SameSite=None"),
    ("a=b=__Host-c", "a=b=__Host-c"),
  ])
  func `is a cookie without a domain`(_ value: String, _ set: String) throws {
    #expect(try passed([("Set-Cookie", value)]).fields["set-cookie"] == set)
  }

  @Test(arguments: [
    "__Host-printtrail-page=x", "__host-PRINTTRAIL-page=x", " __Host-printtrail-page =x", "__Host-a=1", "__Secure-a=1",
    "__HOST-a=1", "=__Host-printtrail-page=x", "__Host-printtrail-page", "nameless", "", "; Domain=x", "__Http-a=1",
  ])
  func `is no cookie that could be the hub's`(_ value: String) throws {
    #expect(try passed([("Set-Cookie", value)]).fields["set-cookie"] == nil)
  }

  @Test func `is each of several cookies`() throws {
    let fields = try passed([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Domain=x"), ("Set-Cookie", "__Host-c=3")])
    #expect(fields.fields.values("set-cookie") == ["a=1", "b=2"])
  }

  @Test func `goes elsewhere only with a status that sends it`() throws {
    #expect(try passed([("Location", "http://evil.example/")], status: 302).elsewhere == "http://evil.example/")
    let made = try passed([("Location", "http://evil.example/")], status: 201)
    #expect(made.elsewhere == nil && made.fields["location"] == nil)
    let secure = try passed([("Location", "https://npi3f2a/login")], status: 302)
    #expect(secure.fields["location"] == "/login" && secure.target == DeviceTarget(isSecure: true, port: 443))
    #expect(try passed([("Refresh", "0; url=http://evil.example/")]).fields["refresh"] == nil)
  }
}
