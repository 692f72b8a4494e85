// What others may try against a console, each as it comes over the wire.

internal import Glibc
internal import Synchronization
internal import Testing
internal import WebServing

private let json = "Content-Type: application/json"
private let ours = "X-PrintTrail: 1"

@Suite("Attacks on a console", .timeLimit(.minutes(5)))
struct AttackTests {
  @Test("a page of another origin is refused, whatever it sends")
  func foreignOrigin() async throws {
    try await serving { port, handler in
      let body = Array(#"{"text":"a"}"#.utf8)
      for (lines, code) in [
        ([ours, json, "Origin: https://evil.example"], "cross_site"),
        ([ours, json, "Origin: null"], "cross_site"),
        ([ours, json, "Origin: http://localhost.evil.example"], "cross_site"),
        ([ours, json, "Origin: https://localhost"], "cross_site"),
        ([ours, json, "Sec-Fetch-Site: cross-site"], "cross_site"),
        ([ours, json, "Sec-Fetch-Site: same-site"], "cross_site"),
        ([json, "Sec-Fetch-Site: same-origin"], "header_missing"),
        ([json], "header_missing"),
        (["X-PrintTrail: yes", json], "header_missing"),
      ] {
        let answer = try await ask(port, ["POST /api/echo HTTP/1.1"] + lines, body: body)
        #expect(answer.status == 403 && answer.code == code, "\(lines)")
      }
      #expect(handler.seen.withLock { $0.isEmpty })
      let fine = try await ask(
        port, ["POST /api/echo HTTP/1.1", ours, json, "Origin: http://localhost", "Sec-Fetch-Site: same-origin"],
        body: body)
      #expect(fine.status == 200 && fine.text == #"{"text":"a","number":null}"#)
    }
  }

  @Test("what another origin reads is refused too, and a preflight gets no leave")
  func foreignReads() async throws {
    try await serving { port, _ in
      #expect(
        try await ask(port, ["GET /api/query HTTP/1.1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"]).status
          == 403)
      #expect(
        try await ask(port, ["GET /api/query HTTP/1.1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"])
          .status == 403)
      let preflight = try await ask(
        port, ["OPTIONS /api/echo HTTP/1.1", "Origin: https://evil.example", "Access-Control-Request-Method: POST"])
      #expect(preflight.status == 405)
      #expect(!preflight.head.lowercased().contains("access-control-allow"))
      // A link to the console from a mail or a ticket.
      #expect(
        try await ask(port, ["GET / HTTP/1.1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"]).status == 200)
    }
  }

  @Test(
    "a name that is not the console's is refused: DNS rebinding",
    arguments: [
      "evil.example", "evil.example:1301", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.5", "[::2]", "",
      "localhost:x",
      "localhost@evil.example", "localhost/", "127.0.0.2",
    ])
  func rebinding(host: String) async throws {
    try await serving { port, handler in
      let answer = try await ask(port, ["GET /api/query HTTP/1.1"], host: host)
      #expect(answer.status == 421 && answer.code == "wrong_host" || answer.status == 400, "\(answer.head)")
      #expect(handler.seen.withLock { $0.isEmpty })
    }
  }

  @Test("no host, and two hosts, are refused; the console's names are taken in any case and with any port")
  func hosts() async throws {
    try await serving(hosts: ["Print-Srv.example.org"]) { port, _ in
      for (lines, host) in [
        (["GET /api/query HTTP/1.1"], nil), (["GET /api/query HTTP/1.1", "Host: evil.example"], "localhost"),
      ] {
        let status = try await ask(port, lines, host: host).status
        #expect([400, 421].contains(status))
      }
      // The absolute form of a target (RFC 9112, section 3.2.2) is no way around.
      #expect(try await ask(port, ["GET http://localhost/api/query HTTP/1.1"], host: "evil.example").status != 200)
      for host in ["LOCALHOST:99", "127.0.0.1", "[::1]:1301", "print-srv.example.org", "localhost."] {
        #expect(try await ask(port, ["GET /api/query HTTP/1.1"], host: host).status == 200, "\(host)")
      }
    }
  }

  @Test(
    "no path leads out of the console",
    arguments: [
      "/../etc/passwd", "/..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/app/../../etc/passwd",
      "/app/%2e%2e%2f%2e%2e%2fetc/passwd",
      "//etc/passwd", "/etc//passwd", "/app/..\\..\\windows", "/%00", "/app/%0d%0aSet-Cookie:x", "/%c0%ae%c0%ae/", "/%",
      "/%zz",
      "*", "/./app",
    ])
  func traversal(target: String) async throws {
    try await serving { port, handler in
      let answer = try await ask(port, ["GET \(target) HTTP/1.1"])
      #expect(answer.status == 400, "\(answer.head)")
      #expect(!answer.text.contains("root:"))
      #expect(handler.seen.withLock { $0.isEmpty })
    }
  }

  @Test("a body that is too large is refused before it is read, and one that grows while it comes as well")
  func largeBodies() async throws {
    try await serving { port, handler in
      let announced = try await ask(
        port, ["POST /api/echo HTTP/1.1", ours, json, "Content-Length: 1000000000"])
      #expect(announced.status == 413 && announced.code == "too_large")
      let chunk = String(repeating: "a", count: 16_000)
      let status = try await onThread { () -> Int? in
        let client = try RawClient(port)
        client.send(
          "POST /api/echo HTTP/1.1\r\nHost: localhost\r\n\(ours)\r\n\(json)\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<5 { client.send("3e80\r\n\(chunk)\r\n") }
        client.send("0\r\n\r\n")
        return client.answer()?.status
      }
      #expect(status == 413)
      #expect(handler.seen.withLock { $0.isEmpty })
    }
  }

  @Test(
    "what is no JSON by its type is refused",
    arguments: [
      "", "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded",
      "Content-Type: multipart/form-data; boundary=x",
      "Content-Type: text/json", "Content-Type: application/json; charset=utf-16",
      "Content-Type: application/json\r\nContent-Encoding: gzip",
    ])
  func wrongTypes(type: String) async throws {
    try await serving { port, handler in
      let answer = try await ask(
        port, ["POST /api/echo HTTP/1.1", ours] + (type.isEmpty ? [] : [type]), body: Array(#"{"text":"a"}"#.utf8))
      #expect(answer.status == 415 && answer.code == "not_json")
      #expect(handler.seen.withLock { $0.isEmpty })
    }
  }

  @Test("what is no JSON, no UTF-8 or none of the members is refused with its name")
  func wrongBodies() async throws {
    try await serving { port, _ in
      let noJSON = [
        "{", "[", "nul", #"{"text":}"#, #"{"text":"a"}}"#, "\"", "{'text':1}", #"{"text":"\x"}"#, "[]", "1", "null",
        #""a""#,
        String(repeating: "[", count: 60_000),
      ].map { (Array($0.utf8), "bad_json") }
      let wrong = [
        #"{"text":1}"#, #"{"number":11}"#, #"{"number":1.5}"#, #"{"number":"1"}"#, #"{"number":99999999999999999999}"#,
      ].map { (Array($0.utf8), "bad_value") }
      let others: [([UInt8], String)] = [
        ([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d], "bad_json"), (Array(#"{"texts":1}"#.utf8), "unknown_member"),
      ]
      for (body, code) in noJSON + wrong + others {
        let answer = try await ask(port, ["POST /api/echo HTTP/1.1", ours, json], body: body)
        #expect(answer.status == 400 && answer.code == code, "\(String(decoding: body.prefix(40), as: UTF8.self))")
      }
    }
  }

  @Test("parameters of the wrong kind, twice, unknown or badly encoded are refused")
  func wrongParameters() async throws {
    try await serving { port, _ in
      for (query, code) in [
        ("limit=0", "bad_value"), ("limit=501", "bad_value"), ("limit=abc", "bad_value"), ("limit=+5", "bad_value"),
        ("limit=1&limit=2", "bad_value"), ("limits=1", "unknown_member"), ("limit=%ff", "bad_request"),
        ("limit=%", "bad_request"),
        ((0..<65).map { "q=\($0)" }.joined(separator: "&"), "bad_request"),
      ] {
        let answer = try await ask(port, ["GET /api/query?\(query) HTTP/1.1"])
        #expect(answer.status == 400 && answer.code == code, "\(query): \(answer.text)")
      }
      #expect(try await ask(port, ["GET /api/query?limit=7&q=a+b%2Cc HTTP/1.1"]).text == "7")
    }
  }

  @Test("every answer has the protections, and a fault of ours tells nothing of itself")
  func protections() async throws {
    try await serving { port, _ in
      for line in ["GET / HTTP/1.1", "GET /nothing HTTP/1.1", "GET /api/broken HTTP/1.1", "PATCH /api/echo HTTP/1.1"] {
        let answer = try await ask(port, [line])
        #expect(answer.header("content-security-policy")?.contains("default-src 'none'") ?? false, "\(line)")
        #expect(answer.header("x-content-type-options") == "nosniff")
        #expect(answer.header("cross-origin-opener-policy") == "same-origin")
        #expect(answer.header("referrer-policy") == "no-referrer")
      }
      let broken = try await ask(port, ["GET /api/broken HTTP/1.1"])
      #expect(broken.status == 500 && broken.code == "internal")
      #expect(!broken.text.contains("SECRET") && !broken.text.contains(".swift"))
    }
  }

  @Test("what is no HTTP ends the connection, and the next one is served")
  func noHTTP() async throws {
    try await serving { port, _ in
      for bytes in [
        Array("\u{16}\u{03}\u{01}hello".utf8), [UInt8](repeating: 0, count: 500), Array("GET\r\n\r\n".utf8),
      ] {
        let rest = try await onThread { () -> [UInt8]? in
          let client = try RawClient(port)
          client.send(bytes)
          return client.receive()
        }
        #expect(rest != nil)
        #expect(!String(decoding: rest ?? [], as: UTF8.self).contains("200"))
      }
      #expect(try await ask(port, ["GET / HTTP/1.1"]).status == 200)
    }
  }

  @Test("a head that is too large, or has too many fields, is refused")
  func largeHeads() async throws {
    try await serving { port, handler in
      let long = String(repeating: "a", count: 100_000)
      for lines in [
        ["GET /\(long) HTTP/1.1"], ["GET /api/query HTTP/1.1", "Cookie: \(long)"],
        ["GET /api/query HTTP/1.1"] + (0..<300).map { "X-\($0): 1" },
      ] {
        let status = try await onThread { () -> Int in
          let client = try RawClient(port)
          client.send((lines + ["Host: localhost"]).joined(separator: "\r\n") + "\r\n\r\n")
          return client.answer()?.status ?? 0
        }
        #expect(status == 0 || (400..<500).contains(status), "\(lines[0].prefix(30)) \(status)")
      }
      #expect(handler.seen.withLock { $0.isEmpty })
    }
  }
}

@Suite("Slow and greedy clients of a console", .serialized, .timeLimit(.minutes(5)))
struct SlowClientTests {
  @Test("a request that comes byte by byte is cut; others are served meanwhile")
  func slowloris() async throws {
    var limits = WebLimits()
    limits.requestTimeMax = .seconds(2)
    try await serving(limits: limits) { port, _ in
      let held = try await onThread { () -> Duration? in
        let client = try RawClient(port)
        let start = ContinuousClock.now
        client.timeout(milliseconds: 50)
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
        while start.duration(to: .now) < .seconds(12) {
          client.send("X-a: b\r\n")
          if let bytes = client.receive(), bytes.isEmpty { return start.duration(to: .now) }
        }
        return nil
      }
      let time = try #require(held)
      #expect(time >= .milliseconds(1_900) && time < .seconds(8), "\(time)")
      let body = try await onThread { () -> [UInt8]? in
        let client = try RawClient(port)
        client.send("POST /api/echo HTTP/1.1\r\nHost: localhost\r\n\(ours)\r\n\(json)\r\nContent-Length: 50\r\n\r\n{")
        return client.receive()
      }
      #expect(body == [])
      let silent = try await onThread { () -> [UInt8]? in try RawClient(port).receive() }
      #expect(silent == [])
      #expect(try await ask(port, ["GET / HTTP/1.1"]).status == 200)
    }
  }

  @Test("a connection that goes on between requests is not cut")
  func patient() async throws {
    var limits = WebLimits()
    limits.requestTimeMax = .seconds(2)
    try await serving(limits: limits) { port, _ in
      let statuses = try await onThread { () -> [Int?] in
        let client = try RawClient(port)
        return (0..<3).map { _ in
          client.send("GET /api/query HTTP/1.1\r\nHost: localhost\r\n\r\n")
          let status = client.answer()?.status
          sleep(3)
          return status
        }
      }
      #expect(statuses == [200, 200, 200])
    }
  }

  @Test("a client that does not read its answer is cut")
  func unread() async throws {
    var limits = WebLimits()
    limits.unreadTimeMax = .milliseconds(500)
    try await serving(limits: limits) { port, _ in
      let isCut = try await onThread { () -> Bool in
        let client = try RawClient(port, receiveBuffer: 4_096)
        client.send("GET /api/large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        usleep(2_500_000)
        // What lay in the buffers comes, then the end: not all of 32 MiB.
        var count = 0
        while let bytes = client.receive(), !bytes.isEmpty { count += bytes.count }
        return count < 32 << 20
      }
      #expect(isCut)
    }
  }

  @Test("an event stream that nobody reads costs a bounded queue, and is cut; one that reads gets all")
  func unreadEvents() async throws {
    var limits = WebLimits()
    limits.unreadTimeMax = .seconds(1)
    limits.heartbeat = .milliseconds(100)
    try await serving(limits: limits) { port, handler in
      let done = Atomic(false)
      async let lazy = onThread { () -> Bool in
        let client = try RawClient(port, receiveBuffer: 4_096)
        client.send("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while !done.load(ordering: .acquiring) { usleep(50_000) }
        usleep(2_500_000)
        while let bytes = client.receive() { if bytes.isEmpty { return true } }
        return false
      }
      async let eager = onThread { () -> String in
        let client = try RawClient(port)
        client.send("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client.receive(until: "event: last")
      }
      while !handler.feed.hasListeners { try await Task.sleep(for: .milliseconds(20)) }
      try await Task.sleep(for: .milliseconds(300))
      let long = WebJSON.object([("text", .string(String(repeating: "a", count: 4_000)))])
      for _ in 0..<4_000 {
        handler.feed.publish("record", long)
        await Task.yield()
      }
      handler.feed.publish("last", .object([]))
      let text = try await eager
      #expect(text.contains("event: last") && text.contains("event: reset"))
      done.store(true, ordering: .releasing)
      let isCut = try await lazy
      #expect(isCut)
    }
  }

  @Test("a client gets so many connections and no more, and others get theirs once it lets go")
  func connections() async throws {
    var limits = WebLimits()
    limits.connectionsPerClientMax = 8
    try await serving(limits: limits) { port, _ in
      let (served, refused) = try await onThread { () -> (Int, Int) in
        let clients = try (0..<20).map { _ in try RawClient(port) }
        var (served, refused) = (0, 0)
        for client in clients {
          client.send("GET /api/query HTTP/1.1\r\nHost: localhost\r\n\r\n")
          if client.answer()?.status == 200 { served += 1 } else { refused += 1 }
        }
        return (served, refused)
      }
      #expect(served == 8 && refused == 12)
      var status: Int?
      for _ in 0..<50 where status != 200 {
        try await Task.sleep(for: .milliseconds(50))
        status = try await onThread {
          let client = try RawClient(port)
          client.send("GET /api/query HTTP/1.1\r\nHost: localhost\r\n\r\n")
          return client.answer()?.status
        }
      }
      #expect(status == 200)
    }
  }

  @Test("of ten thousand requests a second few are looked at, and whoever asks once afterwards is answered")
  func flood() async throws {
    try await serving { port, handler in
      let batch = Array(String(repeating: "GET /api/query HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 200).utf8)
      let sent = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<16 {
          group.addTask {
            try await onThread {
              var count = 0
              let end = ContinuousClock.now.advanced(by: .seconds(3))
              while ContinuousClock.now < end {
                guard let client = try? RawClient(port) else { continue }
                client.timeout(milliseconds: 20)
                while ContinuousClock.now < end, client.send(batch) {
                  count += 200
                  while let bytes = client.receive(), !bytes.isEmpty {}
                }
              }
              return count
            }
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(sent > 10_000)
      // The burst, and 200 a second.
      #expect(handler.seen.withLock { $0.count } < 1_600)
      try await Task.sleep(for: .seconds(2))
      #expect(try await ask(port, ["GET /api/query HTTP/1.1"]).status == 200)
    }
  }

  @Test("an answer that takes too long is given up")
  func slowAnswer() async throws {
    var limits = WebLimits()
    limits.answerTimeMax = .milliseconds(300)
    try await serving(limits: limits) { port, _ in
      let answer = try await ask(port, ["GET /api/slow HTTP/1.1"])
      #expect(answer.status == 504 && answer.code == "took_too_long")
    }
  }

  @Test("a server that ends closes its event streams in order")
  func ends() async throws {
    let stream = Mutex<RawClient?>(nil)
    try await serving { port, handler in
      let client = try RawClient(port)
      client.send("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      while !handler.feed.hasListeners { try await Task.sleep(for: .milliseconds(20)) }
      stream.withLock { $0 = client }
    }
    let rest = try #require(stream.withLock { $0 }?.receive(until: "\r\n0\r\n\r\n"))
    #expect(rest.hasSuffix("0\r\n\r\n"))
  }
}
