// The transport of a gRPC port, with one method that goes past grpc-swift's server.
//
//     grpc-swift-nio-transport ──> DirectTransport ──> GRPCServer ──> router, executor, generated code ──> service
//                                        └───────────────────────────────────────────────────────────────> DirectCall
//
// A call that waits keeps the memory of all that called it, and grpc-swift's server stands between transport and service with 20 KB of that. Delivery
// streams wait for weeks, and a hub has thousands of them. So their call is given what the transport brings, as messages that are not decoded yet,
// and does itself what the server would do: decode, answer with a status, keep to the caller's deadline.

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// A method that is served without grpc-swift's server.
protocol DirectCall: Sendable {
  typealias Bytes = HTTP2ServerTransport.Posix.Bytes
  typealias Requests = RPCAsyncSequence<RPCRequestPart<Bytes>, any Error>
  typealias Responses = RPCWriter<RPCResponsePart<Bytes>>.Closable

  var method: MethodDescriptor { get }

  /// Serves a call to its end, with a status.
  func serve(_ requests: Requests, _ responses: Responses, _ context: ServerContext) async
}

struct DirectTransport: ServerTransport {
  typealias Bytes = HTTP2ServerTransport.Posix.Bytes

  let wire: HTTP2ServerTransport.Posix
  /// Nil: all goes through the server.
  let direct: (any DirectCall)?

  func configure(context: GRPCServerContext) { wire.configure(context: context) }

  func listen(
    streamHandler: @concurrent @escaping @Sendable (_ stream: RPCStream<Inbound, Outbound>, _ context: ServerContext)
      async -> Void
  ) async throws {
    guard let direct else { return try await wire.listen(streamHandler: streamHandler) }
    // By name: what else a descriptor says, the transport does not know of a method that the server does not have.
    let name = direct.method.fullyQualifiedMethod
    try await wire.listen { stream, context in
      if stream.descriptor.fullyQualifiedMethod == name {
        await direct.serve(stream.inbound, stream.outbound, context)
      } else {
        await streamHandler(stream, context)
      }
    }
  }

  func beginGracefulShutdown() { wire.beginGracefulShutdown() }
}

extension Metadata {
  /// How long the caller waits for the end of the call; nil for ever. gRPC over HTTP/2: `grpc-timeout`, at most eight digits and a unit.
  var callTimeout: Duration? {
    guard let text = self[stringValues: "grpc-timeout"].first(where: { _ in true }), let unit = text.last,
      (2...9).contains(text.utf8.count), text.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Int64(text.dropLast())
    else { return nil }
    switch unit {
    case "H": return .seconds(count * 3_600)
    case "M": return .seconds(count * 60)
    case "S": return .seconds(count)
    case "m": return .milliseconds(count)
    case "u": return .microseconds(count)
    case "n": return .nanoseconds(count)
    default: return nil
    }
  }
}

extension RPCError {
  /// As grpc-swift's server tells what a service threw.
  init(thrown error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as any RPCErrorConvertible: self.init(error)
    default: self.init(code: .unknown, message: "")
    }
  }
}
