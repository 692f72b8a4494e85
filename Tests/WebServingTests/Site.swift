// A server on a port of its own, and a client that sends whatever bytes it is given.

internal import Dispatch
internal import Glibc
internal import Logging
internal import NIOSSL
internal import ServiceLifecycle
internal import Synchronization
internal import Testing
internal import WebServing

/// Answers what the tests ask for, and remembers what came through the gate.
final class TestHandler: WebHandler {
  let feed = EventFeed(subscriptionsMax: 4)
  let seen = Mutex<[WebRequest]>([])
  private let assets: Assets

  init() throws { assets = try Assets(.agent) }

  @concurrent func answer(_ request: WebRequest) async throws -> WebAnswer {
    seen.withLock { if $0.count < 10_000 { $0.append(request) } }
    switch request.path {
    case ["api", "echo"]:
      var members = Members(try request.members())
      let text = try members.text("text")
      let number = try members.number("number", in: 0...10)
      try members.finish()
      return .json(.object([("text", WebJSON(text)), ("number", WebJSON(number))]))
    case ["api", "query"]:
      try request.query.expect(["limit", "q"])
      return .json(.integer(Int64(try request.query.number("limit", in: 1...500, default: 50))))
    case ["api", "large"]: return .json(.string(String(repeating: "abcdefgh", count: 4 << 20)))
    case ["api", "text"]: return .json(.string(String(repeating: "abcdefgh", count: 1 << 10)))
    case ["api", "slow"]:
      try await Task.sleep(for: .seconds(30))
      return .noContent
    case ["api", "broken"]: throw Broken()
    case ["api", "events"]: return .events(try feed.subscribe(after: request.header("last-event-id")))
    default:
      guard let asset = assets.answer(request) else { throw WebError.notFound() }
      return asset
    }
  }

  func end() { feed.end() }
}

struct Broken: Error, CustomStringConvertible {
  var description: String { "SECRET-DETAIL at /usr/lib/secret.swift:12" }
}

extension WebLimits {
  /// On a machine that is busy with other tests, a request is looked at when its turn comes.
  static var patient: WebLimits {
    var limits = WebLimits()
    limits.requestTimeMax = .seconds(60)
    return limits
  }
}

/// Runs a server for as long as `body` lasts.
func serving(
  limits: WebLimits = .patient, hosts: [String] = [], tls: TLSConfiguration? = nil,
  _ body: (UInt16, TestHandler) async throws -> Void
) async throws {
  let handler = try TestHandler()
  let (ports, port) = AsyncStream.makeStream(of: Int.self)
  var configuration = WebConfiguration(
    name: "console", host: "127.0.0.1", port: 0, hosts: HostNames(hosts, hasLoopback: true), tls: tls,
    serverName: "test")
  configuration.limits = limits
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let server = WebServer(configuration, handler: handler, logger: logger) { port.yield($0) }
  let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
  try await withThrowingTaskGroup { tasks in
    tasks.addTask { try await group.run() }
    var iterator = ports.makeAsyncIterator()
    let number = try #require(await iterator.next())
    try await body(UInt16(number), handler)
    await group.triggerGracefulShutdown()
    try await tasks.waitForAll()
  }
}

/// A TCP connection that does what it is told, with blocking calls.
final class RawClient: @unchecked Sendable {  // Its descriptor never changes; one thread uses it at a time.
  private let descriptor: Int32

  init(_ port: UInt16, receiveBuffer: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var size = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw ConnectFailed(code: errno) }
    self.timeout(milliseconds: 60_000)
  }

  deinit { close(descriptor) }

  func timeout(milliseconds: Int) {
    var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// What comes next; empty at the end, nil when nothing comes in time.
  func receive(_ max: Int = 64 << 10) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: max)
    let count = recv(descriptor, &buffer, max, 0)
    if count < 0 { return errno == EAGAIN ? nil : [] }
    return Array(buffer.prefix(count))
  }

  /// Reads until the text was seen, or the end.
  func receive(until text: String) -> String {
    var bytes: [UInt8] = []
    while let more = receive(), !more.isEmpty {
      bytes += more
      // Only where it may have come: streams are long.
      if String(decoding: bytes.suffix(more.count + text.utf8.count), as: UTF8.self).contains(text) { break }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// One answer, with a body of the length that it tells.
  func answer() -> RawAnswer? {
    var bytes: [UInt8] = []
    while true {
      if let end = Self.headEnd(bytes) {
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        var answer = RawAnswer(head: head)
        let length = Int(answer.header("content-length") ?? "0") ?? 0
        while bytes.count < end + 4 + length {
          guard let more = receive(), !more.isEmpty else { return nil }
          bytes += more
        }
        answer.body = Array(bytes[(end + 4)...])
        return answer
      }
      guard let more = receive(), !more.isEmpty else { return nil }
      bytes += more
    }
  }

  private static func headEnd(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (0...(bytes.count - 4)).first {
      bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
    }
  }
}

struct ConnectFailed: Error { let code: Int32 }

struct RawAnswer {
  let head: String
  var body: [UInt8] = []

  init(head: String) { self.head = head }

  var status: Int { Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0 }
  var text: String { String(decoding: body, as: UTF8.self) }

  func header(_ name: String) -> String? {
    head.split(separator: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name + ":") }.map { line in
      String(line.drop { $0 != ":" }.dropFirst().drop { $0 == " " })
    }
  }

  /// The code of an error.
  var code: String? {
    guard case .object(let members)? = WebJSON.parse(body),
      case .object(let error)? = members.first(where: { $0.0 == "error" })?.1,
      case .string(let code)? = error.first(where: { $0.0 == "code" })?.1
    else { return nil }
    return code
  }
}

private let blocking = DispatchQueue(label: "test.clients", attributes: .concurrent)

/// Runs blocking calls on a thread of their own.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  try await withCheckedThrowingContinuation { continuation in
    blocking.async { continuation.resume(with: Result { try body() }) }
  }
}

/// One request on a connection of its own.
func ask(_ port: UInt16, _ lines: [String], body: [UInt8] = [], host: String? = "localhost") async throws -> RawAnswer {
  let head = (lines.prefix(1) + (host.map { ["Host: \($0)"] } ?? []) + lines.dropFirst()).joined(separator: "\r\n")
  let length = body.isEmpty ? "" : "\r\nContent-Length: \(body.count)"
  let bytes = Array((head + length + "\r\n\r\n").utf8) + body
  let answer = try await onThread {
    let client = try RawClient(port)
    client.send(bytes)
    return client.answer()
  }
  return try #require(answer)
}
