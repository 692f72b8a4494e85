// A real listener, a fake agent with a device behind it, and curl as the browser.

internal import DevicePages
internal import Events
internal import Foundation
@testable internal import HubDatabase
@testable internal import HubServer
internal import TestPrograms
internal import Testing
internal import Zlib

@Suite struct `Through a tunnel a browser` {
  @Test func `sees a device's page, and the device sees nothing of the hub's`() async throws {
    try await RemoteSite.run { site in
      let (session, tunnel, browser) = try await site.opened { request in
        FakeAnswer(
          200,
          [
            ("content-type", "text/html"), ("set-cookie", "sid=1; Domain=evil.example; Path=/"),
            ("strict-transport-security", "max-age=1"), ("x-own", request.method),
          ], "<a href=\"http://npi3f2a/menu\">\(String(decoding: request.body, as: UTF8.self))</a>")
      }
      let reply = try await browser.ask(
        "/start?a=b",
        [
          "-H", "Referer: \(browser.origin)/before", "-H", "Authorization: Basic YWRtaW46", "-H", "Cookie: mine=1",
          "-H", "X-Forwarded-For: 10.0.0.1", "--data-raw", "form=x",
        ])
      #expect(reply.status == 200 && reply.body == "<a href=\"/menu\">form=x</a>", "\(reply)")
      #expect(reply.field("set-cookie") == "sid=1; Path=/" && reply.field("strict-transport-security") == nil)
      #expect(reply.field("content-security-policy")?.hasPrefix("sandbox ") == true && reply.field("x-own") == "POST")
      let request = try #require(tunnel.requests.last)
      #expect(request.path == "/start?a=b" && request.scheme == "http" && request.method == "POST")
      #expect(request.authority == String(repeating: "09", count: 16) + ":80")
      #expect(
        request.field("referer") == "http://192.168.1.7/before" && request.field("authorization") == "Basic YWRtaW46")
      #expect(
        request.field("cookie") == "mine=1" && request.field("x-forwarded-for") == nil && request.field("host") == nil)
      #expect(!"\(request.head)".contains(browser.cookie ?? "none") && !"\(request.head)".contains(browser.token))
      let trail = try await site.hub.store.auditTrail(limit: 20).map(\.action)
      #expect(Set(trail).isSuperset(of: ["remote.enabled", "remote.asked", "remote.opened", "remote.entered"]))
      #expect(try await site.state(session).enteredAt != nil)
    }
  }

  @Test func `gets bodies of any kind and length as they are`() async throws {
    let long = String(repeating: "0123456789abcdef", count: 200_000)
    let page = Array(String(repeating: "<a href='http://192.168.1.7/x'>", count: 200).utf8)
    let packed = try #require(try Deflater(.gzip).deflate(page))
    try await RemoteSite.run { site in
      let (session, _, browser) = try await site.opened { request in
        var answer = FakeAnswer(200, [("content-type", "application/octet-stream")])
        switch request.path {
        case "/long": answer.body = Array(long.utf8)
        case "/page":
          answer.fields = [("content-type", "text/html"), ("content-encoding", "gzip"), ("etag", "\"1\"")]
          answer.body = packed
        case "/book":
          answer.fields = [("content-type", "text/html")]
          answer.body = Array((long + "http://192.168.1.7/x").utf8)
        case "/none": return FakeAnswer(204, [])
        case "/same": return FakeAnswer(304, [("etag", "\"1\"")])
        case "/sized":
          answer.fields.append(("content-length", "5"))
          answer.body = Array("12345".utf8)
        case "/cut":
          answer.fields.append(("content-length", "1000"))
          (answer.body, answer.isCutOff) = (Array("12345".utf8), true)
        default: answer.body = request.body
        }
        return answer
      }
      let all = try await browser.ask("/long")
      #expect(all.body == long, "\(all.status) \(all.body.count)")
      let last = try await browser.ask("/long", ["-H", "Connection: close", "--limit-rate", "2M"])
      #expect(last.body == long, "\(last.status) \(last.body.count)")
      let page = try await browser.ask("/page")
      #expect(page.body == String(repeating: "<a href='/x'>", count: 200) && page.field("content-encoding") == nil)
      #expect(page.field("etag") == nil && page.field("content-length") == "2600")
      // Too long to hold: it passes as it is.
      let book = try await browser.ask("/book")
      #expect(book.body == long + "http://192.168.1.7/x", "\(book.status) \(book.body.count)")
      #expect(try await browser.ask("/none").status == 204)
      #expect(try await browser.ask("/same").status == 304)
      #expect(try await browser.ask("/sized").field("content-length") == "5")
      #expect(try await browser.ask("/sized", ["--head"]).field("content-length") == "5")
      let file = site.place.path + "/upload"
      try Data(long.utf8).write(to: URL(fileURLWithPath: file))
      let sent = try await browser.ask("/echo", ["--data-binary", "@\(file)", "-H", "Expect:"])
      let after = try await site.state(session)
      #expect(sent.body == long, "\(sent.status) \(sent.body.count) \(after.endReason ?? "")")
      let chunked = try await browser.ask(
        "/echo", ["--data-binary", "@\(file)", "-H", "Transfer-Encoding: chunked", "-H", "Expect:"])
      #expect(chunked.body == long, "\(chunked.status) \(chunked.body.count)")
      let upgrading = ["-H", "Upgrade: h2c", "-H", "Connection: Upgrade", "--data-raw", "x"]
      #expect(try await browser.ask("/echo", upgrading).body == "x")
      // What breaks off is not taken for whole: curl says so with an empty answer, or a part of it.
      let cut = try await browser.ask("/cut")
      #expect(cut.body.utf8.count < 1_000 && cut.status != 502)
    }
  }

  @Test func `follows the device to another of its targets, and nowhere else`() async throws {
    try await RemoteSite.run { site in
      let (session, tunnel, browser) = try await site.opened { request in
        switch (request.scheme, request.path) {
        case ("http", "/"): FakeAnswer(302, [("location", "https://192.168.1.7/secure")])
        case (_, "/away"): FakeAnswer(302, [("location", "http://169.254.169.254/latest")])
        case ("https", _): FakeAnswer(200, [("content-type", "text/plain")], "secure")
        default: FakeAnswer(200, [("content-type", "text/plain")], "plain")
        }
      }
      let first = try await browser.ask("/")
      #expect(first.status == 302 && first.field("location") == "/secure")
      #expect(try await browser.ask("/secure").body == "secure")
      #expect(tunnel.requests.last?.authority.hasSuffix(":443") == true)
      #expect(try await site.state(session).target == "https:443")
      let away = try await browser.ask("/away", ["-H", "Accept: text/html"])
      #expect(
        away.status == 502 && away.field("location") == nil && away.body.contains("http://169.254.169.254/latest"))
      // From TLS to none leads nothing, or whoever stands between would ask for it.
      let back = try await browser.ask("/.printtrail/go/http/80/x?y=1")
      #expect(back.status == 302 && back.field("location") == "/x?y=1")
      #expect(try await browser.ask("/x").body == "secure")
      for path in [
        "/.printtrail/go/https/9100/x", "/.printtrail/go/ftp/80/", "/.printtrail/go/http", "/.printtrail/other",
      ] {
        #expect(try await browser.ask(path).status == 404, "\(path)")
      }
    }
  }

  @Test func `stays where it is when a page has a picture at another of the device's ports`() async throws {
    try await RemoteSite.run { site in
      let (session, tunnel, browser) = try await site.opened()
      let picture = "/.printtrail/go/http/631/icon.png?x=1"
      #expect(try await browser.ask(picture, ["-H", "Sec-Fetch-Dest: image"]).status == 200)
      let asked = try #require(tunnel.requests.last)
      #expect(asked.authority.hasSuffix(":631") && asked.scheme == "http" && asked.path == "/icon.png?x=1")
      #expect(try await site.state(session).target == "http:80")
      _ = try await browser.ask("/menu")
      #expect(tunnel.requests.last?.authority.hasSuffix(":80") == true)
      // Who goes there himself goes over, and so does a form, as it is.
      let link = try await browser.ask(picture, ["-H", "Sec-Fetch-Dest: document"])
      #expect(link.status == 302 && link.field("location") == "/icon.png?x=1")
      let form = try await browser.ask("/.printtrail/go/https/443/set", ["-X", "POST", "-d", "a=b"])
      #expect(form.status == 307 && form.field("location") == "/set")
      #expect(try await site.state(session).target == "https:443")
    }
  }

  @Test func `reads a sentence where the agent could not do it`() async throws {
    try await RemoteSite.run { site in
      let (_, _, browser) = try await site.opened { request in
        request.path == "/tls"
          ? FakeAnswer(502, [("pt-error", "tls-changed"), ("content-type", "text/plain")], "Another <certificate>.")
          : FakeAnswer(504, [("pt-error", "unreachable")])
      }
      let page = try await browser.ask("/tls", ["-H", "Accept: text/html"])
      #expect(page.status == 502 && page.body.contains("Another &lt;certificate&gt;.") && page.field("pt-error") == nil)
      #expect(page.body.contains("is not secure") && page.field("content-type")?.hasPrefix("text/html") == true)
      let text = try await browser.ask("/x", ["-H", "Accept: image/png"])
      #expect(text.status == 504 && text.body.hasPrefix("The device does not answer"))
    }
  }

  @Test func `asks no device for what is no page of it`() async throws {
    try await RemoteSite.run { site in
      let (_, tunnel, browser) = try await site.opened()
      for (options, status) in [
        (["-H", "Service-Worker: script"], 403), (["-X", "TRACE"], 405), (["-H", "Sec-Fetch-Site: cross-site"], 403),
        (["-H", "Sec-Fetch-Site: same-site", "-H", "Sec-Fetch-Mode: cors"], 403),
        (["-H", "Upgrade: websocket", "-H", "Connection: Upgrade"], 404),
        (["-H", "Upgrade: websocket", "-H", "Connection: Upgrade", "-H", "Origin: \(browser.origin)"], 502),
        (["-H", "Host: remote.localhost"], 404), (["-H", "Host: \(browser.host).evil.example"], 404),
      ] {
        let reply = try await browser.ask("/", options)
        #expect(reply.status == status, "\(options): \(reply)")
      }
      #expect(tunnel.requests.isEmpty)
      // The hub's API is not at this origin, whatever the Host.
      #expect(try await browser.ask("/api/v1/session", ["-H", "Host: localhost"]).status == 404)
    }
  }

  @Test func `speaks WebSocket with the device`() async throws {
    try await RemoteSite.run { site in
      let (_, tunnel, browser) = try await site.opened()
      let script = """
        import base64, hashlib, socket, ssl, sys
        port, ca, host, origin, cookie = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]
        context = ssl.create_default_context(cafile=ca)
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 20), server_hostname=host.split(":")[0])
        key = base64.b64encode(b"0123456789abcdef").decode()
        s.sendall(f"GET /socket HTTP/1.1\\r\\nHost: {host}\\r\\nOrigin: {origin}\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: {key}\\r\\nSec-WebSocket-Version: 13\\r\\nCookie: {cookie}\\r\\n\\r\\n".encode())
        data = b""
        while b"\\r\\n\\r\\n" not in data:
            piece = s.recv(4096)
            if not piece: break
            data += piece
        head, rest = data.split(b"\\r\\n\\r\\n", 1)
        print(head.decode().splitlines()[0])
        if b" 101 " not in head: sys.exit()
        want = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        print("accepted" if want in head else "not accepted")
        sent = bytes(range(256)) * 500
        s.sendall(sent)
        while len(rest) < len(sent):
            piece = s.recv(65536)
            if not piece: break
            rest += piece
        print("echoed" if rest == sent else f"{len(rest)} bytes")
        """
      func talk(origin: String, cookie: String?) async throws -> String {
        let cookie = cookie.map { "\(RemoteBrowser.cookieName)=\($0)" } ?? "a=1"
        return try await ChildProgram.running(
          "/usr/bin/python3",
          ["-c", script, "\(browser.port)", browser.ca, browser.host, origin, cookie]
        ).output
      }
      #expect(
        try await talk(origin: browser.origin, cookie: browser.cookie)
          == "HTTP/1.1 101 Switching Protocols\naccepted\nechoed\n")
      let request = try #require(tunnel.requests.last)
      #expect(
        request.method == "CONNECT" && request.field("origin") == "http://192.168.1.7" && request.path == "/socket")
      #expect(request.field("sec-websocket-version") == "13" && request.field("sec-websocket-key") == nil)
      #expect(try await talk(origin: "https://evil.example", cookie: browser.cookie).contains(" 404 "))
      #expect(try await talk(origin: browser.origin, cookie: nil).contains(" 404 "))
      #expect(tunnel.requests.count == 1)
    }
  }
}
