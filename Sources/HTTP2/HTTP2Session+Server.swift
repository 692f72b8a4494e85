// What only a server's session does, and the settings of both sides.

internal import CNGHTTP2

/// Which side of a connection this is.
package enum HTTP2Role: Hashable, Sendable {
  case client, server
}

extension HTTP2Configuration {
  func settings(_ role: HTTP2Role) -> [nghttp2_settings_entry] {
    func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
      nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
    }
    let common = [
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, streamWindowBytes),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, headerBytesMax),
    ]
    switch role {
    case .client: return [entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)] + common
    case .server:
      return [
        entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streamsMax)
      ] + (takesWebSockets ? [entry(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1)] : []) + common
    }
  }
}

extension HTTP2Session {
  /// Queues the head of an answer, and nothing after it if `endStream`. Without effect on a stream that is over.
  package func respond(_ headers: [HTTP2Header], on stream: StreamID, endStream: Bool) {
    guard inside.outboxes[stream] == nil else { return }
    var provider = nghttp2_data_provider()
    provider.read_callback = readOutbox
    let status = withNameValues(headers) { fields in
      endStream
        ? nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil)
        : nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, &provider)
    }
    if status == 0, !endStream { inside.outboxes[stream] = Outbox() }
  }

  /// Queues the end of an answer: what follows its body. Without effect on a stream that is over, or was ended.
  package func end(_ trailers: [HTTP2Header], on stream: StreamID) {
    guard inside.outboxes[stream]?.isEnded == false else { return }
    inside.outboxes[stream]?.trailers = trailers
    send([], on: stream, endStream: true)
  }

  /// Queues a GOAWAY that still takes every request, so that none crosses it that would not be looked at (RFC 9113 section 6.8). `goAway` follows
  /// it, when the peer has answered a ping.
  package func announceGoAway() { nghttp2_submit_shutdown_notice(session) }

  /// Queues GOAWAY with a text: no request that comes from now on is looked at, those that are open go on.
  package func goAway(_ code: HTTP2ErrorCode, reason: String) {
    let text = Array(reason.utf8.prefix(Self.reasonBytesMax))
    nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session), code.rawValue, text,
      text.count)
  }

  /// Frames that wait to be written, bodies apart. A peer that reads nothing and asks for much makes them many.
  package var waitingFrames: Int { nghttp2_session_get_outbound_queue_size(session) }

  /// The bytes of a GOAWAY, for a session that has failed and can be asked for nothing more.
  package static func lastWords(_ code: HTTP2ErrorCode, lastRequest: StreamID) -> [UInt8] {
    var frame: [UInt8] = [0, 0, 8, UInt8(NGHTTP2_GOAWAY.rawValue), 0, 0, 0, 0, 0]
    for number in [UInt32(bitPattern: lastRequest), code.rawValue] {
      withUnsafeBytes(of: number.bigEndian) { frame.append(contentsOf: $0) }
    }
    return frame
  }

  /// How many frames came since the last call that cost work and carry nothing.
  package func takeChores() -> Int {
    defer { inside.chores = 0 }
    return inside.chores
  }

  /// An answer may be whole before the request is (RFC 9113 section 8.1): the rest is not waited for.
  func endAnswered() {
    guard !inside.answered.isEmpty else { return }
    for stream in inside.answered where nghttp2_session_get_stream_remote_close(session, stream) == 0 {
      nghttp2_submit_rst_stream(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, HTTP2ErrorCode.noError.rawValue)
    }
    inside.answered = []
  }
}
