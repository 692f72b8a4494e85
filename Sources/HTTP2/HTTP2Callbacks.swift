// What nghttp2 calls back, for a client's session and a server's: events are appended, and bytes handed over.

internal import CNGHTTP2

func makeSession(_ inside: HTTP2Session.Inside) throws(HTTP2Error) -> OpaquePointer {
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
  let status =
    inside.role == .client
    ? nghttp2_session_client_new2(&session, callbacks, user, options)
    : nghttp2_session_server_new2(&session, callbacks, user, options)
  guard status == 0, let session else {
    throw .protocolViolation(reason: "no memory for an HTTP/2 session")
  }
  return session
}

private func inside(_ user: UnsafeMutableRawPointer?) -> HTTP2Session.Inside? {
  user.map { Unmanaged<HTTP2Session.Inside>.fromOpaque($0).takeUnretainedValue() }
}

/// Lends the headers as nghttp2 wants them. nghttp2 copies them during the call.
func withNameValues<R>(_ headers: [HTTP2Header], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> R) -> R {
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
  if isChore(head) { inside.chores += 1 }
  switch nghttp2_frame_type(UInt32(head.type)) {
  case NGHTTP2_HEADERS:
    let fields = inside.headers.removeValue(forKey: stream)?.fields ?? []
    let isWhole = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    if inside.role == .server {
      let isRequest = frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
      inside.events.append(isRequest ? .request(stream, fields, isWhole: isWhole) : .trailers(stream, fields))
      if isWhole { inside.events.append(.end(stream)) }
      break
    }
    let status = fields.first(named: ":status")
    // An interim response (RFC 9110 section 15.2) is followed by the final one.
    if status == nil { inside.events.append(.trailers(stream, fields)) }
    if let status, !status.hasPrefix("1") { inside.events.append(.headers(stream, fields)) }
    fallthrough
  case NGHTTP2_DATA:
    if head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 { inside.events.append(.end(stream)) }
  case NGHTTP2_SETTINGS where head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0: inside.events.append(.settings)
  case NGHTTP2_PING:
    let isAnswer = head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    if isAnswer { inside.events.append(.pong) } else if inside.role == .server { inside.events.append(.ping) }
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
  let head = frame.pointee.hd
  let type = nghttp2_frame_type(UInt32(head.type))
  if type == NGHTTP2_HEADERS || type == NGHTTP2_DATA, head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
    inside.role == .server
  {
    inside.answered.append(head.stream_id)
  }
  // A stream that the peer has made this side end costs as much as one that it ends itself.
  if type == NGHTTP2_RST_STREAM, inside.role == .server, isOfPeersMaking(frame.pointee.rst_stream.error_code) {
    inside.chores += 1
  }
  guard type == NGHTTP2_GOAWAY else { return 0 }
  let goAway = frame.pointee.goaway
  guard goAway.error_code != HTTP2ErrorCode.noError.rawValue else { return 0 }
  inside.events.append(.violation(reason: "\(HTTP2ErrorCode(rawValue: goAway.error_code)) \(reason(of: goAway))"))
  return 0
}

/// What a peer could send without end at no cost of its own: pings, settings, resets, priorities, data without a byte.
private func isChore(_ head: nghttp2_frame_hd) -> Bool {
  switch nghttp2_frame_type(UInt32(head.type)) {
  case NGHTTP2_PING, NGHTTP2_SETTINGS, NGHTTP2_RST_STREAM, NGHTTP2_PRIORITY: true
  case NGHTTP2_DATA: head.length == 0 && head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) == 0
  default: false
  }
}

/// Whether a stream was reset because of what the peer sent on it: frames that may not come there, windows beyond all bounds.
private func isOfPeersMaking(_ code: UInt32) -> Bool {
  switch nghttp2_error_code(code) {
  case NGHTTP2_PROTOCOL_ERROR, NGHTTP2_FLOW_CONTROL_ERROR, NGHTTP2_STREAM_CLOSED, NGHTTP2_FRAME_SIZE_ERROR,
    NGHTTP2_REFUSED_STREAM:
    true
  default: false
  }
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
func readOutbox(
  session: OpaquePointer?, stream: Int32, buffer: UnsafeMutablePointer<UInt8>?, capacity: Int,
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
  if isEnded, moved == waiting {
    flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
    if let trailers = inside.outboxes[stream]?.trailers {
      flags?.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
      // The one function that nghttp2 lets be called from here.
      _ = withNameValues(trailers) { nghttp2_submit_trailer(session, stream, $0.baseAddress, $0.count) }
    }
  }
  if moved > 0 { inside.events.append(.sent(stream, moved)) }
  return moved
}
