// A call as grpc-swift's server wants it: parts of a request that are read, and parts of an answer that are written.

internal import GRPCCore

/// The metadata, then the messages.
struct RequestParts: AsyncSequence {
  let call: RPCCall

  struct AsyncIterator: AsyncIteratorProtocol {
    let call: RPCCall
    var hasBegun = false

    mutating func next() async throws -> RPCRequestPart<[UInt8]>? { try await next(isolation: nil) }

    mutating func next(isolation: isolated (any Actor)?) async throws(any Error) -> RPCRequestPart<[UInt8]>? {
      guard hasBegun else {
        hasBegun = true
        return .metadata(call.metadata)
      }
      return try await call.next().map { .message($0) }
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(call: call) }
}

struct AnswerWriter: ClosableRPCWriterProtocol {
  let call: RPCCall

  func write(_ part: RPCResponsePart<[UInt8]>) async throws {
    switch part {
    case .metadata(let metadata): call.respond(metadata)
    case .message(let message): try await call.send([message])
    case .status(let status, let metadata): call.end(status, metadata)
    }
  }

  func write(contentsOf parts: some Sequence<RPCResponsePart<[UInt8]>>) async throws {
    for part in parts { try await write(part) }
  }

  func finish() async { call.close() }

  func finish(throwing error: any Error) async { call.close() }
}
