// Connections that are used for more than one request, and when they are not: what a device sends out of turn answers nobody's question.

internal import AlertRules
internal import Events
internal import Foundation
internal import HTTP2
internal import OpenSSL
@testable internal import RemoteTechnician
internal import Testing

@Suite(.timeLimit(.minutes(3))) struct `A connection to a device` {
  private static func ok(_ body: String, _ headers: String = "") -> Act {
    .send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
  }

  private func eventually(_ what: String, _ holds: () -> Bool) async throws {
    for _ in 0..<400 where !holds() { try await Task.sleep(for: .milliseconds(10)) }
    #expect(holds(), "\(what)")
  }

  @Test(arguments: [nil, "device"]) func `serves one request after another`(certificate: String?) async throws {
    let device = try await KeptDevice(certificates: certificate.map { [$0] } ?? []) { [Self.ok($0.line)] }
    let visit = try await Visit(ports: [device.port])
    let scheme = certificate == nil ? "http" : "https"
    for number in 0..<5 {
      let answer = try await visit.ask("/\(number)", port: device.port, scheme: scheme)
      #expect(answer.text == "GET /\(number) HTTP/1.1")
    }
    #expect(try await visit.ask("HEAD", "/", port: device.port, scheme: scheme).status == 200)
    #expect(device.opened == 1 && device.requests.map(\.number) == Array(0..<6))
    // With the session it ends.
    try await visit.close()
    try await eventually("none is left open") { device.open == 0 }
  }

  struct Ending: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var acts: [Act]
  }

  @Test(arguments: [
    Ending(testDescription: "Connection: close", acts: [Self.ok("a", "Connection: close\r\n")]),
    Ending(testDescription: "HTTP/1.0", acts: [.send("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na")]),
    Ending(testDescription: "no length", acts: [.send("HTTP/1.1 200 OK\r\n\r\na"), .close]),
    Ending(testDescription: "more than it says", acts: [Self.ok("a"), .send("HTTP/1.1 200 OK\r\n")]),
    Ending(
      testDescription: "another answer behind it in one piece",
      acts: [
        .send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
      ]),
    Ending(
      testDescription: "chunks and a length",
      acts: [
        .send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
      ]),
    Ending(
      testDescription: "chunks in HTTP/1.0",
      acts: [
        .send(
          "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
      ]),
    Ending(testDescription: "a second that is its last", acts: [Self.ok("a", "Keep-Alive: timeout=1, max=9\r\n")]),
    Ending(testDescription: "the device closes", acts: [Self.ok("a"), .close]),
  ]) func `is not used again after`(_ ending: Ending) async throws {
    let device = try await KeptDevice { _ in ending.acts }
    let visit = try await Visit(ports: [device.port])
    for _ in 0..<2 {
      let answer = try await visit.ask("/", port: device.port)
      #expect(answer.status == 200 && answer.text == "a")
      try await eventually("it is closed") { device.open == 0 }
    }
    #expect(device.opened == 2 && device.requests.map(\.number) == [0, 0])
    try await visit.close()
  }

  @Test func `over which bytes come that nobody asked for is closed, and they are nobody's answer`() async throws {
    let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    let device = try await KeptDevice { request in
      request.connection == 0 ? [Self.ok("true"), .send(forged)] : [Self.ok("true")]
    }
    let visit = try await Visit(ports: [device.port])
    #expect(try await visit.ask("/a", port: device.port).text == "true")
    try await eventually("it is closed") { device.open == 0 }
    #expect(try await visit.ask("/b", port: device.port).text == "true")
    #expect(device.requests.map(\.line) == ["GET /a HTTP/1.1", "GET /b HTTP/1.1"] && device.opened == 2)
    try await visit.close()
  }

  @Test func `that ends in between is made anew, once, for what may be asked twice`() async throws {
    // The first connection takes a second request and ends without an answer, as one does that is being closed.
    let device = try await KeptDevice { request in request.number == 0 ? [Self.ok("true")] : [.close] }
    let visit = try await Visit(ports: [device.port])
    #expect(try await visit.ask("/a", port: device.port).text == "true")
    #expect(try await visit.ask("/b", port: device.port).text == "true")
    #expect(device.requests.map(\.line) == ["/a", "/b", "/b"].map { "GET \($0) HTTP/1.1" })
    #expect(device.requests.map(\.connection) == [0, 0, 1])
    let records = [try await visit.records.request(), try await visit.records.request(1)]
    #expect(records.map(\.path) == ["/a", "/b"], "whoever asked twice asked once")
    try await visit.close()
  }

  @Test func `that ends in the middle of an answer is not made anew`() async throws {
    let device = try await KeptDevice { request in
      request.number == 0 ? [Self.ok("true")] : [.send("HTTP/1.1 200 OK\r\nContent-Len"), .close]
    }
    let visit = try await Visit(ports: [device.port])
    #expect(try await visit.ask("/a", port: device.port).text == "true")
    #expect(try await visit.ask("/b", port: device.port).error == "not-http")
    #expect(device.requests.count == 2 && device.opened == 1)
    try await visit.close()
  }

  @Test func `is a new one for what changes anything`() async throws {
    let device = try await KeptDevice { request in [Self.ok("\(request.connection)")] }
    let visit = try await Visit(ports: [device.port])
    #expect(try await visit.ask("/", port: device.port).text == "0")
    for number in 1...2 {
      let answer = try await visit.ask(
        "POST", "/", port: device.port, headers: [HTTP2Header("content-length", "3")], body: Array("a=b".utf8))
      #expect(answer.text == "\(number)")
    }
    #expect(try await visit.ask("DELETE", "/", port: device.port).text == "3")
    #expect(device.requests.map(\.number) == [0, 0, 0, 0])
    try await visit.close()
  }

  @Test func `is one of a few`() async throws {
    let device = try await KeptDevice { _ in [Self.ok("a")] }
    let visit = try await Visit(
      ports: [device.port], limits: { ($0.connectionsMax, $0.restingMax, $0.restingTime) = (3, 2, .seconds(600)) })
    // Two at a time, as a browser asks: of three connections one may rest.
    try await withThrowingTaskGroup(of: Void.self) { group in
      for asker in 0..<2 {
        group.addTask {
          for number in 0..<15 {
            let answer = try await visit.ask("/\(asker)/\(number)", port: device.port)
            #expect(answer.text == "a")
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(device.requests.count == 30 && device.opened < 30)
    #expect(device.open <= 3)
    try await visit.close()
  }

  @Test func `rests for a short time alone`() async throws {
    let device = try await KeptDevice { _ in [Self.ok("a")] }
    let visit = try await Visit(ports: [device.port], limits: { $0.restingTime = .milliseconds(300) })
    #expect(try await visit.ask("/", port: device.port).text == "a")
    try await eventually("nothing rests for long") { device.open == 0 }
    #expect(device.opened == 1)
    try await visit.close()
  }

  @Test func `does not outlive the certificate that was known`() async throws {
    let device = try await KeptDevice(certificates: ["device", "other-device"]) { _ in [Self.ok("a")] }
    let visit = try await Visit(ports: [device.port])
    #expect(try await visit.ask("/", port: device.port, scheme: "https").text == "a")
    // A new connection shows another certificate: what rests is closed, and the next request is no better off.
    for method in ["POST", "GET"] {
      #expect(try await visit.ask(method, "/", port: device.port, scheme: "https").error == "tls-changed")
    }
    #expect(device.requests.count == 1 && device.opened == 3)
    try await visit.close()
  }
}
