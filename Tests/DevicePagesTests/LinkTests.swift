internal import DevicePages
internal import Testing
internal import Zlib

private func place(_ current: String = "http:80") throws -> DevicePlace {
  try #require(
    DevicePlace(
      names: ["192.168.1.7", "npi3f2a", "fe80::7"], targets: ["http:80", "https:443"].compactMap { DeviceTarget($0) },
      current: DeviceTarget(current)))
}

private func rewritten(_ text: String, _ current: String = "http:80") throws -> String {
  String(decoding: LinkRewriter(try place(current)).rewrite(Array(text.utf8)), as: UTF8.self)
}

@Suite struct `Links of a page` {
  @Test(arguments: [
    (#"<a href="http://192.168.1.7/menu">"#, #"<a href="/menu">"#),
    (#"<a href='http://npi3f2a:80/menu'>"#, #"<a href='/menu'>"#),
    (#"<a href="http://192.168.1.7">"#, #"<a href="/">"#),
    (#"<a href="http://192.168.1.7?x=1">"#, #"<a href="/?x=1">"#),
    (#"<img src=//npi3f2a/x.gif>"#, #"<img src=/x.gif>"#),
    (#"<a href="HTTP://NPI3F2A/menu">"#, #"<a href="/menu">"#), ("url(http://192.168.1.7/x.png)", "url(/x.png)"),
    (#"var a = "http:\/\/192.168.1.7\/menu";"#, #"var a = "\/menu";"#),
    (#"<a href="https://192.168.1.7/menu">"#, #"<a href="/.printtrail/go/https/443/menu">"#),
    (#""https:\/\/192.168.1.7\/menu""#, #""\/.printtrail\/go\/https\/443\/menu""#),
    (#"<a href="http://[fe80::7]/x">"#, #"<a href="/x">"#),
    (#""http://192.168.1.7//evil.example/""#, #""/.//evil.example/""#),
    (#""http:\/\/192.168.1.7\/\/evil.example""#, #""\/.\/\/evil.example""#),
    (#"http://192.168.1.7/a http://192.168.1.7/b"#, "/a /b"), ("http://192.168.1.7", "/"),
  ])
  func `to the device become paths`(_ text: String, _ made: String) throws {
    #expect(try rewritten(text) == made)
  }

  @Test(arguments: [
    "<a href=\"http://192.168.1.70/menu\">", "<a href=\"http://evil.example/\">", "<a href=\"/menu\">", "// npi3f2a",
    "x = 1 //npi3f2a/ is a comment", "http://192.168.1.7@evil.example/", "http://192.168.1.7.evil.example/",
    "http://192.168.1.7:9100/", "xhttp://192.168.1.7/", "ftp://192.168.1.7/", "http:/", "//", "/", "", "\\/\\/",
    "http://", "\"//", "http:\\/\\/192.168.1.70\\/", "https://npi3f2a.evil.example/", "http://192.168.1.7:99999/",
  ])
  func `to anything else stay as they are`(_ text: String) throws {
    #expect(try rewritten(text) == text)
  }

  @Test func `follow the present target`() throws {
    #expect(
      try rewritten("\"https://npi3f2a/x\" \"http://npi3f2a/y\" \"//npi3f2a/z\"", "https:443")
        == "\"/x\" \"/y\" \"/z\"")
  }

  @Test func `are found in any bytes, cut off anywhere, without a trap`() throws {
    let text =
      Array("<a href=\"http://192.168.1.7:80/\u{FF}menu\">\\/\\/npi3f2a\\/ //[fe80::7]:443/".utf8) + [0xFF, 0xC0, 0]
    let rewriter = LinkRewriter(try place())
    for begin in 0...text.count {
      for end in begin...text.count { _ = rewriter.rewrite(Array(text[begin..<end])) }
    }
  }

  @Test(arguments: [
    ("text/html", true), ("Text/HTML; charset=utf-8", true), ("text/css", true), ("application/javascript", true),
    ("text/javascript;charset=x", true), ("image/png", false), ("application/octet-stream", false),
    ("text/plain", false),
    ("", false),
  ])
  func `are looked for in pages, styles and scripts alone`(_ type: String, _ applies: Bool) {
    #expect(LinkRewriter.applies(toType: type) == applies)
  }
}

@Suite struct `A page's body` {
  private let page = Array(String(repeating: "<a href=\"http://npi3f2a/menu\">", count: 100).utf8)
  private let made = Array(String(repeating: "<a href=\"/menu\">", count: 100).utf8)

  @Test func `is read in the codings that were asked for`() throws {
    #expect(PageBody.rewritten(page, coding: nil, try place()) == made)
    let gzip = try #require(try Deflater(.gzip).deflate(page))
    #expect(PageBody.rewritten(gzip, coding: "gzip", try place()) == made)
    #expect(PageBody.rewritten(gzip, coding: " X-GZIP", try place()) == made)
    let deflate = try #require(try Deflater(.zlib).deflate(page))
    #expect(PageBody.rewritten(deflate, coding: "deflate", try place()) == made)
  }

  @Test func `passes as it is where it cannot be read`() throws {
    let gzip = try #require(try Deflater(.gzip).deflate(page))
    #expect(PageBody.rewritten(gzip, coding: "br", try place()) == nil)
    #expect(PageBody.rewritten(page, coding: "gzip", try place()) == nil)
    #expect(PageBody.rewritten(Array(gzip.dropLast(3)), coding: "gzip", try place()) == nil)
    #expect(!PageBody.isReadable(coding: "br") && PageBody.isReadable(coding: "gzip"))
  }

  @Test func `that is a bomb is not inflated`() throws {
    let bomb = try #require(try Deflater(.gzip).deflate([UInt8](repeating: 0x20, count: PageBody.inflatedBytesMax + 1)))
    #expect(bomb.count < 100_000)
    #expect(PageBody.rewritten(bomb, coding: "gzip", try place()) == nil)
  }
}
