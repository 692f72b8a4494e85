// Answers another hub: its streams are passed on to the tunnel of the session that they name, part by part.

internal import Events
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

struct Relay: Sendable {
  /// The job, and the number of the install whose agent it is for: `3f2a… 17`.
  static let sessionField = "pt-session"

  static func words(of session: RemoteSession) -> String { "\(session.job) \(session.install.rawValue)" }

  let sessions: TunnelSessions

  func answer(_ stream: TunnelConnection.Stream) async {
    let channel = stream.channel
    do {
      try await stream.executeThenClose { inbound, outbound in
        var parts = inbound.makeAsyncIterator()
        guard case .headers(var head)? = try await parts.next(isolation: #isolation) else { return }
        guard let words = head.headers.first(name: Self.sessionField)?.split(separator: " "), words.count == 2,
          let job = JobID(String(words[0])), let install = Int64(words[1]),
          let connection = sessions.connection(of: job, of: InstallNumber(install))
        else {
          let away: HPACKHeaders = [":status": "502", "pt-error": "hub"]
          return try await outbound.write(.headers(.init(headers: away, endStream: true)))
        }
        head.headers.remove(name: Self.sessionField)
        let first = head
        try await connection.stream { answers, device in
          try await device.write(.headers(first))
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              do {
                for try await answer in answers where try await Self.pass(answer, to: outbound) { return }
              } catch {
                // Whoever asks is told by the stream's end, and so is the loop below.
                channel.close(promise: nil)
                throw error
              }
            }
            var isOver = first.endStream
            while !isOver, let part = try await parts.next(isolation: #isolation) {
              isOver = try await Self.pass(part, to: device)
            }
            try await group.waitForAll()
          }
        }
        // What was written may wait for the other hub's window still: the stream ends by itself, and was not to be closed before.
        while try await parts.next(isolation: #isolation) != nil {}
      }
    } catch {
      // A stream that was broken off at one side is at the other one as well: leaving the closures has reset both.
    }
  }

  /// - Returns: whether it was the last part.
  private static func pass(
    _ part: HTTP2Frame.FramePayload, to writer: NIOAsyncChannelOutboundWriter<HTTP2Frame.FramePayload>
  ) async throws -> Bool {
    switch part {
    case .headers(let head):
      try await writer.write(part)
      return head.endStream
    case .data(let data):
      try await writer.write(part)
      return data.endStream
    default: return false
    }
  }
}
