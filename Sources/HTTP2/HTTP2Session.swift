// One side of HTTP/2 (RFC 9113), a client's or a server's, as a state machine around nghttp2: bytes in, bytes and events out.
//
//   open or respond, send, reset, ping, terminate    what this side wants
//   receive(bytes)                                   what came from the peer; makes events
//   takeEvents()                                     what happened, in order
//   moveOutput(into:)                                what must go to the peer
//
// It does no I/O, knows no time and no threads; it belongs to one thread. nghttp2's callbacks only append events and
// hand over bytes: calling nghttp2 from within a callback would re-enter it.
//
// Flow control is manual: what arrives must be given back with `consume` when it was used, by the byte and not by the
// message, because a message may be larger than the window.

internal import CNGHTTP2

package final class HTTP2Session {
  package typealias StreamID = Int32

  /// Requests and other frames that wait, at most: a peer that allows no streams any more makes its client keep a
  /// kilobyte for each. No agent makes as many calls at once.
  static let waitingFramesMax = 10_000
  /// What is kept of the text of a GOAWAY, in bytes.
  static let reasonBytesMax = 256

  /// The version of nghttp2 in use, such as `1.52.0`.
  package static var libraryVersion: String {
    nghttp2_version(0)?.pointee.version_str.map { String(cString: $0) } ?? "unknown"
  }

  package enum Event: Hashable, Sendable {
    /// The peer's SETTINGS arrived: it does speak HTTP/2.
    case settings
    /// At a server: a request began. Nothing follows it if `isWhole`.
    case request(StreamID, [HTTP2Header], isWhole: Bool)
    /// At a client: a final header section arrived.
    case headers(StreamID, [HTTP2Header])
    case data(StreamID, [UInt8])
    case trailers(StreamID, [HTTP2Header])
    /// The peer will send nothing more on the stream.
    case end(StreamID)
    /// Bytes of the stream's body went out.
    case sent(StreamID, Int)
    /// The stream is over on both sides, with `noError` if all was well.
    case closed(StreamID, HTTP2ErrorCode)
    /// The request never reached the peer.
    case refused(StreamID)
    case headersTooLarge(StreamID)
    /// The peer takes no new streams.
    case goAway(HTTP2ErrorCode, reason: String)
    /// Our PING was answered.
    case pong
    /// At a server: the peer asked whether this side is there, which is answered by itself.
    case ping
    /// The peer broke the protocol, and was told so with GOAWAY: nothing more will come.
    case violation(reason: String)
  }

  /// What the callbacks work on. They reach it through nghttp2's user data.
  final class Inside {
    let headerBytesMax: Int
    let role: HTTP2Role
    var events: [Event] = []
    var outboxes: [StreamID: Outbox] = [:]
    var headers: [StreamID: (fields: [HTTP2Header], bytes: Int)] = [:]
    /// Answers that went out whole, while the request is perhaps not here whole.
    var answered: [StreamID] = []
    /// Frames since the last `takeChores` that cost work and carry nothing.
    var chores = 0

    init(_ configuration: HTTP2Configuration, _ role: HTTP2Role) {
      headerBytesMax = configuration.headerBytesMax
      self.role = role
    }
  }

  let session: OpaquePointer
  let inside: Inside

  /// Makes the session and queues its preface.
  package init(_ configuration: HTTP2Configuration, as role: HTTP2Role = .client) throws(HTTP2Error) {
    inside = Inside(configuration, role)
    session = try makeSession(inside)
    var settings = configuration.settings(role)
    let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
    let window = Int32(clamping: configuration.connectionWindowBytes)
    do throws(HTTP2Error) {
      try check(nghttp2_submit_settings(session, flags, &settings, settings.count))
      try check(nghttp2_session_set_local_window_size(session, flags, 0, window))
    } catch {
      nghttp2_session_del(session)
      throw error
    }
  }

  deinit { nghttp2_session_del(session) }

  // MARK: what this side wants

  /// Queues a request. It goes out when the peer's limit of concurrent streams allows.
  /// - Throws: `goneAway` when the connection takes no new streams, `tooManyWaiting` when it has too many for now.
  package func open(_ headers: [HTTP2Header], endStream: Bool) throws(HTTP2Error) -> StreamID {
    guard nghttp2_session_get_outbound_queue_size(session) < Self.waitingFramesMax else {
      throw .tooManyWaiting(limit: Self.waitingFramesMax)
    }
    var provider = nghttp2_data_provider()
    provider.read_callback = readOutbox
    let status = withNameValues(headers) { fields in
      endStream
        ? nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, nil, nil)
        : nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, &provider, nil)
    }
    guard status > 0 else {
      throw .goneAway(code: .noError, reason: String(cString: nghttp2_strerror(status)))
    }
    if !endStream { inside.outboxes[status] = Outbox() }
    return status
  }

  /// Queues bytes of a request's body, the last ones if `endStream`. Without effect on a stream that is over.
  package func send(_ bytes: [UInt8], on stream: StreamID, endStream: Bool) {
    guard inside.outboxes[stream]?.isEnded == false else { return }
    inside.outboxes[stream]?.append(bytes)
    if endStream { inside.outboxes[stream]?.isEnded = true }
    guard inside.outboxes[stream]?.isDeferred == true else { return }
    inside.outboxes[stream]?.isDeferred = false
    nghttp2_session_resume_data(session, stream)
  }

  /// Ends the stream at once.
  package func reset(_ stream: StreamID, _ code: HTTP2ErrorCode) {
    inside.outboxes[stream] = nil
    nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
  }

  /// Gives credit for `count` bytes of the stream's data, also when the stream is over.
  package func consume(_ count: Int, on stream: StreamID) {
    nghttp2_session_consume(session, stream, count)
  }

  package func ping() {
    nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
  }

  /// Queues GOAWAY; the session is finished when that has gone out.
  package func terminate(_ code: HTTP2ErrorCode = .noError) {
    nghttp2_session_terminate_session(session, code.rawValue)
  }

  /// Nothing more can come or go: the connection may be closed.
  package var isFinished: Bool {
    nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  /// `moveOutput` would give something, unless flow control forbids.
  package var wantsOutput: Bool { nghttp2_session_want_write(session) != 0 }

  // MARK: bytes and events

  /// Takes bytes from the peer. Most ways to break the protocol are answered with GOAWAY and show as `violation`.
  /// - Throws: when the peer broke the protocol beyond that; the connection must then be closed.
  package func receive(_ bytes: UnsafeRawBufferPointer) throws(HTTP2Error) {
    let taken = nghttp2_session_mem_recv(session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    guard taken >= 0 else { throw failure(Int32(clamping: taken)) }
  }

  /// The events since the last call, in order.
  package func takeEvents() -> [Event] {
    defer { inside.events = [] }
    return inside.events
  }

  /// Appends what must go to the peer to `output`, until `countMax` bytes are in it or nothing is left.
  package func moveOutput(into output: inout [UInt8], countMax: Int) throws(HTTP2Error) {
    while output.count < countMax, let frame = try nextOutput() { output.append(contentsOf: frame) }
  }

  /// The next bytes that must go to the peer, one frame or several; nil when nothing is left. They are good until the next call of anything.
  package func nextOutput() throws(HTTP2Error) -> UnsafeRawBufferPointer? {
    endAnswered()
    var start: UnsafePointer<UInt8>?
    let count = nghttp2_session_mem_send(session, &start)
    guard count >= 0 else { throw failure(Int32(clamping: count)) }
    return count > 0 ? UnsafeRawBufferPointer(start: start, count: count) : nil
  }

  func failure(_ code: Int32) -> HTTP2Error {
    let reason = String(cString: nghttp2_strerror(code))
    return code == NGHTTP2_ERR_SETTINGS_EXPECTED.rawValue || code == NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue
      ? .notHTTP2(reason: reason) : .protocolViolation(reason: reason)
  }

  func check(_ status: Int32) throws(HTTP2Error) {
    guard status == 0 else { throw failure(status) }
  }
}
