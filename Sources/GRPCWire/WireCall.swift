// One call: GRPCCore's writer and reader over one HTTP/2 stream.
//
// The stream is opened when the writer sends the metadata, which must be its first part; the reader waits for that.
//
// A stream that the server did not begin with (it went away, or refused it, or the connection was lost before the stream
// was on it) is opened again on the connection of then, as gRPC's transparent retries are (proposal A6): what was sent is
// kept for that until the server has answered something, or until it is too much. It is the reader that hears of the
// refusal and opens again; a writer that meets the refusal knows that what it had to send is among what is kept.

internal import GRPCCore
internal import HTTP2
internal import Synchronization

final class WireCall: Sendable {
  /// A stream is opened again so often: a server that refuses each time is as good as unavailable.
  static let reopeningsMax = 3
  /// The most that is kept to be sent again, in bytes: what may wait in a stream, or a batch of records.
  static let resendableBytesMax = 256 << 10

  typealias Opened = Latch<Result<HTTP2Stream, RPCError>>

  private struct State {
    var headers: [HTTP2Header] = []
    var opened = Opened()
    var reopenings = 0
    /// What was sent on the stream; nil once it cannot be sent again.
    var sent: [(bytes: [UInt8], endStream: Bool)]? = []
    var sentBytes = 0
    /// The call is over, whatever its stream does.
    var isClosed = false
    /// Why the writer gave up, which is what the reader should hear.
    var writerFailure: RPCError?
    /// The stream failed under the writer: the reader hears the server's own reason.
    var hasServerFailed = false

    mutating func keep(_ bytes: [UInt8], endStream: Bool) {
      sentBytes += bytes.count
      if sentBytes > WireCall.resendableBytesMax { sent = nil }
      sent?.append((bytes, endStream))
    }
  }

  let method: MethodDescriptor
  let options: CallOptions
  private let transport: WireTransport
  private let state = Mutex(State())
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
  func close() { end(RPCError(code: .cancelled, message: "The call ended before it began.")) }

  private func end(_ error: RPCError) {
    let opened = state.withLock { state in
      state.isClosed = true
      state.sent = nil
      return state.opened
    }
    opened.set(.failure(error))
    if case .success(let stream)? = opened.current { stream.abandon(.cancel) }
  }

  /// The stream of the moment.
  func opened() async throws(RPCError) -> HTTP2Stream {
    do { return try await state.withLock { $0.opened }.value().get() } catch { throw RPCError(wire: error) }
  }

  var traffic: TrafficCounter { transport.traffic }

  var messageBytesMax: Int { options.maxResponseMessageBytes ?? transport.configuration.inboundMessageBytesMax }

  /// The server has answered something: nothing will be sent again.
  func answered() { state.withLock { $0.sent = nil } }

  /// What the reader hears when the stream fails.
  func failure(_ error: any Error) -> RPCError {
    state.withLock { $0.writerFailure } ?? RPCError(wire: error)
  }
}

// MARK: opening, and opening again

extension WireCall {
  fileprivate func begin(_ metadata: Metadata) async throws(RPCError) {
    let opened = state.withLock { $0.opened }
    do {
      let configuration = transport.configuration
      let headers = try requestHeaders(
        of: method, authority: configuration.http2.authority, userAgent: configuration.userAgent, encoding: encoding,
        acceptsCompressed: configuration.acceptsCompressed,
        metadata: metadata)
      state.withLock { $0.headers = headers }
      try await open(opened, headers, sent: [])
    } catch {
      let failure = RPCError(wire: error)
      opened.set(.failure(failure))
      throw failure
    }
  }

  private func open(
    _ opened: Opened, _ headers: [HTTP2Header], sent: [(bytes: [UInt8], endStream: Bool)]
  ) async throws {
    let stream = try await transport.openStream(headers, options)
    // It is not more than may wait in a stream anyway.
    for part in sent { stream.sendWithoutWaiting(part.bytes, endStream: part.endStream) }
    // The call may have been closed while it waited for a connection.
    if !opened.set(.success(stream)) { stream.abandon(.cancel) }
  }

  /// Opens the stream again after the server refused it.
  /// - Returns: false when it must not be, and the refusal stands.
  func reopen() async throws(RPCError) -> Bool {
    let again = state.withLock { state -> (Opened, [HTTP2Header], [(bytes: [UInt8], endStream: Bool)])? in
      guard let sent = state.sent, !state.isClosed, state.reopenings < Self.reopeningsMax else { return nil }
      state.reopenings += 1
      state.opened = Opened()
      return (state.opened, state.headers, sent)
    }
    guard let (opened, headers, sent) = again else { return false }
    do {
      try await open(opened, headers, sent: sent)
      return true
    } catch {
      let failure = RPCError(wire: error)
      opened.set(.failure(failure))
      throw failure
    }
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
    let stream = try await keep(bytes, endStream: endStream)
    do {
      try await stream.send(bytes, endStream: endStream)
    } catch {
      // The reader hears of it, too, and sends again what is kept.
      if case HTTP2Error.streamRefused = error, state.withLock({ $0.sent != nil }) { return }
      if error is HTTP2Error { state.withLock { $0.hasServerFailed = true } }
      throw RPCError(wire: error)
    }
  }

  /// Keeps the bytes for the case that the stream is refused, and returns the stream that they must go to.
  private func keep(_ bytes: [UInt8], endStream: Bool) async throws(RPCError) -> HTTP2Stream {
    while true {
      let opened = state.withLock { $0.opened }
      let stream: HTTP2Stream
      do { stream = try await opened.value().get() } catch { throw RPCError(wire: error) }
      let isCurrent = state.withLock { state in
        guard state.opened === opened else { return false }
        state.keep(bytes, endStream: endStream)
        return true
      }
      if isCurrent { return stream }
    }
  }

  fileprivate func finish() async {
    // A stream that is over already needs no end; why it is over is the reader's to hear.
    _ = try? await sendRaw([], endStream: true)
  }

  fileprivate func finish(_ error: RPCError) {
    let isServers = state.withLock { state in
      if !state.hasServerFailed { state.writerFailure = error }
      return state.hasServerFailed
    }
    if !isServers { end(error) }
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
    /// The server has answered something.
    var hasPart = false

    mutating func next() async throws -> RPCResponsePart<[UInt8]>? { try await next(isolation: #isolation) }

    mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(any Error) -> RPCResponsePart<[UInt8]>? {
      while true {
        if let part = try parser.next() { return part }
        if parser.isDone { return nil }
        try parser.receive(try await nextPart())
      }
    }

    /// The next part of the stream, or of the one that took its place.
    private mutating func nextPart() async throws(RPCError) -> HTTP2Part? {
      while true {
        let stream = try await current()
        do {
          let part = try await stream.next()
          if !hasPart { call.answered() }
          hasPart = true
          return part
        } catch {
          guard case HTTP2Error.streamRefused = error, try await call.reopen() else { throw call.failure(error) }
          self.stream = nil
        }
      }
    }

    private mutating func current() async throws(RPCError) -> HTTP2Stream {
      if let stream { return stream }
      let opened = try await call.opened()
      stream = opened
      return opened
    }
  }
}
