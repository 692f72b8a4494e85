// Why a device did not answer as HTTP has it.

package enum DeviceFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// Nothing listens on the port.
  case refused
  /// The system says so, or nothing answers in time.
  case unreachable(String)
  case tls(String)
  /// The certificate is another than the one that is pinned.
  case certificateChanged
  /// The device speaks only versions of TLS that are switched off for it.
  case oldTLS
  /// What came is no HTTP, or broken.
  case notHTTP(String)
  /// The head of an answer is larger than is read.
  case headTooLarge
  /// Nothing came, or was taken, for so long.
  case slow(String)
  /// The connection ended before the answer did.
  case cut
  /// This side gave the connection up.
  case closed

  /// A connection that had rested was over when it was used: nothing was said of the request.
  package var isOfAnEnd: Bool {
    switch self {
    case .cut, .closed: true
    case .notHTTP(let reason): reason == Self.withoutAnswer
    case .refused, .unreachable, .tls, .certificateChanged, .oldTLS, .headTooLarge, .slow: false
    }
  }

  static let withoutAnswer = "the connection ended without an answer"

  package var description: String {
    switch self {
    case .refused: "The device refuses the connection: nothing listens on the port."
    case .unreachable(let reason): "The device cannot be reached: \(reason)."
    case .tls(let reason): "No TLS connection to the device came about: \(reason)."
    case .certificateChanged:
      "The device shows another certificate than before. Somebody who knows why must accept it at the agent: ptagent remote trust."
    case .oldTLS:
      "The device speaks only TLS older than 1.2, which is switched off for it (remote.old_tls at the agent)."
    case .notHTTP(let reason): "What the device answers is no HTTP: \(reason)."
    case .headTooLarge: "The head of the device's answer is too large."
    case .slow(let reason): "The device is too slow: \(reason)."
    case .cut: "The device ended the connection before its answer was over."
    case .closed: "The connection to the device was given up."
    }
  }
}
