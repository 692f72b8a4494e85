// What is asked of a device and what became of it, above any version's messages.

package import MIB

/// One request. Agents of this product read; there is no Set.
package enum Request: Hashable, Sendable {
  case get([ObjectIdentifier])
  case getNext([ObjectIdentifier])
  /// Sent as GetNext to a device of SNMPv1, which has no GetBulk.
  case getBulk([ObjectIdentifier], nonRepeaters: Int, maxRepetitions: Int)

  package var names: [ObjectIdentifier] {
    switch self {
    case .get(let names), .getNext(let names), .getBulk(let names, _, _): names
    }
  }
}

/// What a device answered, errors of the protocol included.
package struct Response: Hashable, Sendable {
  package var bindings: [VarBind]
  package var errorStatus: ErrorStatus
  /// The position, from 1, of the binding the error is about, or 0.
  package var errorIndex: Int
  /// UDP payload sent for this request: retransmissions and discovery included.
  package var requestBytes: Int
  /// UDP payload received for this request: reports included.
  package var responseBytes: Int
  /// Datagrams sent for this request.
  package var sends: Int
  /// The time from the send that was answered; nil when it is not known which one was.
  package var roundTrip: Duration?
  /// What was tolerated in the answer's encoding.
  package var notes: [DecodingNote]

  package init(
    _ bindings: [VarBind], errorStatus: ErrorStatus = .noError, errorIndex: Int = 0, requestBytes: Int = 0,
    responseBytes: Int = 0, sends: Int = 1, roundTrip: Duration? = nil, notes: [DecodingNote] = []
  ) {
    self.bindings = bindings
    self.errorStatus = errorStatus
    self.errorIndex = errorIndex
    self.requestBytes = requestBytes
    self.responseBytes = responseBytes
    self.sends = sends
    self.roundTrip = roundTrip
    self.notes = notes
  }
}

/// Why a request has no response. The session can take the next request.
package enum SessionFailure: Error, Hashable, Sendable {
  /// Nothing came after this many sends, or nothing but this many answers to what was not asked.
  case timeout(sends: Int, strangers: Int = 0)
  /// The credential is not the device's.
  case authentication(AuthenticationFailure)
  /// The device's answers cannot be read.
  case malformed(BERError)
  /// The device refuses for a reason that another credential would not change.
  case reported(ReportReason?)

  /// Whether another credential might succeed at once; after a timeout it might too, at the price of waiting again.
  package var isAuthentication: Bool {
    if case .authentication = self { true } else { false }
  }
}

/// How a device says that it does not take a credential.
package enum AuthenticationFailure: Hashable, Sendable {
  /// The device found our digest wrong: the authentication password or algorithm differs.
  case wrongDigest
  case unknownUserName
  /// The user exists, but not at this security level.
  case unsupportedSecurityLevel
  /// Still outside of the device's time window after its time was taken over.
  case notInTimeWindow
  /// The privacy password or algorithm differs.
  case decryptionError
  /// The device does not accept the engine id it gave.
  case unknownEngineID
  /// The device has no such context for this user.
  case unknownContext
  /// The device's own digests are wrong.
  case responseNotAuthentic
  /// The device knows who asks, and grants no access at this security level (RFC 3413, section 3.2: authorizationError).
  case accessDenied
}

extension SessionFailure: CustomStringConvertible {
  package var description: String {
    switch self {
    case .timeout(let sends, 0): "no answer to \(Self.requests(sends))"
    case .timeout(let sends, let strangers):
      "no answer to \(Self.requests(sends)), but answers with other request ids (\(strangers)), which were not accepted"
    case .authentication(let failure): failure.description
    case .malformed(let error): "the answer is malformed: \(error)"
    case .reported(let reason?): "the device reported \(reason)"
    case .reported(nil): "the device sent a report without a known reason"
    }
  }

  private static func requests(_ count: Int) -> String { count == 1 ? "1 request" : "\(count) requests" }
}

extension AuthenticationFailure: CustomStringConvertible {
  package var description: String {
    switch self {
    case .wrongDigest: "wrong authentication password or algorithm"
    case .unknownUserName: "unknown user name"
    case .unsupportedSecurityLevel: "the user does not exist at this security level"
    case .notInTimeWindow: "the device keeps calling requests untimely"
    case .decryptionError: "wrong privacy password or algorithm"
    case .unknownEngineID: "the device does not accept its own engine id"
    case .unknownContext: "the device does not have this context"
    case .responseNotAuthentic: "the device's answers are not authentic"
    case .accessDenied: "the device grants no access with it"
    }
  }

  /// What to look at, as a sentence without its full stop.
  package func remedy(for credential: Credential) -> String {
    guard case .user(let user) = credential else { return "Give a community that may read" }
    return switch self {
    case .wrongDigest: "Give the auth algorithm and password that the device has for the user \(user.name)"
    case .unknownUserName: "Give a user that the device has; it has no \(user.name)"
    case .unsupportedSecurityLevel, .accessDenied:
      """
      It was asked as \(user.name) at \(user.levelName): give the level that it demands of this user (auth and priv with their passwords, or \
      neither), or let its access rules grant this one
      """
    case .decryptionError: "Give the priv algorithm and password that the device has for the user \(user.name)"
    case .unknownContext where user.contextName.isEmpty:
      "Give the context that the device has for the user \(user.name)"
    case .unknownContext: "Give another context than \(user.contextName), or none"
    case .notInTimeWindow, .unknownEngineID: "Restart the device, or read it with a community"
    case .responseNotAuthentic:
      """
      Give the auth algorithm and password that the device has for the user \(user.name), and see whether another machine answers in its place
      """
    }
  }

  /// The failure a Report means, if it is one of authentication.
  init?(_ reason: ReportReason) {
    switch reason {
    case .wrongDigest: self = .wrongDigest
    case .unknownUserName: self = .unknownUserName
    case .unsupportedSecurityLevel: self = .unsupportedSecurityLevel
    case .notInTimeWindow: self = .notInTimeWindow
    case .decryptionError: self = .decryptionError
    case .unknownEngineID: self = .unknownEngineID
    case .unknownContext, .unavailableContext: self = .unknownContext
    case .unknownSecurityModel, .invalidMessage, .unknownPDUHandler: return nil
    }
  }
}
