// From the parts of an HTTP/2 stream to the parts of a gRPC response. Pure.
//
//    headers -> metadata     data -> messages     trailers -> status
//    headers with grpc-status (trailers-only) -> status
//    anything that is not gRPC -> a status made from the HTTP status
//
// After the status nothing is given any more.

internal import GRPCCore
internal import HTTP2

struct ResponseParser {
  typealias Part = RPCResponsePart<[UInt8]>

  private enum Phase {
    case awaitingHeaders, receiving, done
  }

  private var phase = Phase.awaitingHeaders
  private var deframer: Deframer
  private var ready: [Part] = []
  private var nextReady = 0

  init(messageBytesMax: Int, traffic: TrafficCounter? = nil) {
    deframer = Deframer(messageBytesMax: messageBytesMax, traffic: traffic)
  }

  /// The response is over: its status was given out or is about to be.
  var isDone: Bool { phase == .done }

  /// The next part that is complete.
  mutating func next() throws(RPCError) -> Part? {
    if nextReady < ready.count {
      defer { nextReady += 1 }
      return ready[nextReady]
    }
    if nextReady > 0 {
      ready.removeAll(keepingCapacity: true)
      nextReady = 0
    }
    guard phase == .receiving, let message = try deframer.next() else { return nil }
    return .message(message)
  }

  /// Takes a part; nil is the end of the stream. To be called when `next` gives nothing more.
  /// - Throws: when the stream ended, or went on, in a way gRPC does not allow.
  mutating func receive(_ part: HTTP2Part?) throws(RPCError) {
    switch (phase, part) {
    case (.awaitingHeaders, .headers(let headers)?): receive(headers: headers)
    case (.receiving, .data(let bytes)?): deframer.append(bytes)
    case (.receiving, .trailers(let headers)?): try receive(trailers: headers)
    case (.done, _): break
    case (_, nil):
      phase = .done
      throw RPCError(code: .internalError, message: "The server ended the response without a status.")
    default:
      phase = .done
      throw RPCError(code: .internalError, message: "The server sent its response in the wrong order.")
    }
  }

  private mutating func receive(headers: [HTTP2Header]) {
    let fields = metadata(from: headers)
    if let status = status(from: headers) {
      finish(status, fields)
    } else if let failure = foreignStatus(headers) {
      finish(failure, fields)
    } else {
      phase = .receiving
      deframer.encoding = headers.first(named: "grpc-encoding")
      ready.append(.metadata(fields))
    }
  }

  private mutating func receive(trailers headers: [HTTP2Header]) throws(RPCError) {
    if deframer.isAmidMessage {
      phase = .done
      throw RPCError(code: .internalError, message: "The server ended the response in the middle of a message.")
    }
    let missing = Status(code: .unknown, message: "The server ended the response without a status.")
    finish(status(from: headers) ?? missing, metadata(from: headers))
  }

  private mutating func finish(_ status: Status, _ fields: Metadata) {
    phase = .done
    ready.append(.status(status, fields))
  }

  /// The status of an answer that is not gRPC, as a proxy on the way may give it (http-grpc-status-mapping.md).
  private func foreignStatus(_ headers: [HTTP2Header]) -> Status? {
    let code = headers.first(named: ":status") ?? ""
    guard code == "200" else {
      let status = Status(httpStatusCode: Int(code) ?? 0)
      return Status(
        code: status.code, message: "What answered is not a gRPC server, or stands before it: \(status.message).")
    }
    let type = headers.first(named: "content-type") ?? "none"
    guard !type.hasPrefix("application/grpc") else { return nil }
    return Status(code: .unknown, message: "What answered is not a gRPC server: its content type is \(type).")
  }
}
