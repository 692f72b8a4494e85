// The client's side of HTTP/2 (RFC 9113) as a state machine around nghttp2: bytes in, bytes and events out.
//
//   open, send, reset, ping, terminate      what this side wants
//   receive(bytes)                          what came from the peer; makes events
//   takeEvents()                            what happened, in order
//   moveOutput(into:)                       what must go to the peer
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
    /// A final header section arrived.
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
    /// The peer broke the protocol, and was told so with GOAWAY: nothing more will come.
    case violation(reason: String)
  }

  /// What the callbacks work on. They reach it through nghttp2's user data.
  fileprivate final class Inside {
    let headerBytesMax: Int
    var events: [Event] = []
    var outboxes: [StreamID: Outbox] = [:]
    var headers: [StreamID: (fields: [HTTP2Header], bytes: Int)] = [:]

    init(headerBytesMax: Int) { self.headerBytesMax = headerBytesMax }
  }

  private let session: OpaquePointer
  private let inside: Inside

  /// Makes the session and queues the client's preface.
  package init(_ configuration: HTTP2Configuration) throws(HTTP2Error) {
    inside = Inside(headerBytesMax: configuration.headerBytesMax)
    session = try makeSession(inside)
    var settings = [
      nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
        value: UInt32(clamping: configuration.streamWindowBytes)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
        value: UInt32(clamping: configuration.headerBytesMax)),
    ]
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
    while output.count < countMax {
      var start: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &start)
      guard count >= 0 else { throw failure(Int32(clamping: count)) }
      guard count > 0, let start else { return }
      output.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
    }
  }

  private func failure(_ code: Int32) -> HTTP2Error {
    let reason = String(cString: nghttp2_strerror(code))
    return code == NGHTTP2_ERR_SETTINGS_EXPECTED.rawValue
      ? .notHTTP2(reason: reason) : .protocolViolation(reason: reason)
  }

  private func check(_ status: Int32) throws(HTTP2Error) {
    guard status == 0 else { throw failure(status) }
  }
}

// MARK: nghttp2

private func makeSession(_ inside: HTTP2Session.Inside) throws(HTTP2Error) -> OpaquePointer {
  var callbacks: OpaquePointer?
  var options: OpaquePointer?
  var session: OpaquePointer?
  nghttp2_session_callbacks_new(&callbacks)
  nghttp2_option_new(&options)
  defer {
    nghttp2_session_callbacks_del(callbacks)
    nghttp2_option_del(options)
  }
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, beganHeaders)
  nghttp2_session_callbacks_set_on_header_callback(callbacks, receivedHeader)
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, receivedFrame)
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, receivedData)
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, closedStream)
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, sentFrame)
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, couldNotSend)
  nghttp2_option_set_no_auto_window_update(options, 1)
  let user = Unmanaged.passUnretained(inside).toOpaque()
  guard nghttp2_session_client_new2(&session, callbacks, user, options) == 0, let session else {
    throw .protocolViolation(reason: "no memory for an HTTP/2 session")
  }
  return session
}

private func inside(_ user: UnsafeMutableRawPointer?) -> HTTP2Session.Inside? {
  user.map { Unmanaged<HTTP2Session.Inside>.fromOpaque($0).takeUnretainedValue() }
}

/// Lends the headers as nghttp2 wants them. nghttp2 copies them during the call.
private func withNameValues<R>(_ headers: [HTTP2Header], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> R) -> R {
  var bytes: [UInt8] = []
  for header in headers {
    bytes.append(contentsOf: header.name.utf8)
    bytes.append(contentsOf: header.value.utf8)
  }
  return bytes.withUnsafeMutableBufferPointer { buffer in
    var offset = 0
    func next(_ count: Int) -> UnsafeMutablePointer<UInt8>? {
      defer { offset += count }
      return buffer.baseAddress.map { $0 + offset }
    }
    let fields = headers.map { header in
      let (nameCount, valueCount) = (header.name.utf8.count, header.value.utf8.count)
      return nghttp2_nv(
        name: next(nameCount), value: next(valueCount), namelen: nameCount, valuelen: valueCount,
        flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
    }
    return fields.withUnsafeBufferPointer(body)
  }
}

private func beganHeaders(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let inside = inside(user) else { return 0 }
  inside.headers[frame.pointee.hd.stream_id] = ([], 0)
  return 0
}

private func receivedHeader(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, name: UnsafePointer<UInt8>?, nameCount: Int,
  value: UnsafePointer<UInt8>?, valueCount: Int, _: UInt8, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let inside = inside(user) else { return 0 }
  let stream = frame.pointee.hd.stream_id
  let header = HTTP2Header(
    String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self),
    String(decoding: UnsafeBufferPointer(start: value, count: valueCount), as: UTF8.self))
  inside.headers[stream, default: ([], 0)].fields.append(header)
  // RFC 9113 section 6.5.2 counts 32 bytes of overhead for each field.
  inside.headers[stream, default: ([], 0)].bytes += nameCount + valueCount + 32
  guard inside.headers[stream, default: ([], 0)].bytes > inside.headerBytesMax else { return 0 }
  inside.headers[stream] = nil
  inside.events.append(.headersTooLarge(stream))
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
}

