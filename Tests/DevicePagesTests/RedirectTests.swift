internal import DevicePages
internal import Testing

private let own = "https://0123.remote.localhost"

private func place(_ current: String = "http:80") throws -> DevicePlace {
  try #require(
    DevicePlace(
      names: ["192.168.1.7", "npi3f2a", "NPI3F2A.local", "fe80::7"],
      targets: ["http:80", "https:443", "http:8080"].compactMap { DeviceTarget($0) }, current: DeviceTarget(current)))
}

@Suite struct `Where a device sends the browser` {
  @Test(arguments: [
    // A path, as it is.
    ("/menu", "/menu", nil), ("menu?a=b#c", "menu?a=b#c", nil), ("?next", "?next", nil), ("", "/", nil),
    // The device itself, by any of its names.
    ("http://192.168.1.7/menu", "/menu", nil), ("HTTP://NPI3F2A/menu", "/menu", nil),
    ("//npi3f2a.local/menu", "/menu", nil), ("http://192.168.1.7\\@evil.example/", "/@evil.example/", nil),
    ("http://192.168.1.7", "/", nil), ("http://192.168.1.7?x", "/?x", nil),
    ("http://192.168.1.7:80/menu", "/menu", nil), ("http://[fe80::7]/menu", "/menu", nil),
    ("http://192.168.1.7//evil.example/", "/evil.example/", nil), ("http://npi3f2a./menu", "/menu", nil),
    // Another of its targets.
    ("https://192.168.1.7/menu", "/menu", "https:443"), ("http://192.168.1.7:8080/x", "/x", "http:8080"),
    ("http://192.168.1.7:631/x", "/x", "http:631"),
    // The origin that a script may know.
    ("https://0123.remote.localhost/menu", "/menu", nil),
  ])
  func `is a path of the session's origin, and at most another of its targets`(
    _ location: String, _ path: String, _ target: String?
  ) throws {
    #expect(
      try place().redirect(location, ownOrigin: own) == .within(path: path, target: target.flatMap { DeviceTarget($0) })
    )
  }

  @Test(arguments: [
    "http://evil.example/", "//evil.example/", "https:evil.example", "http:/evil.example", "///evil.example",
    "/\\evil.example", "\\\\evil.example", "http://192.168.1.70/", "http://192.168.1.7.evil.example/",
    "http://192.168.1.7@evil.example/", "http://evil.example@192.168.1.7/",
    "javascript:alert(1)", "data:text/html,x", "ftp://192.168.1.7/", "http://192.168.1.7:9100/",
    "http://192.168.1.7:65536/", "http://192.168.1.7:x/", "http://", "/a\nSet-Cookie: x", "\u{1}/",
    "ht\ttp://evil.example",
    "http://169.254.169.254/latest", "http://localhost/", "https://abcd.remote.localhost/",
  ])
  func `is nowhere else`(_ location: String) throws {
    guard case .elsewhere = try place().redirect(location, ownOrigin: own) else {
      return #expect(Bool(false), "\(location) passed")
    }
  }

  @Test(arguments: ["http://192.168.1.7/menu", "http://npi3f2a:8080/menu", "http://192.168.1.7:22137/menu"])
  func `is never without TLS from where there is TLS`(_ location: String) throws {
    #expect(try place("https:443").redirect(location, ownOrigin: own) == .within(path: "/menu", target: nil))
  }

  @Test(arguments: [
    ("5", "5", nil), ("0; url=/menu", "0; url=/menu", nil), ("0;URL='http://npi3f2a/menu'", "0; url=/menu", nil),
    ("3, https://192.168.1.7/x", "3; url=/x", "https:443"), ("  7.5 ; url = \"/a\" /b", "7; url=/a", nil),
    ("0 /menu", "0; url=/menu", nil), ("0; url", "0; url=url", nil), (".5", "0", nil),
  ])
  func `by Refresh is likewise`(_ value: String, _ passed: String, _ target: String?) throws {
    let refresh = try #require(try place().refresh(value, ownOrigin: own))
    #expect(refresh.value == passed && refresh.target == target.flatMap { DeviceTarget($0) })
  }

  @Test(arguments: [
    "0; url=http://evil.example/", "0; url=javascript:alert(1)", "0 https://evil.example/",
    "0\thttps://evil.example/;url=/x",
    "0 ;\u{0C}url='https://evil.example/'/x", "x; url=/menu", "", "-1; url=/menu", "9999999999; url=/menu",
  ])
  func `by Refresh is nowhere else`(_ value: String) throws {
    #expect(try place().refresh(value, ownOrigin: own) == nil)
  }
}

@Suite struct `A session's origin` {
  private let domain = RemoteDomain(name: "Pages.example.org", port: 8_443)

  @Test func `has 128 random bits and is found by its host`() throws {
    let made = (0..<100).map { _ in SessionOrigin.make() }
    #expect(Set(made.map(\.token)).count == 100)
    for origin in made {
      #expect(origin.token.utf8.count == 32)
      #expect(SessionOrigin(host: origin.host(in: domain).uppercased().lowercased(), domain: domain) == origin)
      #expect(origin.url(in: domain) == "https://\(origin.token).pages.example.org:8443")
    }
  }

  @Test(arguments: [
    "pages.example.org:8443", "x.pages.example.org:8443", "0123456789abcdef0123456789abcdef.pages.example.org",
    "0123456789abcdef0123456789abcdef.pages.example.org:443",
    "0123456789abcdef0123456789abcdefx.pages.example.org:8443",
    "0123456789abcdef0123456789abcdef.evil.org:8443", "a.0123456789abcdef0123456789abcdef.pages.example.org:8443",
    "0123456789abcdef0123456789abcde%00.pages.example.org:8443", "", "0123456789abcdef0123456789abcdef", "[::1]:8443",
    "user@0123456789abcdef0123456789abcdef.pages.example.org:8443",
  ])
  func `is no other host`(_ host: String) { #expect(SessionOrigin(host: host, domain: domain) == nil) }
}
