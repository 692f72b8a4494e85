// A tunnel through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6) with Basic credentials (RFC 7617).
//
// What crosses the proxy is TLS from end to end; the proxy learns the host, the port and its own credentials.

internal import Glibc
internal import OpenSSL

package struct HTTPProxy: Hashable, Sendable {
  /// The largest answer to CONNECT that is read, in bytes: a status line and some headers.
  package static let answerBytesMax = 16 * 1024
  /// What an error quotes of its status line.
  static let quotedCharactersMax = 80

  package struct Credentials: Hashable, Sendable {
    package let user: String
    package let password: String

    package init(user: String, password: String) {
      self.user = user
      self.password = password
    }
  }

  package let endpoint: Endpoint
  package let credentials: Credentials?

  package init(endpoint: Endpoint, credentials: Credentials? = nil) {
    self.endpoint = endpoint
    self.credentials = credentials
  }

  /// The request for a tunnel to `target`.
  func request(for target: Endpoint) -> String {
    var lines = ["CONNECT \(target) HTTP/1.1", "Host: \(target)"]
    if let credentials {
      lines.append("Proxy-Authorization: Basic " + base64("\(credentials.user):\(credentials.password)".utf8))
    }
    return lines.joined(separator: "\r\n") + "\r\n\r\n"
  }

  /// Nil when `answer`, a whole header section, grants the tunnel; otherwise why not.
  func refusal(in answer: [UInt8]) -> String? {
    let statusLine = String(decoding: answer.prefix { $0 != 13 && $0 != 10 }, as: UTF8.self)
    let words = statusLine.split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].count == 3, let status = Int(words[1]) else {
      return "it does not speak HTTP"
    }
    if (200..<300).contains(status) { return nil }
    switch status {
    // RFC 9110 section 15.5.8 is 407; tinyproxy says 401 to credentials that are wrong.
    case 401, 407: return "it wants \(credentials == nil ? "" : "other ")credentials (status \(status))"
    case 403: return "it does not allow connections to that host and port (status 403)"
    default: return "it answered '\(statusLine.prefix(Self.quotedCharactersMax))'"
    }
  }

  /// Opens the tunnel on a connection to the proxy. Afterwards the socket belongs to the target.
  func openTunnel(
    on socket: borrowing Socket, to target: Endpoint, waker: WakePipe, until deadline: ContinuousClock.Instant,
    isInterrupted: () -> Bool
  ) throws(TLSError) {
    func refused(_ reason: String) -> TLSError { .proxyRefused(proxy: endpoint.description, reason: reason) }
    func wait(_ events: Int32) throws(TLSError) {
      let outcome = try waitForDescriptor(socket.descriptor, events: events, waker: waker, until: deadline)
      if isInterrupted() { throw .interrupted }
      if outcome == .deadlinePassed { throw .timedOut(step: "asking the proxy \(endpoint) for a tunnel") }
    }
    var rest = Array(request(for: target).utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { send(socket.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if sent > 0 {
        rest = rest.dropFirst(sent)
      } else if errno == EAGAIN || errno == EINTR {
        try wait(Int32(POLLOUT))
      } else {
        throw refused(systemReason(errno))
      }
    }
    // One byte at a time: what follows the header section is the target's first word and must stay in the socket.
    var answer: [UInt8] = []
    while !answer.suffix(4).elementsEqual([13, 10, 13, 10]) {
      guard answer.count < Self.answerBytesMax else { throw refused("its answer is too long") }
      var byte: UInt8 = 0
      let received = recv(socket.descriptor, &byte, 1, 0)
      if received == 1 {
        answer.append(byte)
      } else if received == 0 {
        throw refused("it closed the connection")
      } else if errno == EAGAIN || errno == EINTR {
        try wait(Int32(POLLIN))
      } else {
        throw refused(systemReason(errno))
      }
    }
    if let refusal = refusal(in: answer) { throw refused(refusal) }
  }
}
