// A client that never comes to the end of a request's head (CVE-2024-27316 and its family): what is kept of it has a limit, and the connection ends.

@testable internal import HTTP2
internal import Testing

@Suite struct `A head without an end` {
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// HEADERS that do not end, then CONTINUATION frames for as long as they are taken.
  /// - Returns: how many were taken, at most 10,000.
  private func flood(_ payload: [UInt8]) throws -> Int {
    let session = try HTTP2Session(HTTP2Configuration(authority: ""), as: .server)
    try session.receive(Self.preface + Frame.settings().bytes)
    // :method GET and :scheme https of the static table (RFC 7541 appendix A), END_STREAM without END_HEADERS.
    try session.receive(Frame(kind: .headers, flags: 1, stream: 1, payload: [0x82, 0x87]).bytes)
    for number in 0..<10_000 {
      do { try session.receive(Frame(kind: .continuation, flags: 0, stream: 1, payload: payload).bytes) } catch {
        return number
      }
      let frames = try session.outputFrames()
      if frames.contains(where: { $0.kind == .goAway }) { return number }
      #expect(!session.takeEvents().contains { if case .request = $0 { true } else { false } })
    }
    return 10_000
  }

  @Test func `of large pieces is not followed`() throws {
    // A field without indexing, of 1 + 1 + 1 + 3 + 8,000 bytes.
    let value = [UInt8](repeating: 0x61, count: 8_000)
    let field: [UInt8] = [0, 1, 0x78, 0x7f, 0xc1, 0x3d] + value
    #expect(try flood(field) < 64)
  }

  @Test func `of empty pieces is not followed`() throws {
    #expect(try flood([]) < 64)
  }

  @Test func `of small pieces is not followed`() throws {
    #expect(try flood([0, 1, 0x78, 1, 0x61]) < 64)
  }
}
