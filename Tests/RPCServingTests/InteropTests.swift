// Python's grpcio as the client: gRPC's interoperability cases, and what they leave out.

@testable internal import RPCServing
internal import TestPrograms
internal import Testing

@Suite(.enabled(if: Python.path != nil, Python.skipped), .timeLimit(.minutes(3)))
struct `grpcio at our server` {
  @Test(arguments: [
    "empty_unary", "large_unary", "compressed_unary", "client_streaming", "compressed_streaming", "server_streaming",
    "empty_streams", "ping_pong", "ping_pong_past_the_server", "many_messages", "metadata", "special_status",
    "unimplemented", "deadline", "cancel", "many_calls", "too_long", "bomb", "orderly_end",
  ])
  func `finds what gRPC promises`(name: String) async throws {
    try await withServer { port, _, _ in
      let run = try await Python.run("grpc_client", port, name)
      #expect(run.status == 0 && run.output == "well\n", "\(run.errors.suffix(2_000))")
    }
  }
}
