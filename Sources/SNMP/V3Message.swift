// Messages of SNMPv3 (RFC 3412, section 6) with the parameters of the User-based Security Model (RFC 3414, section 2.4).
//
//     SNMPv3Message = SEQUENCE {
//       msgVersion             INTEGER 3
//       msgGlobalData          SEQUENCE { msgID, msgMaxSize, msgFlags OCTET STRING (1), msgSecurityModel }
//       msgSecurityParameters  OCTET STRING holding SEQUENCE {
//         engine id, engine boots, engine time, user name, authentication parameters, privacy parameters }
//       msgData                ScopedPDU = SEQUENCE { context engine id, context name, PDU }
//                            | OCTET STRING, the ScopedPDU encrypted }
//
// Decoding proves nothing: authenticity and secrecy are USM.swift's.

/// A message of SNMPv3.
package struct V3Message: Hashable, Sendable {
  /// `msgFlags` (RFC 3412, section 6.4).
  package struct Flags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let authenticated = Flags(rawValue: 1)
    package static let encrypted = Flags(rawValue: 2)
    /// The receiver may answer with a Report.
    package static let reportable = Flags(rawValue: 4)

    /// The flags of a security level alone.
    package var level: Flags { intersection([.authenticated, .encrypted]) }
  }

  /// `msgData`.
  package enum Payload: Hashable, Sendable {
    case plain(ScopedPDU)
    case encrypted([UInt8])
  }

  /// `msgSecurityModel` of the User-based Security Model (RFC 3411, section 5).
  package static let userBasedSecurityModel: Int32 = 3
  /// RFC 3412, section 6.3: nobody may announce less than 484 bytes.
  package static let maxSizeLeast: Int32 = 484
  /// What fits a UDP datagram over IPv4: 65,535 bytes less the IP and UDP headers.
  package static let maxSizeUDP: Int32 = 65_507

  package var messageID: Int32
  /// The largest message the sender takes, in bytes.
  package var maxSize: Int32
  package var flags: Flags
  package var securityModel: Int32
  package var security: USMParameters
  package var payload: Payload

  package init(
    messageID: Int32, maxSize: Int32 = V3Message.maxSizeUDP, flags: Flags, security: USMParameters, payload: Payload
  ) {
    self.messageID = messageID
    self.maxSize = maxSize
    self.flags = flags
    self.securityModel = Self.userBasedSecurityModel
    self.security = security
    self.payload = payload
  }
}

/// The security parameters of the User-based Security Model, as sent.
package struct USMParameters: Hashable, Sendable {
  /// The id of the authoritative engine: the agent's. Empty in a discovery.
  package var engineID: [UInt8]
  package var engineBoots: Int32
  /// Seconds since the engine's last boot.
  package var engineTime: Int32
  package var userName: [UInt8]
  /// The truncated HMAC, or empty.
  package var authentication: [UInt8]
  /// The salt (8 bytes), or empty.
  package var privacy: [UInt8]

  package init(
    engineID: [UInt8] = [], engineBoots: Int32 = 0, engineTime: Int32 = 0, userName: [UInt8] = [],
    authentication: [UInt8] = [], privacy: [UInt8] = []
  ) {
    self.engineID = engineID
    self.engineBoots = engineBoots
    self.engineTime = engineTime
    self.userName = userName
    self.authentication = authentication
    self.privacy = privacy
  }
}

/// A PDU with the context it is meant for (RFC 3412, section 6.8).
package struct ScopedPDU: Hashable, Sendable {
  package var contextEngineID: [UInt8]
  package var contextName: [UInt8]
  package var pdu: PDU

  package init(contextEngineID: [UInt8], contextName: [UInt8], pdu: PDU) {
    self.contextEngineID = contextEngineID
    self.contextName = contextName
    self.pdu = pdu
  }
}

/// A decoded message and the places its digest is about.
package struct LocatedV3Message: Hashable, Sendable {
  package var message: V3Message
  /// Where the authentication parameters lie in the datagram.
  package var authenticationRange: Range<Int>
  /// How many bytes of the datagram are the message; the digest covers these.
  package var byteCount: Int
}

// MARK: - Decoding

extension LocatedV3Message {
  /// Reads a datagram. Nothing of it is authentic yet.
  ///
  /// - Parameter notes: receives what was tolerated, also when an error is thrown.
  /// - Throws: when it is not one whole message of SNMPv3.
  package init(decoding datagram: UnsafeRawBufferPointer, notes: inout [DecodingNote]) throws(BERError) {
    var reader = BERReader(datagram)
    var fields = try reader.nested("message")
    let versionOffset = fields.position
    let version = try SNMPVersion.read(from: &fields)
    guard version == .v3 else {
      throw BERError(
        offset: versionOffset, expected: "version 3", problem: .integerOutOfRange(Int64(version.rawValue)))
    }
    var header = try fields.nested("msgGlobalData")
    let messageID = try header.int32("msgID", in: 0...Int32.max)
    let maxSize = try header.int32("msgMaxSize", in: 0...Int32.max)
    let flags = try header.v3Flags()
    let securityModel = try header.int32("msgSecurityModel", in: 0...Int32.max)
    try header.finish("msgGlobalData")
    guard securityModel == V3Message.userBasedSecurityModel else {
      throw BERError(
        offset: header.position, expected: "msgSecurityModel 3", problem: .integerOutOfRange(Int64(securityModel)))
    }
    let (security, authenticationRange) = try fields.usmParameters()
    let payload = try V3Message.Payload(from: &fields, notes: &notes)
    try fields.finish("message")
    byteCount = reader.position
    reader.noteTrailingBytes(&notes)
    self.authenticationRange = authenticationRange
    message = V3Message(messageID: messageID, maxSize: maxSize, flags: flags, security: security, payload: payload)
  }

