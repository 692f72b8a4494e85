// What the agent answers where the device gives no answer (docs/formats/tunnel.md, "Requests").

internal import DeviceHTTP
internal import Events
internal import HTTP2
internal import Synchronization

/// A request that came too soon after others.
struct TooFast: Error {}

/// A request without TLS to a device that has shown a certificate.
struct WithoutTLS: Error {}

struct AgentAnswer: Equatable {
  /// 0: nobody is there to be answered.
  var status: Int
  /// `pt-error`; empty: nothing that the agent would answer.
  var word: String
  var message: String
  /// What it means for the session.
  var end: RemoteEnd?

  init(_ status: Int, _ word: String, _ message: String, end: RemoteEnd? = nil) {
    self.status = status
    self.word = word
    self.message = message
    self.end = end
  }

  init(_ error: any Error) {
    switch error {
    case let error as AskRefusal:
      self.init(403, "target", error.message, end: error.endsSession ? RemoteEnd(.target, error.message) : nil)
    case let error as UsedUp: self.init(429, "limit", error.message, end: RemoteEnd(.limit, error.message))
    case is TooFast: self.init(429, "limit", "These are more requests at once than a session may make.")
    case is WithoutTLS:
      self.init(
        502, "tls-changed",
        "This device has shown a certificate, and is asked for nothing without TLS since. If it has none any more, whoever is at its agent may say so: ptagent remote trust."
      )
    case let fault as DeviceFault: self.init(fault)
    // The hub ended the stream, or the session is over.
    default: self.init(0, "", "")
    }
  }

  private init(_ fault: DeviceFault) {
    let (status, word): (Int, String) =
      switch fault {
      case .refused: (502, "refused")
      case .unreachable: (504, "unreachable")
      case .tls: (502, "tls")
      case .certificateChanged: (502, "tls-changed")
      case .oldTLS: (502, "tls-old")
      case .notHTTP, .cut: (502, "not-http")
      case .headTooLarge: (502, "too-large")
      case .slow: (504, "slow")
      case .closed: (0, "")
      }
    self.init(status, word, fault.description)
  }

  func send(on stream: HTTP2Stream) {
    stream.respond([
      HTTP2Header(":status", "\(status)"), HTTP2Header("content-type", "text/plain; charset=utf-8"),
      HTTP2Header("pt-error", word),
    ])
    stream.sendWithoutWaiting(Array("\(message)\n".utf8), endStream: true)
    stream.dropRest()
  }
}

/// How far one exchange has come: its two directions run at one time.
final class ExchangeProgress: Sendable {
  private struct State {
    var status: UInt32 = 0
    var hasAnswer = false
    var hasHead = false
    var sent: UInt64 = 0
    var received: UInt64 = 0
    var cause: (any Error)?
  }

  private let state = Mutex(State())

  /// Whether the head of the device's answer went out: no other answer can.
  var hasHead: Bool { state.withLock { $0.hasHead } }
  /// Whether the device has sent anything of its answer.
  var hasAnswer: Bool { state.withLock { $0.hasAnswer } }
  var numbers: (UInt32, UInt64, UInt64) { state.withLock { ($0.status, $0.sent, $0.received) } }

  /// What ended the way there, where the way back only hears that it is over.
  var cause: (any Error)? { state.withLock { $0.cause } }

  func failed(_ error: any Error) {
    guard !(error is CancellationError) else { return }
    state.withLock { $0.cause = $0.cause ?? error }
  }

  func answered(_ status: Int) { state.withLock { $0.status = UInt32(clamping: status) } }
  func beganAnswer() { state.withLock { $0.hasAnswer = true } }
  func beganHead() { state.withLock { $0.hasHead = true } }
  func sent(_ count: Int) { state.withLock { $0.sent += UInt64(count) } }
  func received(_ count: Int) { state.withLock { $0.received += UInt64(count) } }
}
