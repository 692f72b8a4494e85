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
        entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streamsMax),
        // RFC 8441: WebSockets.
        entry(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1),
      ] + common
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

  /// Queues GOAWAY with a text: no request that comes from now on is looked at, those that are open go on.
  package func goAway(_ code: HTTP2ErrorCode, reason: String) {
    let text = Array(reason.utf8.prefix(Self.reasonBytesMax))
    nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session), code.rawValue, text,
      text.count)
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