private func receivedFrame(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let inside = inside(user) else { return 0 }
  let head = frame.pointee.hd
  let stream = head.stream_id
  switch nghttp2_frame_type(UInt32(head.type)) {
  case NGHTTP2_HEADERS:
    let fields = inside.headers.removeValue(forKey: stream)?.fields ?? []
    let status = fields.first(named: ":status")
    // An interim response (RFC 9110 section 15.2) is followed by the final one.
    if status == nil { inside.events.append(.trailers(stream, fields)) }
    if let status, !status.hasPrefix("1") { inside.events.append(.headers(stream, fields)) }
    fallthrough
  case NGHTTP2_DATA:
    if head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 { inside.events.append(.end(stream)) }
  case NGHTTP2_SETTINGS where head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0: inside.events.append(.settings)
  case NGHTTP2_PING where head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0: inside.events.append(.pong)
  case NGHTTP2_GOAWAY:
    let goAway = frame.pointee.goaway
    inside.events.append(.goAway(HTTP2ErrorCode(rawValue: goAway.error_code), reason: reason(of: goAway)))
  default: break
  }
  return 0
}

private func receivedData(
  _: OpaquePointer?, _: UInt8, stream: Int32, bytes: UnsafePointer<UInt8>?, count: Int, user: UnsafeMutableRawPointer?
) -> Int32 {
  inside(user)?.events.append(.data(stream, Array(UnsafeBufferPointer(start: bytes, count: count))))
  return 0
}

private func closedStream(
  _: OpaquePointer?, stream: Int32, code: UInt32, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let inside = inside(user) else { return 0 }
  inside.outboxes[stream] = nil
  inside.headers[stream] = nil
  inside.events.append(.closed(stream, HTTP2ErrorCode(rawValue: code)))
  return 0
}

/// nghttp2 answers what breaks the protocol with a GOAWAY of its own, whose text is the only place that says why.
private func sentFrame(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let inside = inside(user) else { return 0 }
  guard nghttp2_frame_type(UInt32(frame.pointee.hd.type)) == NGHTTP2_GOAWAY else { return 0 }
  let goAway = frame.pointee.goaway
  guard goAway.error_code != HTTP2ErrorCode.noError.rawValue else { return 0 }
  inside.events.append(.violation(reason: "\(HTTP2ErrorCode(rawValue: goAway.error_code)) \(reason(of: goAway))"))
  return 0
}

/// The beginning of the text that a GOAWAY carries, on one line: it goes to logs.
private func reason(of goAway: nghttp2_goaway) -> String {
  let bytes = UnsafeBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len)
  let printable = bytes.prefix(HTTP2Session.reasonBytesMax).map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }
  return String(decoding: printable, as: UTF8.self)
}

private func couldNotSend(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, _: Int32, user: UnsafeMutableRawPointer?
) -> Int32 {
  guard let frame, let inside = inside(user) else { return 0 }
  let head = frame.pointee.hd
  guard nghttp2_frame_type(UInt32(head.type)) == NGHTTP2_HEADERS else { return 0 }
  inside.outboxes[head.stream_id] = nil
  inside.events.append(.refused(head.stream_id))
  return 0
}

/// nghttp2 asks for the next bytes of a body: as many as it says fit the frame and the windows.
private func readOutbox(
  _: OpaquePointer?, stream: Int32, buffer: UnsafeMutablePointer<UInt8>?, capacity: Int,
  flags: UnsafeMutablePointer<UInt32>?, _: UnsafeMutablePointer<nghttp2_data_source>?, user: UnsafeMutableRawPointer?
) -> Int {
  guard let inside = inside(user), let waiting = inside.outboxes[stream]?.count,
    let isEnded = inside.outboxes[stream]?.isEnded
  else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
  guard waiting > 0 || isEnded else {
    inside.outboxes[stream]?.isDeferred = true
    return Int(NGHTTP2_ERR_DEFERRED.rawValue)
  }
  let target = UnsafeMutableRawBufferPointer(start: buffer, count: capacity)
  let moved = inside.outboxes[stream]?.move(into: target) ?? 0
  if isEnded, moved == waiting { flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
  if moved > 0 { inside.events.append(.sent(stream, moved)) }
  return moved
}
