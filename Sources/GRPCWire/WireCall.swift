// One call: GRPCCore's writer and reader over one HTTP/2 stream.
//
// The stream is opened when the writer sends the metadata, which must be its first part; the reader waits for that.

internal import GRPCCore
internal import HTTP2
internal import Synchronization

final class WireCall: Sendable {
  let method: MethodDescriptor
  let options: CallOptions
  private let transport: WireTransport
  private let stream = Latch<Result<HTTP2Stream, RPCError>>()
  /// Why the writer gave up, which is what the reader should hear; and whether the stream failed under the writer, in
  /// which case the reader hears the server's own reason.
  private let writerFailure = Mutex<(error: RPCError?, isServers: Bool)>((nil, false))
  /// How messages are compressed; nil when none is.
  private let encoding: MessageEncoding?
  /// Made for the first message.
  private let compressor = Mutex<MessageCompressor?>(nil)

  init(method: MethodDescriptor, options: CallOptions, transport: WireTransport) {
    self.method = method
    self.options = options
    self.transport = transport
    encoding = MessageEncoding(options.compression ?? transport.configuration.compression)
  }

  /// The call is over, whatever its state.
  func close() {
    stream.set(.failure(RPCError(code: .cancelled, message: "The call ended before it began.")))
    if case .success(let stream)? = stream.current { stream.abandon(.cancel) }
  }

  func opened() async throws(RPCError) -> HTTP2Stream {
    do { return try await stream.value().get() } catch { throw RPCError(wire: error) }
  }

  var traffic: TrafficCounter { transport.traffic }

  var messageBytesMax: Int { options.maxResponseMessageBytes ?? transport.configuration.inboundMessageBytesMax }

  /// What the reader hears when the stream fails.
  func failure(_ error: any Error) -> RPCError {
    writerFailure.withLock { $0.error } ?? RPCError(wire: error)
  }
}

// MARK: writing

/// GRPCCore's writer: metadata, then messages, then the end.
struct WireWriter: ClosableRPCWriterProtocol {
  let call: WireCall

  func write(_ part: RPCRequestPart<[UInt8]>) async throws {
    switch part {
    case .metadata(let metadata): try await call.begin(metadata)
    case .message(let message): try await call.send(message)
    }
  }

  func write(contentsOf parts: some Sequence<RPCRequestPart<[UInt8]>>) async throws {
    for part in parts { try await write(part) }
  }

  func finish() async { await call.finish() }

  func finish(throwing error: any Error) async { call.finish(RPCError(wire: error)) }
}

extension WireCall {
  fileprivate func begin(_ metadata: Metadata) async throws(RPCError) {
    do {
      let configuration = transport.configuration
      let headers = try requestHeaders(
        of: method, authority: configuration.http2.authority, userAgent: configuration.userAgent, encoding: encoding,
        metadata: metadata)
      let opened = try await transport.openStream(headers, options)
      // The call may have been closed while it waited for a connection.
      if !stream.set(.success(opened)) { opened.abandon(.cancel) }
    } catch {
      let failure = RPCError(wire: error)
      stream.set(.failure(failure))
      throw failure
    }
  }

  fileprivate func send(_ message: [UInt8]) async throws(RPCError) {
    if let limit = options.maxRequestMessageBytes, message.count > limit {
      throw RPCError(
        code: .resourceExhausted, message: "The message has \(message.count) bytes; at most \(limit) may be sent.")
    }
    guard UInt32(exactly: message.count) != nil else {
      throw RPCError(code: .resourceExhausted, message: "The message has \(message.count) bytes, 4 GiB or more.")
    }
    let compressed = try compressed(message)
    let frame = framed(compressed ?? message, isCompressed: compressed != nil)
    try await sendRaw(frame, endStream: false)
    traffic.sent(bytes: message.count, carriedBytes: frame.count, isCompressed: compressed != nil)
  }

  /// Nil for a message that is sent as it is.
  private func compressed(_ message: [UInt8]) throws(RPCError) -> [UInt8]? {
    guard let encoding else { return nil }
    return try compressor.withLock { compressor throws(RPCError) in
      let made = if let compressor { compressor } else { try MessageCompressor(encoding) }
      compressor = made
      return made.compressed(message)
    }
  }

  private func sendRaw(_ bytes: [UInt8], endStream: Bool) async throws(RPCError) {
    let stream = try await opened()
    do {
      try await stream.send(bytes, endStream: endStream)
    } catch {
      if error is HTTP2Error { writerFailure.withLock { $0.isServers = true } }
      throw RPCError(wire: error)
    }
  }

  fileprivate func finish() async {
    // A stream that is over already needs no end; why it is over is the reader's to hear.
    _ = try? await sendRaw([], endStream: true)
  }

  fileprivate func finish(_ error: RPCError) {
    let isServers = writerFailure.withLock { state in
      if !state.isServers { state.error = error }
      return state.isServers
    }
    guard !isServers else { return }
    stream.set(.failure(error))
    if case .success(let stream)? = stream.current { stream.abandon(.cancel) }
  }
}

// MARK: reading

/// GRPCCore's reader.
struct WireResponse: AsyncSequence, Sendable {
  typealias Element = RPCResponsePart<[UInt8]>
  typealias Failure = any Error

  let call: WireCall

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(call: call, parser: ResponseParser(messageBytesMax: call.messageBytesMax, traffic: call.traffic))
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    let call: WireCall
    var parser: ResponseParser
    var stream: HTTP2Stream?

    mutating func next() async throws -> RPCResponsePart<[UInt8]>? { try await next(isolation: #isolation) }

    mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(any Error) -> RPCResponsePart<[UInt8]>? {
      let stream: HTTP2Stream
      if let opened = self.stream {
        stream = opened
      } else {
        stream = try await call.opened()
        self.stream = stream
      }
      while true {
        if let part = try parser.next() { return part }
        if parser.isDone { return nil }
        let part: HTTP2Part?
        do { part = try await stream.next() } catch { throw call.failure(error) }
        try parser.receive(part)
      }
    }
  }
}
