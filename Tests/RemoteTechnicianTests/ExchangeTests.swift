// Requests through a session, to devices that behave and to such as do not.

internal import DeviceHTTP
internal import Events
internal import Foundation
internal import HTTP2
internal import OpenSSL
@testable internal import RemoteTechnician
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct `A device's pages through a session` {
  @Test func `are what the device serves, without what is of one hop or forged`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let answer = try await visit.ask("/", port: device.port)
    #expect(answer.status == 200 && answer.text == "<h1>Device</h1>")
    #expect(answer.headers.filter { $0.name == "set-cookie" }.map(\.value) == ["a=1", "b=2"])
    #expect(answer.headers.first(named: "content-length") == "15")
    for name in ["pt-error", "via", "keep-alive", "connection"] { #expect(answer.headers.first(named: name) == nil) }
    #expect(try await visit.ask("/nothing", port: device.port).status == 404)
    let head = try await visit.ask("HEAD", "/", port: device.port)
    #expect(head.status == 200 && head.body.isEmpty && head.headers.first(named: "content-length") == "15")
    try await visit.close()
  }

  @Test func `are asked for as by one client, whatever stood before the hub`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let answer = try await visit.ask(
      "/headers", port: device.port,
      headers: [
        HTTP2Header("cookie", "a=1"), HTTP2Header("cookie", "b=2"), HTTP2Header("x-forwarded-for", "1.2.3.4"),
        HTTP2Header("forwarded", "for=x"), HTTP2Header("via", "2 x"), HTTP2Header("pt-session", "x"),
        HTTP2Header("accept-encoding", "gzip"), HTTP2Header("host", "evil.example"),
        HTTP2Header("expect", "100-continue"),
      ])
    struct Told: Decodable {
      let line: String
      let headers: [[String]]
    }
    let told = try JSONDecoder().decode(Told.self, from: Data(answer.body))
    #expect(told.line == "GET /headers HTTP/1.1")
    #expect(
      told.headers == [
        ["Host", "127.0.0.1:\(device.port)"], ["Accept-Encoding", "gzip"], ["Cookie", "a=1; b=2"],
        ["Connection", "keep-alive"],
      ])
    try await visit.close()
  }

  @Test func `keep their encoding and their redirects, and lose their chunks`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let gzip = try await visit.ask("/gzip", port: device.port)
    #expect(gzip.headers.first(named: "content-encoding") == "gzip" && gzip.body.starts(with: [0x1f, 0x8b]))
    #expect(gzip.body.count < 1_000, "a bomb is not made larger here")
    let redirect = try await visit.ask("/redirect", port: device.port)
    #expect(redirect.status == 302 && redirect.headers.first(named: "location") == "http://elsewhere.example/")
    let chunked = try await visit.ask("/chunked", port: device.port)
    #expect(chunked.text == "one two three" && chunked.headers.first(named: "transfer-encoding") == nil)
    try await visit.close()
  }

  @Test func `take uploads, with their length and without`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let digest = SHA256.hash(body).hex
    let known = try await visit.ask(
      "POST", "/upload", port: device.port, headers: [HTTP2Header("content-length", "\(body.count)")], body: body)
    #expect(known.text == "5000000 \(digest)")
    let unknown = try await visit.ask("POST", "/upload", port: device.port, body: body)
    #expect(unknown.text == "5000000 \(digest)")
    #expect(try await visit.ask("POST", "/upload", port: device.port).text.hasPrefix("0 "))
    #expect(try await visit.records.request().bytesSent == 5_000_000)
    try await visit.close()
  }

  @Test func `come at the speed of the loopback, fifty megabytes of them`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let begun = ContinuousClock.now
    let stream = try visit.stream("GET", "/large?50000000", port: device.port)
    var count = 0
    while let part = try await stream.next() { if case .data(let bytes) = part { count += bytes.count } }
    let seconds = begun.duration(to: .now) / .seconds(1)
    print("50 MB through a session: \(Int(400 / seconds)) Mbit/s")
    #expect(count == 50_000_000)
    #expect(try await visit.records.request().bytesReceived == 50_000_000)
    try await visit.close()
  }

  @Test func `are not read faster than the hub takes them`() async throws {
    let device = try await RawDevice([
      .send("HTTP/1.1 200 OK\r\n\r\n"), .sendForEver([UInt8](repeating: 1, count: 64 << 10)),
    ])
    let visit = try await Visit(ports: [device.port], hub: { $0.streamWindowBytes = 100_000 })
    let stream = try visit.stream("GET", "/", port: device.port)
    guard case .headers? = try await stream.next() else { throw Unexpected() }
    var before: UInt64 = 1
    while visit.session.usage.bytesReceived != before {
      before = visit.session.usage.bytesReceived
      try await Task.sleep(for: .milliseconds(300))
    }
    #expect(before < 2 << 20, "what may wait, and no more")
    stream.abandon()
    #expect(try await visit.records.request().status == 200)
    try await visit.close()
  }

  @Test func `may be WebSockets`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let stream = try visit.hub.openStream([
      HTTP2Header(":method", "CONNECT"), HTTP2Header(":protocol", "websocket"), HTTP2Header(":scheme", "http"),
      HTTP2Header(":authority", "\(Visit.device):\(device.port)"), HTTP2Header(":path", "/ws"),
    ])
    guard case .headers(let fields)? = try await stream.next() else { throw Unexpected() }
    #expect(fields.first(named: ":status") == "200" && fields.first(named: "sec-websocket-accept") == nil)
    for word in ["one", "another"] {
      try await stream.send(Array(word.utf8))
      guard case .data(let bytes)? = try await stream.next() else { throw Unexpected() }
      #expect(String(decoding: bytes, as: UTF8.self) == word)
    }
    stream.abandon()
    let record = try await visit.records.request()
    #expect(record.status == 200 && record.bytesSent == 10 && record.bytesReceived == 10)
    try await visit.close()
  }

  // MARK: Hostile and broken devices

  struct Hostile: Sendable, CustomTestStringConvertible {
    var name: String
    var acts: [Act]
    var status = 502
    var error: String?
    var body = ""
    var isCut = false
    var testDescription: String { name }
  }

  static let devices = [
    Hostile(name: "HTTP/0.9", acts: [.send("<html>hello"), .close], error: "not-http"),
    Hostile(name: "nothing", acts: [.close], error: "not-http"),
    Hostile(name: "another protocol", acts: [.send("SSH-2.0-OpenSSH\r\n")], error: "not-http"),
    Hostile(
      name: "headers without end", acts: [.send("HTTP/1.1 200 OK\r\n"), .sendForEver(Array("x: y\r\n".utf8))],
      error: "too-large"),
    Hostile(
      name: "a line without end",
      acts: [.send("HTTP/1.1 200 OK\r\nx: "), .sendForEver([UInt8](repeating: 0x61, count: 999))], error: "too-large"),
    Hostile(
      name: "interim answers without end", acts: [.sendForEver(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))],
      error: "too-large"),
    Hostile(
      name: "two lengths", acts: [.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")],
      error: "not-http"),
    Hostile(
      name: "a length that is none", acts: [.send("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")], error: "not-http"),
    Hostile(
      name: "an upgrade that nobody asked for", acts: [.send("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n")],
      error: "not-http"),
    Hostile(name: "a control character", acts: [.send("HTTP/1.1 200 OK\r\nx: a\u{1}b\r\n\r\n")], error: "not-http"),
    Hostile(name: "silence", acts: [], status: 504, error: "slow"),
    Hostile(name: "a head that stands still", acts: [.send("HTTP/1.1 200 O")], status: 504, error: "slow"),
    Hostile(
      name: "a body that stands still", acts: [.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")], status: 200,
      isCut: true),
    Hostile(
      name: "bad chunks", acts: [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n")],
      error: "not-http"),
    Hostile(
      name: "a chunk of no size", acts: [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")],
      error: "not-http"),
    Hostile(
      name: "less than it says", acts: [.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), .close], status: 200,
      isCut: true),
    Hostile(
      name: "more than it says", acts: [.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), .close],
      status: 200, body: "abc"),
    Hostile(name: "no length", acts: [.send("HTTP/1.0 200 OK\n\nabc"), .close], status: 200, body: "abc"),
    Hostile(
      name: "lines that end anyhow",
      acts: [.send("\r\nHTTP/1.1 200\nno colon\r\nA : b\r\n\tc\nContent-Length: 1\r\n\r\nx")], status: 200, body: "x"),
    Hostile(
      name: "chunks and a length",
      acts: [
        .send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n")
      ], status: 200, body: "abc"),
    Hostile(
      name: "an interim answer", acts: [.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n")], status: 204),
  ]

  @Test(arguments: devices) func `of a hostile device end in a clear answer`(device hostile: Hostile) async throws {
    let device = try await RawDevice(hostile.acts)
    let visit = try await Visit(
      ports: [device.port],
      limits: {
        ($0.headPatience, $0.bodyPatience) = (.seconds(2), .seconds(2))
      })
    if hostile.isCut {
      await #expect(throws: HTTP2Error.self) { _ = try await visit.ask("/", port: device.port) }
    } else {
      let answer = try await visit.ask("/", port: device.port)
      #expect(answer.status == hostile.status && answer.error == hostile.error)
      if hostile.error == nil { #expect(answer.text == hostile.body) }
      if hostile.error != nil { #expect(answer.headers.first(named: "content-type") == "text/plain; charset=utf-8") }
    }
    let record = try await visit.records.request()
    #expect(Int(record.status) == hostile.status && (hostile.isCut || record.error == hostile.error ?? ""))
    try await visit.close()
  }

  @Test func `of a device whose head drips end after a time for all of it`() async throws {
    let device = try await RawDevice([.send("HTTP/1.1 200 OK\r\n"), .sendForEver(Array("x".utf8))])
    let visit = try await Visit(
      ports: [device.port],
      limits: {
        $0.headTimeMax = .zero
      })
    #expect(try await visit.ask("/", port: device.port).error == "slow")
    try await visit.close()
  }

  @Test func `where nothing listens are refused`() async throws {
    let visit = try await Visit(ports: [1])
    let answer = try await visit.ask("/", port: 1)
    #expect(answer.status == 502 && answer.error == "refused")
    try await visit.close()
  }
}

struct Unexpected: Error {}
