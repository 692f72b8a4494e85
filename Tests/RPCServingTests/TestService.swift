// A server on loopback without TLS, with a service whose messages are bytes, for peers in Python (Support/).

internal import Foundation
internal import GRPCCore
@testable internal import RPCServing
internal import Synchronization
internal import TestPrograms
internal import Testing

/// What Python peers need.
enum Python {
  static let path = ProcessInfo.processInfo.environment["PT_PYTHON"]
  static let skipped = Comment(rawValue: "needs PT_PYTHON, the path of a Python with grpcio and h2")

  /// Runs a peer to its end.
  static func run(_ script: String, _ port: Int, _ name: String) async throws -> ChildProgram.Finished {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Support").path
    return try await ChildProgram.running(try #require(path), ["\(folder)/\(script).py", String(port), name])
  }
}

struct Bytes: MessageSerializer, MessageDeserializer {
  func serialize<Carrier: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Carrier { Carrier(message) }
  func deserialize<Carrier: GRPCContiguousBytes>(_ bytes: Carrier) throws -> [UInt8] {
    bytes.withUnsafeBytes { Array($0) }
  }
}

/// What has happened at the service, counted by name.
final class Counts: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
  subscript(_ name: String) -> Int { counts.withLock { $0[name, default: 0] } }
}

struct TestService: RegistrableRPCService {
  typealias Request = StreamingServerRequest<[UInt8]>
  typealias Response = StreamingServerResponse<[UInt8]>

  static let special = RPCError(
    code: .aborted, message: "\t\n100 % of it\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608} \t\n")

  let counts: Counts
  let shutDown: @Sendable () -> Void

  static func method(_ name: String) -> MethodDescriptor {
    MethodDescriptor(fullyQualifiedService: "test.Service", method: name)
  }

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    func register(_ name: String, _ handler: @Sendable @escaping (Request) async throws -> Response) {
      router.registerHandler(forMethod: Self.method(name), deserializer: Bytes(), serializer: Bytes()) {
        request, _ in try await handler(request)
      }
    }
    register("Echo", echo)
    register("Size") { Self.one([UInt8](repeating: 0, count: Self.number(try await Self.first($0)))) }
    register("Sum") { request in
      var sum = 0
      for try await message in request.messages { sum += message.count }
      return Self.one(Array(String(sum).utf8))
    }
    register("Count", count)
    register("Chat", chat)
    register("Wait", wait)
    register("Counted") { request in
      Self.one(Array(String(counts[String(decoding: try await Self.first(request), as: UTF8.self)]).utf8))
    }
    register("Hold", hold)
    register("Release") { _ in
      counts.add("released")
      return Self.one([])
    }
    register("Flood", flood)
  }

  private static func first(_ request: Request) async throws -> [UInt8] {
    for try await message in request.messages { return message }
    throw RPCError(code: .invalidArgument, message: "no message")
  }

  private static func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) } }

  private static func one(_ message: [UInt8], _ metadata: Metadata = [:], trailing: Metadata = [:]) -> Response {
    Response(metadata: metadata) { writer in
      try await writer.write(message)
      return trailing
    }
  }

  private func echo(_ request: Request) async throws -> Response {
    func only(_ key: String) -> Metadata {
      var found = Metadata()
      for (name, value) in request.metadata where name == key {
        switch value {
        case .string(let text): found.addString(text, forKey: name)
        case .binary(let bytes): found.addBinary(bytes, forKey: name)
        }
      }
      return found
    }
    return Self.one(try await Self.first(request), only("x-initial"), trailing: only("x-trailing-bin"))
  }

  private func count(_ request: Request) async throws -> Response {
    let asked = try await Self.first(request)
    return Response { writer in
      for _ in 0..<Self.number(asked) {
        try await writer.write([UInt8](repeating: 0, count: Self.number(asked.dropFirst(4))))
      }
      return [:]
    }
  }

  private func chat(_ request: Request) async throws -> Response {
    Response { writer in
      do {
        for try await message in request.messages {
          if message == Array("fail".utf8) { throw Self.special }
          if message == Array("shutdown".utf8) { shutDown() }
          try await writer.write(message)
        }
      } catch let error as RPCError {
        if error.code == .cancelled { counts.add("broken") }
        throw error
      }
      return [:]
    }
  }

  private func wait(_ request: Request) async throws -> Response {
    counts.add("waiting")
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    await withRPCCancellationHandler {
      for await _ in ends {}
    } onCancelRPC: {
      end.finish()
    }
    counts.add("cancelled")
    throw RPCError(code: .deadlineExceeded, message: "The caller waits no longer.")
  }

  /// Reads nothing before `Release`.
  private func hold(_ request: Request) async throws -> Response {
    counts.add("holding")
    for _ in 0..<400 where counts["released"] == 0 { try await Task.sleep(for: .milliseconds(50)) }
    var sum = 0
    for try await message in request.messages { sum += message.count }
    return Self.one(Array(String(sum).utf8))
  }

  private func flood(_ request: Request) async throws -> Response {
    Response { writer in
      do {
        while true {
          try await writer.write([UInt8](repeating: 1, count: 10_000))
          counts.add("written")
        }
      } catch {
        counts.add("broken")
        throw error
      }
    }
  }
}

/// `Chat`, past the server.
struct DirectChat: DirectCall {
  let method = TestService.method("Direct")

  func serve(_ call: RPCCall, _ context: ServerContext, done: @escaping @Sendable () -> Void) {
    call.respond()
    Task {
      do {
        while let message = try await call.next() {
          if message == Array("fail".utf8) { throw TestService.special }
          try await call.send([message])
        }
        call.end(Status(code: .ok, message: ""))
      } catch {
        let error = RPCError(thrown: error)
        call.end(Status(code: Status.Code(error.code), message: error.message))
      }
      done()
    }
  }
}

/// A server that runs while `body` does.
func withServer(
  _ configure: (inout RPCConfiguration) -> Void = { _ in },
  _ body: @Sendable @escaping (_ port: Int, Counts, RPCTransport) async throws -> Void
) async throws {
  var configuration = RPCConfiguration()
  configure(&configuration)
  let transport = RPCTransport(host: "127.0.0.1", port: 0, configuration: configuration, direct: DirectChat())
  let counts = Counts()
  let server = GRPCServer(
    transport: transport,
    services: [TestService(counts: counts) { transport.beginGracefulShutdown() }])
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.serve() }
    try await body(try await transport.port, counts, transport)
    server.beginGracefulShutdown()
    transport.beginGracefulShutdown()
    // It ends by itself, within its grace.
    try await group.waitForAll()
  }
}
