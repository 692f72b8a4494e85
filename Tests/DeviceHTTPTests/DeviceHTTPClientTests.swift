// HTTP of printers, and of what only pretends to be one.

internal import DeviceHTTP
internal import Foundation
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Testing

private let patience: Duration = .seconds(20)

private func post(to server: RawServer, within time: Duration = patience) async throws -> DeviceResponse {
  try await DeviceHTTPClient().post(
    DeviceRequest(
      address: "127.0.0.1", port: server.port, path: "/ipp/print", contentType: "application/ipp", body: [2, 0, 0, 11]),
    within: time)
}

private func failure(of acts: [Act], within time: Duration = patience) async throws -> DeviceHTTPError {
  let server = try await RawServer { _ in acts }
  do {
    let response = try await post(to: server, within: time)
    Issue.record("it answered \(response.status) with \(response.body.count) bytes")
    return .cancelled
  } catch let error as DeviceHTTPError { return error }
}

@Suite(.timeLimit(.minutes(5))) struct `A POST to a device` {
  @Test func `carries its host, its type and its length`() async throws {
    let seen = Mutex<[UInt8]>([])
    let server = try await RawServer { bytes in
      seen.withLock { $0 = bytes }
      return [.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/ipp\r\n\r\nok")]
    }
    let response = try await post(to: server)
    #expect(response.status == 200 && response.body == Array("ok".utf8))
    #expect(response.contentType == "application/ipp" && response.certificate == nil)
    let text = String(decoding: seen.withLock { $0 }, as: UTF8.self)
    #expect(text.hasPrefix("POST /ipp/print HTTP/1.1\r\n"))
    for header in ["Host: 127.0.0.1:\(server.port)", "Content-Type: application/ipp", "Content-Length: 4"] {
      #expect(text.contains(header + "\r\n"))
    }
    #expect(seen.withLock { Array($0.suffix(4)) } == [2, 0, 0, 11])
  }

  @Test(arguments: [
    // Chunks, an answer to nothing first, HTTP/1.0 that ends with the connection, line feeds alone.
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.0 200 OK\r\n\r\nabcde",
    "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nabcde",
  ])
  func `reads what printers answer`(answer: String) async throws {
    let server = try await RawServer { _ in [.send(answer), .close] }
    let response = try await post(to: server)
    #expect(response.status == 200 && response.body == Array("abcde".utf8))
  }

  @Test func `reads an answer that comes byte by byte`() async throws {
    let answer = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n".utf8)
    let server = try await RawServer { _ in answer.map { .send([$0]) } }
    #expect(try await post(to: server).body == Array("abcde".utf8))
  }

  @Test func `follows no redirection and tells where it led`() async throws {
    let server = try await RawServer { _ in
      [.send("HTTP/1.1 301 Moved\r\nLocation: https://10.0.0.1/ipp\r\nContent-Length: 0\r\n\r\n")]
    }
    let response = try await post(to: server)
    #expect(response.status == 301 && response.location == "https://10.0.0.1/ipp")
  }

  // MARK: Hostile servers

  @Test func `ends when headers do not`() async throws {
    let line = Array("X-Endless: \(String(repeating: "a", count: 4_000))\r\n".utf8)
    let error = try await failure(of: [.send("HTTP/1.1 200 OK\r\n"), .sendForEver(line)])
    #expect(error == .tooLarge || "\(error)".contains("no HTTP"), "\(error)")
  }

  @Test func `ends when one header does not`() async throws {
    let error = try await failure(
      of: [.send("HTTP/1.1 200 OK\r\nX: "), .sendForEver(Array(repeating: 0x61, count: 65_536))])
    #expect(error == .tooLarge || "\(error)".contains("no HTTP"), "\(error)")
  }

  @Test(arguments: ["Content-Length: 999999999999", "Transfer-Encoding: chunked"])
  func `ends when the body is too large`(header: String) async throws {
    let piece = Array("fffe\r\n".utf8) + Array(repeating: 0x61, count: 0xFFFE) + Array("\r\n".utf8)
    let error = try await failure(of: [.send("HTTP/1.1 200 OK\r\n\(header)\r\n\r\n"), .sendForEver(piece)])
    #expect(error == .tooLarge)
  }

  @Test(arguments: [
    "zz\r\nabc\r\n", "ffffffffffffffffff\r\nabc\r\n", "3\r\nabcXX5\r\n", "-3\r\nabc\r\n",
  ])
  func `does not read chunks that are none`(chunks: String) async throws {
    let error = try await failure(of: [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)"), .close])
    #expect("\(error)".contains("no HTTP"), "\(error)")
  }

  @Test(arguments: [
    "garbage", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{28}", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcde",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
  ])
  func `does not read what is no HTTP`(answer: String) async throws {
    let error = try await failure(of: [.send(answer), .close])
    #expect("\(error)".contains("no HTTP") || error == .cut, "\(error)")
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
  func `says that an answer was cut`(beginning: String) async throws {
    #expect(try await failure(of: [.send(beginning), .close]) == .cut)
  }

  @Test func `waits no longer than its time for a server that says nothing, or goes on drop by drop`() async throws {
    #expect(try await failure(of: [], within: .milliseconds(200)) == .timedOut)
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    #expect(try await failure(of: [.send(head)], within: .milliseconds(200)) == .timedOut)
  }

  @Test func `says that nothing listens`() async throws {
    // A port that is taken, so that nobody else gets it, and on which nobody listens.
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        #expect(bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0)
      }
    }
    let port = UInt16(bigEndian: address.sin_port)
    await #expect(throws: DeviceHTTPError.refused) {
      try await DeviceHTTPClient().connect(to: "127.0.0.1", port: port, within: patience)
    }
  }

  /// TCP goes to no group of hosts: Linux says so at once, whatever routes there are.
  @Test func `says in the system's words why a network is not reached`() async throws {
    await #expect(throws: DeviceHTTPError.unreachable("Network is unreachable")) {
      try await DeviceHTTPClient().connect(to: "224.0.0.1", port: 631, within: patience)
    }
    await #expect(throws: DeviceHTTPError.unreachable("Network is unreachable")) {
      let request = DeviceRequest(
        address: "224.0.0.1", port: 631, path: "/", contentType: "application/ipp", body: [])
      _ = try await DeviceHTTPClient().post(request, within: patience)
    }
  }

  @Test func `ends with its task`() async throws {
    let server = try await RawServer { _ in [] }
    let task = Task { try await post(to: server) }
    task.cancel()
    await #expect(throws: DeviceHTTPError.cancelled) { _ = try await task.value }
  }

  @Test func `says that a server speaks no TLS`() async throws {
    let server = try await RawServer { _ in [.close] }
    let request = DeviceRequest(
      address: "127.0.0.1", port: server.port, isEncrypted: true, path: "/", contentType: "application/ipp", body: [])
    await #expect(throws: DeviceHTTPError.self) {
      _ = try await DeviceHTTPClient().post(request, within: .milliseconds(500))
    }
  }
}
