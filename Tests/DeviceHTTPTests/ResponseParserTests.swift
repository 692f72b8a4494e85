// Answers of devices, cut anywhere, damaged anyhow.

import Testing

@testable import DeviceHTTP

@Suite struct `The parser of answers` {
  /// What comes of an answer in pieces of a size, and of the connection's end.
  private func parsed(
    _ text: String, by size: Int = .max, method: String = "GET", ends: Bool = false
  ) throws -> (head: ResponseHead?, body: String, isDone: Bool) {
    var parser = ResponseParser(method: method)
    var (head, body) = (ResponseHead?.none, [UInt8]())
    var bytes = Array(text.utf8)[...]
    var events: [ResponseParser.Event] = []
    while !bytes.isEmpty {
      events += try parser.receive(Array(bytes.prefix(size)))
      bytes = bytes.dropFirst(size)
    }
    if ends { events += try parser.finish() }
    for event in events {
      switch event {
      case .head(let first, _): head = first
      case .body(let piece): body += piece
      case .end: break
      }
    }
    return (head, String(decoding: body, as: UTF8.self), parser.isDone)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n1;a=b\r\no\r\n0\r\nt: x\r\n\r\n", "hello"),
    ("HTTP/1.0 200\n\nhello", "hello"), ("HTTP/1.1 204 No\r\n\r\n", ""),
    ("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nzz", "zz"),
  ]) func `gives the same whatever the pieces`(text: String, body: String) throws {
    for size in 1...text.utf8.count {
      let answer = try parsed(text, by: size, ends: true)
      #expect(answer.body == body && answer.isDone && answer.head != nil)
    }
  }

  @Test func `reads a head as browsers do`() throws {
    let head = try #require(
      try parsed("HTTP/1.1 200 Fine\nServer : x\r\nnonsense\r\nA: b\r\n  c\r\nLe:x\r\n\r\n").head)
    #expect(head.fields.map(\.name) == ["server", "a", "le"] && head.values("a") == ["b c"] && head.status == 200)
  }

  @Test func `reads what is no UTF-8 as it was meant`() throws {
    var parser = ResponseParser(method: "GET")
    let events = try parser.receive(Array("HTTP/1.1 204 x\r\nname: ".utf8) + [0xe9] + Array("\r\n\r\n".utf8))
    guard case .head(let head, isWhole: true)? = events.first else { throw Unexpected() }
    #expect(head.values("name") == ["é"])
  }

  @Test func `knows that an answer to HEAD has no body`() throws {
    let answer = try parsed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method: "HEAD")
    #expect(answer.isDone && answer.body.isEmpty)
  }

  @Test(arguments: [
    "hello", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 xyz\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
    "HTTP/1.1 200 OK\r\n: c\r\n\r\n", "HTTP/1.1 200 OK\r\na: \u{0}\r\n\r\n", "HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "HTTP/1.1 101 X\r\n\r\n",
  ]) func `refuses what could be read in two ways`(text: String) {
    for size in [1, 7, Int.max] {
      #expect(throws: DeviceFault.self) { _ = try parsed(text, by: size) }
    }
  }

  @Test func `keeps a head, a chunk's line and trailers within their limits`() {
    let many = String(repeating: "a: b\r\n", count: 20_000)
    for text in [
      "HTTP/1.1 200 OK\r\n" + many, "HTTP/1.1 200 OK\r\na: " + String(repeating: "b", count: 70_000),
      String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 9_000),
      "HTTP/1.1 200 OK\r\n" + String(many.prefix(6 * 600)) + "\r\n",
      String(repeating: "\r\n", count: 99_000) + "x",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 9_000),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + many,
    ] {
      for size in [61, 4_096, Int.max] { #expect(throws: DeviceFault.self) { _ = try parsed(text, by: size) } }
    }
  }

  @Test func `tells a cut answer from one that ends with its connection`() throws {
    #expect(throws: DeviceFault.cut) { _ = try parsed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", ends: true) }
    #expect(throws: DeviceFault.cut) {
      _ = try parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", ends: true)
    }
    #expect(throws: DeviceFault.cut) { _ = try parsed("HTTP/1.1 200 OK\r\n", ends: true) }
    #expect(throws: DeviceFault.notHTTP("the connection ended without an answer")) { _ = try parsed("", ends: true) }
    #expect(try parsed("HTTP/1.1 200 OK\r\n\r\nhe", ends: true).body == "he")
  }

  @Test func `never traps at damage`() {
    let text = Array(
      "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n1;a=b\r\no\r\n0\r\nt: x\r\n\r\n".utf8)
    for index in text.indices {
      for flip in 0..<8 {
        var damaged = text
        damaged[index] ^= 1 << flip
        var parser = ResponseParser(method: "GET")
        if (try? parser.receive(damaged)) != nil { _ = try? parser.finish() }
      }
    }
  }

  struct Unexpected: Error {}
}
