internal import MIB
internal import SNMP

/// Messages as devices and managers send them, for the tests that damage them.
enum SampleMessages {
  static let bindings: [VarBind] = [
    VarBind([1, 3, 6, 1, 2, 1, 1, 1, 0], .octets(Array("HP ETHERNET MULTI-ENVIRONMENT".utf8))),
    VarBind([1, 3, 6, 1, 2, 1, 1, 2, 0], .objectIdentifier([1, 3, 6, 1, 4, 1, 11, 2, 3, 9, 1])),
    VarBind([1, 3, 6, 1, 2, 1, 1, 3, 0], .timeTicks(4_000_000_000)),
    VarBind([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(4_294_967_295)),
    VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, 1], .integer(-3)),
    VarBind([1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1], .counter64(.max)),
    VarBind([1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 10, 0, 0, 1], .ipAddress([10, 0, 0, 1])),
    VarBind([1, 3, 6, 1, 2, 1, 2, 2, 1, 5, 1], .gauge32(100_000_000)),
    VarBind([1, 3, 6, 1, 4, 1, 2021, 10, 1, 6, 1], .opaque([0x9F, 0x78, 4, 0x42, 0xF6, 0, 0])),
    VarBind([1, 3, 6, 1, 2, 1, 43, 99], .noSuchObject),
    VarBind([1, 3, 6, 1, 2, 1, 43, 5, 1, 1, 17, 9], .noSuchInstance),
    VarBind([1, 3, 6, 1, 6, 3], .endOfMibView),
    VarBind([1, 3, 6, 1, 2, 1, 1, 4, 0], .null),
  ]

  static let community: [Message] =
    PDU.Kind.allCases.filter { $0 != .trapV1 }.flatMap { kind in
      CommunityVersion.allCases.map { version in
        Message(
          version: version, community: Array("public".utf8),
          pdu: PDU(kind, requestID: 0x1234_5678, errorStatus: .genErr, errorIndex: 4, bindings: bindings))
      }
    }

  static let trap = Message(
    version: .v1, community: Array("public".utf8),
    pdu: PDU(
      .trapV1, requestID: 0,
      bindings: [
        VarBind([1, 3, 6, 1, 2, 1, 1, 3, 0], .timeTicks(77)),
        VarBind([1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0], .objectIdentifier([1, 3, 6, 1, 2, 1, 43, 18, 2, 0, 1])),
        VarBind([1, 3, 6, 1, 2, 1, 43, 18, 1, 1, 2, 1, 5], .integer(3)),
        VarBind([1, 3, 6, 1, 6, 3, 18, 1, 3, 0], .ipAddress([10, 0, 0, 7])),
        VarBind([1, 3, 6, 1, 6, 3, 1, 1, 4, 3, 0], .objectIdentifier([1, 3, 6, 1, 2, 1, 43, 18, 2])),
      ]))

  static let scoped = ScopedPDU(
    contextEngineID: [0x80, 0, 0, 0xB, 1, 2, 3], contextName: Array("Jetdirect".utf8),
    pdu: PDU(.response, requestID: 99, bindings: bindings))

  static let v3 = V3Message(
    messageID: 77, maxSize: 1_472, flags: [.authenticated, .encrypted, .reportable],
    security: USMParameters(
      engineID: [0x80, 0, 0, 0xB, 1, 2, 3], engineBoots: 4, engineTime: 100_000, userName: Array("fleet".utf8),
      authentication: [UInt8](repeating: 0xAB, count: 12), privacy: [UInt8](repeating: 7, count: 8)),
    payload: .plain(scoped))

  /// Every sample as a datagram.
  static var datagrams: [[UInt8]] {
    var encrypted = v3
    encrypted.payload = .encrypted([UInt8](repeating: 0x5A, count: 64))
    return (community + [trap]).map { $0.encoded() } + [v3.encoded().datagram, encrypted.encoded().datagram]
  }
}
