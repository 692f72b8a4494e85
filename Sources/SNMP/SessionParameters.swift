// The limits of a session and the remarks it makes.

/// How patient a session is.
package struct SessionParameters: Hashable, Sendable {
  /// Before anything was measured (RFC 6298, section 2.1: one second).
  package var timeoutInitial: Duration = .seconds(1)
  /// Printers answer within milliseconds until their processor draws a page; a lower limit would retransmit into that.
  package var timeoutMin: Duration = .milliseconds(250)
  /// A device slower than this is not helped by more waiting.
  package var timeoutMax: Duration = .seconds(8)
  /// Further sends after the first.
  package var retries: Int = 2
  /// A request that may wake the device is not given up before this long after its first send: sleeping devices take 2 to
  /// 4 s for the first packet. Nil for no such patience, as in a sweep.
  package var firstPacketPatience: Duration? = .seconds(4)
  /// A device unheard for this long may be asleep. Requests of one poll follow each other sooner, so that it is the first one of a poll that
  /// is patient; many printers sleep although they are asked each minute.
  package var idleAfter: Duration = .seconds(2)
  /// Unreadable answers to one request after which it fails. One may be damage; a second one is the device's way.
  package var malformedMax: Int = 2
  /// How often the time may be set anew within one request: once from a discovery's guess, once from a reboot meanwhile.
  package var resynchronizationsMax: Int = 2
  /// How often the engine id may change within one request: a device replaced at this address.
  package var rediscoveriesMax: Int = 1
  /// The largest message this side takes, in bytes, told to SNMPv3 devices.
  package var messageBytesMax: Int32 = V3Message.maxSizeUDP

  package init() {}

  /// For a sweep over many addresses: one retry, no patience for sleepers.
  package static var sweep: SessionParameters {
    var parameters = SessionParameters()
    parameters.retries = 1
    parameters.firstPacketPatience = nil
    return parameters
  }
}

/// Something odd that did not keep a request from being answered.
package enum SessionFinding: Hashable, Sendable {
  /// A datagram that answers nothing this session asked.
  case notOurs
  /// An answer to a request that is over: a duplicate, or too late.
  case late
  /// A datagram that could not be read.
  case malformed(BERError)
  /// An answer in another community than asked in. It was taken, since the request id matched.
  case otherCommunity
  /// An answer whose digest is wrong; ignored.
  case notAuthentic
  /// An answer at a lower security level than asked at; ignored.
  case lowerSecurityLevel
  /// An authentic answer outside of the time window; ignored.
  case untimely
  /// The engine's boots or time went back: the device restarted without counting it.
  case engineTimeWentBack
  /// The device has another engine id than before: it was replaced or set up anew.
  case engineChanged(from: [UInt8], to: [UInt8])
  /// The device told its time without authenticating it.
  case unauthenticatedTime
  /// The request was larger than what the device takes and was answered here with `tooBig`.
  case requestTooLarge(byteCount: Int, deviceMax: Int)
}

extension SessionFinding: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notOurs: "a datagram answers nothing that was asked"
    case .late: "an answer came late or twice"
    case .malformed(let error): "an answer is malformed: \(error)"
    case .otherCommunity: "an answer carries another community than the request"
    case .notAuthentic: "an answer is not authentic"
    case .lowerSecurityLevel: "an answer has a lower security level than the request"
    case .untimely: "an answer is outside of the time window"
    case .engineTimeWentBack: "the engine's time went back: the device restarted without counting it"
    case .engineChanged: "the device has a new SNMP engine id"
    case .unauthenticatedTime: "the device told its engine time without authentication"
    case .requestTooLarge(let count, let max): "a request of \(count) bytes is larger than the device's \(max)"
    }
  }
}
