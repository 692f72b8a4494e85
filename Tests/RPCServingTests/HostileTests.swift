// Peers that speak HTTP/2 by hand: what they break ends in a status, a reset or a GOAWAY, and what is kept for them stays bounded.

internal import Foundation
internal import GRPCCore
@testable internal import RPCServing
internal import TestPrograms
internal import Testing

/// What a peer was answered.
private struct Answer: Decodable {
  var closed: String?
  var data: Int?
  var fields: [String: String]?
  var heads: Int?
  var reset: Int?
  var goaway: Int?
  var (before, after, window, connection, stuck, sent): (Int?, Int?, Int?, Int?, Int?, Int?)
  var flag: Int?
  var still: Bool?
  var stopped: String?
  var seconds: Double?

  var status: Int? { fields?["grpc-status"].flatMap { Int($0) } }
}

extension Answer {
  enum CodingKeys: String, CodingKey {
    case closed, data, fields, heads, reset, goaway, before, after, window, connection, stuck, sent, still, stopped,
      seconds, flag
  }
}

@Suite(.enabled(if: Python.path != nil, Python.skipped), .timeLimit(.minutes(3)))
struct `Peers that break the protocol` {
  private func ask(
    _ name: String, _ configure: (inout RPCConfiguration) -> Void = { _ in },
    _ check: @Sendable @escaping (Answer, Counts) throws -> Void
  ) async throws {
    try await withServer(configure) { port, counts, _ in
      let run = try await Python.run("frame_client", port, name)
      let answer = try #require(
        try? JSONDecoder().decode(Answer.self, from: Data(run.output.utf8)), "\(run.output) \(run.errors)")
      try check(answer, counts)
      // It serves on.
      let other = try await Python.run("grpc_client", port, "empty_unary")
      #expect(other.status == 0, "\(other.errors.suffix(1_000))")
    }
  }

  @Test(arguments: ["cut_at_each_byte", "bytewise"])
  func `a call that is cut anywhere is served`(name: String) async throws {
    try await ask(name) { answer, _ in
      #expect(answer.status == 0, "\(answer)")
      #expect(answer.data == (name == "bytewise" ? 3_005 : 10))
    }
  }

  @Test func `what is no gRPC is told so by HTTP`() async throws {
    try await ask("no_grpc") { answer, _ in #expect(answer.fields == [":status": "415"], "\(answer)") }
  }

  @Test(arguments: [
    ("get", Status.Code.invalidArgument), ("unknown_encoding", .unimplemented), ("cut_message", .internalError),
    ("cut_prefix", .internalError), ("unknown_flag", .internalError), ("unnamed_encoding", .internalError),
    ("corrupt", .internalError),
  ])
  func `a call that is wrong gets a status`(name: String, code: Status.Code) async throws {
    try await ask(name) { answer, _ in
      #expect(answer.status == code.rawValue, "\(answer)")
      #expect(answer.reset == nil || answer.reset == 0)
    }
  }

  @Test(arguments: ["announced", "bomb"])
  func `a message that is too long is reset before it is kept`(name: String) async throws {
    try await ask(name) { answer, _ in #expect(answer.reset == 8, "\(answer)") }
  }

  @Test func `trailers of a client reset its call`() async throws {
    try await ask("trailers") { answer, _ in #expect(answer.reset == 1, "\(answer)") }
  }

  @Test func `a peer that has said all is answered to the end`() async throws {
    try await ask("half_closed") { answer, _ in
      #expect(answer.status == 0 && answer.data == 20 * 1_005 && answer.heads == 2, "\(answer)")
    }
  }

  @Test func `a service waits for a peer that opens no window`() async throws {
    try await ask("response_window") { answer, counts in
      #expect(answer.before == 65_535, "\(answer)")
      // By a server that says how much it takes; what is under way is what may be, and a message.
      #expect(answer.after == 165_535, "\(answer)")
      #expect(counts["written"] <= (165_535 + (64 << 10)) / 10_005 + 1, "\(counts["written"])")
      #expect(counts["broken"] == 1)
    }
  }

  @Test func `a peer waits for a service that does not read`() async throws {
    try await ask("request_window") { answer, _ in
      #expect(answer.window == 512 << 10 && answer.connection == (512 << 10) - 65_535, "\(answer)")
      #expect(answer.stuck == 512 << 10 && answer.still == true, "\(answer)")
      #expect(answer.sent == 3 * ((1 << 20) + 5) && answer.status == 0, "\(answer)")
    }
  }

  @Test func `more than a window says is refused`() async throws {
    try await ask("excess") { answer, _ in #expect(answer.reset == 3 || answer.goaway == 3, "\(answer)") }
  }

  @Test(arguments: ["resets", "pings", "settings", "empties", "continuations", "nonsense"])
  func `floods and nonsense end the connection`(name: String) async throws {
    try await ask(name) { answer, _ in
      // A GOAWAY may be lost behind what was not read any more.
      #expect(answer.goaway.map { $0 != 0 } ?? (answer.closed != nil), "\(answer)")
    }
  }

  @Test func `who makes the server reset call after call is sent away like who resets them`() async throws {
    try await ask("made_resets") { answer, _ in
      #expect(answer.goaway == 11 || answer.closed != nil, "\(answer)")
      #expect(answer.sent ?? .max < 1_500, "\(answer)")
    }
  }

  @Test(
    arguments: [
      ("packed_gzip", "gzip"), ("packed_deflate", "deflate"), ("packed_not", nil), ("packed_unasked", nil),
      ("packed_small", "gzip"),
    ] as [(String, String?)])
  func `an answer is compressed where its caller reads that, and it pays`(name: String, encoding: String?) async throws
  {
    try await ask(name) { answer, _ in
      let isPacked = encoding != nil && name != "packed_small"
      #expect(answer.status == 0 && answer.still == true, "\(answer)")
      #expect(answer.fields?["grpc-encoding"] == encoding, "\(answer)")
      #expect(answer.flag == (isPacked ? 1 : 0), "\(answer)")
      #expect(isPacked ? answer.before ?? .max < 1_000 : [100, 100_000].contains(answer.before), "\(answer)")
    }
  }

  @Test func `a head that is too large ends the connection`() async throws {
    try await ask("large_head") { answer, _ in #expect(answer.goaway == 11 && answer.heads == 0, "\(answer)") }
  }

  @Test func `who knows how many calls a connection has, and makes more, is sent away`() async throws {
    try await ask("too_many") { answer, counts in
      #expect(answer.goaway == 1, "\(answer)")
      #expect(counts["holding"] <= 16)
    }
  }

  @Test func `who reads nothing is not read any more`() async throws {
    try await ask("unread") { answer, _ in
      #expect(answer.stopped != nil && answer.sent ?? .max < 32 << 20, "\(answer)")
    }
  }

  @Test(arguments: ["silent", "mute"])
  func `who answers no ping is given up`(name: String) async throws {
    try await ask(name) {
      $0.keepaliveInterval = .milliseconds(300)
      $0.keepaliveTimeout = .milliseconds(300)
    } _: { answer, _ in
      #expect((0.5...20).contains(answer.seconds ?? 0), "\(answer)")
    }
  }
}
