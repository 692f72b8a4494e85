// The agent's side of SNMPv3: an authoritative engine (RFC 3414, section 3.2; RFC 3412, section 7.2). The simulator serves
// with it, and the tests drive a session against it.
//
//     datagram -> engine id ours? -> user known? -> level supported? -> digest right? -> timely? -> decrypts? -> request
//                     | no              | no            | no                | no            | no        | no
//                     v                 v               v                   v               v           v
//                unknownEngineID  unknownUserName  unsupportedLevel    wrongDigest    notInTimeWindow  decryptionError
//
// Each failure is counted and reported, if the sender allows a Report. Pure: the engine's time is handed in.

internal import MIB

/// An authoritative engine with its users and counters.
package struct AuthoritativeEngine: Sendable {
  /// A request that passed all checks.
  package struct Request: Sendable {
    package let user: USMUser
    package let scoped: ScopedPDU
    /// The largest response the sender takes, in bytes.
    package let maxSize: Int
    let messageID: Int32
    let level: V3Message.Flags

    package var pdu: PDU { scoped.pdu }
  }

  package enum Reception: Sendable {
    case request(Request)
    /// To be sent back: the sender has something to correct.
    case report([UInt8], ReportReason)
    /// Nothing is sent back; the text says why.
    case ignored(String)
  }

  package let engineID: [UInt8]
  package var engineBoots: Int32
  /// How often each reason was found.
  package private(set) var counters: [ReportReason: UInt32] = [:]

  private let users: [[UInt8]: USMUser]
  private let keys: USMKeyCache
  private var salt: UInt64

  /// - Parameter saltSeed: where the salts begin; must differ between two lives of an engine with the same boots.
  package init(engineID: [UInt8], engineBoots: Int32, users: [USMUser], keys: USMKeyCache, saltSeed: UInt64) {
    self.engineID = engineID
    self.engineBoots = engineBoots
    self.users = Dictionary(users.map { (Array($0.name.utf8), $0) }) { _, later in later }
    self.keys = keys
    salt = saltSeed
  }

  /// Takes a datagram.
  ///
  /// - Parameter engineTime: seconds since this engine booted.
  package mutating func received(_ datagram: [UInt8], engineTime: Int32) -> Reception {
    var notes: [DecodingNote] = []
    let located: LocatedV3Message
    do throws(BERError) {
      located = try LocatedV3Message(decoding: datagram, notes: &notes)
    } catch {
      return .ignored(error.description)
    }
    let message = located.message
    guard message.security.engineID == engineID else { return report(.unknownEngineID, message, engineTime) }
    guard let user = users[message.security.userName] else { return report(.unknownUserName, message, engineTime) }
    guard message.flags.level.isSubset(of: user.level) else {
      return report(.unsupportedSecurityLevel, message, engineTime)
    }
    let keys = keys.keys(for: user, engineID: engineID)
    do throws(USMError) {
      try located.verify(datagram, keys)
      guard isTimely(message, engineTime) else { return report(.notInTimeWindow, message, engineTime, user) }
      let scoped = try located.decrypted(with: keys, notes: &notes)
      guard scoped.pdu.type != .report, scoped.pdu.type != .response else { return .ignored("not a request") }
      return .request(
        Request(
          user: user, scoped: scoped, maxSize: Int(message.maxSize), messageID: message.messageID,
          level: message.flags.level))
    } catch {
      switch error {
      case .unsupportedLevel: return report(.unsupportedSecurityLevel, message, engineTime)
      case .wrongDigest: return report(.wrongDigest, message, engineTime)
      case .decryption, .cipher: return report(.decryptionError, message, engineTime)
      }
    }
  }

  /// The datagram of a response, at the level and in the context of its request.
  package mutating func respond(
    to request: Request, with pdu: PDU, engineTime: Int32
  ) throws(USMError) -> [UInt8] {
    let scoped = ScopedPDU(
      contextEngineID: request.scoped.contextEngineID, contextName: request.scoped.contextName, pdu: pdu)
    return try seal(scoped, messageID: request.messageID, flags: request.level, user: request.user, engineTime)
  }

  /// The Report that a request's context does not exist here (RFC 3413, section 3.2).
  package mutating func reportUnknownContext(to request: Request, engineTime: Int32) throws(USMError) -> [UInt8] {
    counters[.unknownContext, default: 0] &+= 1
    let scoped = reportPDU(.unknownContext, requestID: request.pdu.requestID)
    return try seal(scoped, messageID: request.messageID, flags: request.level, user: request.user, engineTime)
  }

  /// RFC 3414, section 3.2, step 7a. Messages that are not authenticated have no time.
  private func isTimely(_ message: V3Message, _ engineTime: Int32) -> Bool {
    guard message.flags.contains(.authenticated) else { return true }
    let difference = Int64(message.security.engineTime) - Int64(engineTime)
    return engineBoots != USM.engineBootsMax && message.security.engineBoots == engineBoots
      && abs(difference) <= Int64(USM.timeWindowSeconds)
  }

  /// Counts and builds a Report. With a user it is authenticated, as the one about time must be (section 3.2, step 7).
  private mutating func report(
    _ reason: ReportReason, _ message: V3Message, _ engineTime: Int32, _ user: USMUser? = nil
  ) -> Reception {
    counters[reason, default: 0] &+= 1
    guard message.flags.contains(.reportable) else { return .ignored("\(reason), and no report is wanted") }
    var requestID: Int32 = 0
    if case .plain(let scoped) = message.payload { requestID = scoped.pdu.requestID }
    let scoped = reportPDU(reason, requestID: requestID)
    do throws(USMError) {
      let datagram = try seal(
        scoped, messageID: message.messageID, flags: user == nil ? [] : .authenticated, user: user, engineTime)
      return .report(datagram, reason)
    } catch {
      return .ignored(error.description)
    }
  }

  private func reportPDU(_ reason: ReportReason, requestID: Int32) -> ScopedPDU {
    let pdu = PDU(.report, requestID: requestID, bindings: [VarBind(reason.name, .counter32(counters[reason] ?? 0))])
    return ScopedPDU(contextEngineID: engineID, contextName: [], pdu: pdu)
  }

  private mutating func seal(
    _ scoped: ScopedPDU, messageID: Int32, flags: V3Message.Flags, user: USMUser?, _ engineTime: Int32
  ) throws(USMError) -> [UInt8] {
    salt &+= 1
    let security = USMParameters(
      engineID: engineID, engineBoots: engineBoots, engineTime: engineTime,
      userName: user.map { Array($0.name.utf8) } ?? [])
    let message = V3Message(messageID: messageID, flags: flags, security: security, payload: .plain(scoped))
    return try message.sealed(with: user.map { keys.keys(for: $0, engineID: engineID) } ?? .none, salt: salt)
  }
}
