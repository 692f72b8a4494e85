// The SNMP agent of a simulated device: a datagram in, at most one datagram out. It knows communities, users and message
// sizes; what the objects are is the caller's walk. No socket, no clock: the engine's time is handed in.
//
//   wrong version or community       no answer, as RFC 3584 and every printer have it
//   SNMPv3                           SNMP's AuthoritativeEngine: discovery, timeliness, digests, reports
//   SNMPv3 below the user's level    authorizationError (RFC 3415: a view is granted at a level)
//   SNMPv3, another context          Report unknownContexts

internal import MIB
package import SNMP

package struct Agent: Sendable {
  /// What fits an Ethernet frame without fragments: 1,500 bytes less 20 of IPv4 and 8 of UDP. Larger answers are cut or tooBig.
  package static let messageBytesMax = 1472
  /// Bytes of a v1 or v2c message around its bindings: headers, request id, status, index, length octets, without the community.
  static let communityOverhead = 40
  /// The same of a v3 message: global data, security parameters with the largest digest, scoped PDU, a cipher block of padding.
  static let v3Overhead = 220

  let versions: Set<AgentVersion>
  let communities: [[UInt8]]
  let users: [USMUser]
  /// The one context that is served; empty for the default context.
  let contextName: String
  private let baseEngineID: [UInt8]
  private let keys: USMKeyCache
  private(set) var engine: AuthoritativeEngine
  private var engineNumber: UInt64 = 0

  package init(
    versions: Set<AgentVersion>, communities: [[UInt8]], users: [USMUser], contextName: String, engineID: [UInt8],
    keys: USMKeyCache, seed: UInt64
  ) {
    self.versions = versions
    self.communities = communities
    self.users = users
    self.contextName = contextName
    baseEngineID = engineID
    self.keys = keys
    engine = AuthoritativeEngine(
      engineID: engineID, engineBoots: Int32(1 + seed % 40), users: users, keys: keys, saltSeed: seed)
  }

  /// An engine id of RFC 3411, section 5: enterprise number, format 3, hardware address.
  package static func engineID(enterprise: UInt32, macAddress: [UInt8]) -> [UInt8] {
    let number = 0x8000_0000 | enterprise
    return (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) } + [3] + macAddress
  }

  /// The id that SNMPv3 requests must be addressed to now.
  package var engineID: [UInt8] { engine.engineID }

  /// Becomes another engine, as a device does whose network card is replaced.
  mutating func changeEngine() {
    engineNumber += 1
    engine = AuthoritativeEngine(
      engineID: baseEngineID + [UInt8(truncatingIfNeeded: engineNumber)], engineBoots: 1, users: users, keys: keys,
      saltSeed: engineNumber << 32)
  }

  /// Forgets how often it booted, as a device does that does not keep the number.
  mutating func forgetBoots() { engine.engineBoots = 0 }

  /// Answers a datagram, or does not (nil).
  ///
  /// - Parameters:
  ///   - engineTime: seconds since the engine booted.
  ///   - walk: the objects at this moment.
  mutating func answer(
    _ datagram: [UInt8], engineTime: Int32, walk: Walk, quirks: Quirks, faults: [Fault]
  ) -> [UInt8]? {
    guard let version = try? SNMPVersion(of: datagram) else { return nil }
    switch version {
    case .v1, .v2c: return answerCommunity(datagram, walk, quirks, faults)
    case .v3 where versions.contains(.v3) && !users.isEmpty:
      return answerV3(datagram, engineTime, walk, quirks, faults)
    case .v3: return nil
    }
  }

  private func answerCommunity(_ datagram: [UInt8], _ walk: Walk, _ quirks: Quirks, _ faults: [Fault]) -> [UInt8]? {
    guard let message = try? Message(decoding: datagram), communities.contains(message.community),
      versions.contains(message.version == .v1 ? .v1 : .v2c)
    else { return nil }
    let responder = Responder(
      walk: walk, version: message.version == .v1 ? .v1 : .v2, quirks: quirks, faults: faults,
      bindingBytesMax: Self.messageBytesMax(faults) - Self.communityOverhead - message.community.count)
    guard let response = responder.respond(to: message.pdu) else { return nil }
    return Message(
      version: message.version, community: message.community, pdu: Self.distorted(response, faults)
    ).encoded()
  }

  private mutating func answerV3(
    _ datagram: [UInt8], _ engineTime: Int32, _ walk: Walk, _ quirks: Quirks, _ faults: [Fault]
  ) -> [UInt8]? {
    switch engine.received(datagram, engineTime: engineTime) {
    case .ignored: return nil
    case .report(let report, _): return report
    case .request(let request):
      guard String(decoding: request.scoped.contextName, as: UTF8.self) == contextName else {
        return try? engine.reportUnknownContext(to: request, engineTime: engineTime)
      }
      guard let response = response(to: request, datagram, walk, quirks, faults) else { return nil }
      return try? engine.respond(to: request, with: Self.distorted(response, faults), engineTime: engineTime)
    }
  }

  private func response(
    to request: AuthoritativeEngine.Request, _ datagram: [UInt8], _ walk: Walk, _ quirks: Quirks, _ faults: [Fault]
  ) -> PDU? {
    var notes: [DecodingNote] = []
    let level = (try? LocatedV3Message(decoding: datagram, notes: &notes))?.message.flags.level ?? []
    guard request.user.level.isSubset(of: level) else {
      return request.pdu.response(request.pdu.bindings, errorStatus: .authorizationError)
    }
    let messageBytesMax = min(Self.messageBytesMax(faults), max(request.maxSize, Int(V3Message.maxSizeLeast)))
    let responder = Responder(
      walk: walk, version: .v2, quirks: quirks, faults: faults, bindingBytesMax: messageBytesMax - Self.v3Overhead)
    return responder.respond(to: request.pdu)
  }

  private static func distorted(_ response: PDU, _ faults: [Fault]) -> PDU {
    var response = response
    if faults.contains(.wrongRequestID) { response.requestID &+= 1 }
    if faults.contains(.noBindings) { response.bindings = [] }
    return response
  }

  /// A device of long strings sends whatever UDP carries.
  private static func messageBytesMax(_ faults: [Fault]) -> Int {
    faults.contains { if case .longStrings = $0 { true } else { false } } ? Server.datagramBytesMax : messageBytesMax
  }
}