  /// Reads a datagram held in an array.
  package init(decoding datagram: [UInt8], notes: inout [DecodingNote]) throws(BERError) {
    self = try datagram.lend { (bytes) throws(BERError) in try LocatedV3Message(decoding: bytes, notes: &notes) }
  }
}

extension BERReader {
  fileprivate mutating func v3Flags() throws(BERError) -> V3Message.Flags {
    let offset = position
    let flags = try octets("msgFlags")
    guard let first = flags.first, flags.count == 1 else {
      throw BERError(offset: offset, expected: "msgFlags", problem: .wrongLength(flags.count))
    }
    return V3Message.Flags(rawValue: first)
  }

  /// The parameters and where the authentication ones lie.
  fileprivate mutating func usmParameters() throws(BERError) -> (USMParameters, Range<Int>) {
    var wrapper = try nested(tag: BERTag.octetString, "msgSecurityParameters")
    var fields = try wrapper.nested("UsmSecurityParameters")
    let engineID = try fields.octets("msgAuthoritativeEngineID")
    let boots = try fields.int32("msgAuthoritativeEngineBoots", in: 0...Int32.max)
    let time = try fields.int32("msgAuthoritativeEngineTime", in: 0...Int32.max)
    let userName = try fields.octets("msgUserName")
    let authentication = try fields.element(tag: BERTag.octetString, "msgAuthenticationParameters")
    let privacy = try fields.octets("msgPrivacyParameters")
    try fields.finish("UsmSecurityParameters")
    try wrapper.finish("msgSecurityParameters")
    let parameters = USMParameters(
      engineID: engineID, engineBoots: boots, engineTime: time, userName: userName,
      authentication: copy(authentication), privacy: privacy)
    return (parameters, authentication.contents)
  }
}

extension V3Message.Payload {
  fileprivate init(from reader: inout BERReader, notes: inout [DecodingNote]) throws(BERError) {
    if reader.nextTag == BERTag.octetString {
      self = .encrypted(try reader.octets("encryptedPDU"))
    } else {
      self = .plain(try ScopedPDU(from: &reader, notes: &notes))
    }
  }
}

extension ScopedPDU {
  /// Reads one scoped PDU; what follows it is left, since a block cipher's padding may.
  package init(from reader: inout BERReader, notes: inout [DecodingNote]) throws(BERError) {
    var fields = try reader.nested("scoped PDU")
    contextEngineID = try fields.octets("contextEngineID")
    contextName = try fields.octets("contextName")
    pdu = try PDU(from: &fields, notes: &notes)
    try fields.finish("scoped PDU")
  }
}

// MARK: - Encoding

extension ScopedPDU {
  package func write(to writer: inout BERWriter) {
    writer.constructed { scoped in
      pdu.write(to: &scoped)
      scoped.octets(contextName)
      scoped.octets(contextEngineID)
    }
  }

  package func encoded() -> [UInt8] {
    var writer = BERWriter()
    write(to: &writer)
    return writer.bytes
  }
}

extension V3Message {
  /// The datagram of this message, and where in it the authentication parameters lie, to be replaced by the digest.
  package func encoded() -> (datagram: [UInt8], authenticationRange: Range<Int>) {
    var writer = BERWriter()
    var endOfAuthentication = 0
    writer.constructed { message in
      switch payload {
      case .plain(let scoped): scoped.write(to: &message)
      case .encrypted(let bytes): message.octets(bytes)
      }
      message.constructed(BERTag.octetString) { wrapper in
        wrapper.constructed { fields in
          fields.octets(security.privacy)
          endOfAuthentication = fields.byteCount
          fields.octets(security.authentication)
          fields.octets(security.userName)
          fields.integer(security.engineTime)
          fields.integer(security.engineBoots)
          fields.octets(security.engineID)
        }
      }
      message.constructed { header in
        header.integer(securityModel)
        header.octets([flags.rawValue])
        header.integer(maxSize)
        header.integer(messageID)
      }
      message.integer(SNMPVersion.v3.rawValue)
    }
    let end = writer.byteCount - endOfAuthentication
    return (writer.bytes, (end - security.authentication.count)..<end)
  }
}
