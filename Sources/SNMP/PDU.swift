// Protocol data units (RFC 3416, section 3; RFC 1157, section 4.1): what is asked and answered, whatever message
// carries it.
//
//     PDU = [tag] { request-id  error-status | non-repeaters  error-index | max-repetitions  variable-bindings }
//
// The Trap-PDU of SNMPv1 has another shape; it is translated to and from this one (see TrapV1.swift).

package import MIB

/// One protocol data unit.
package struct PDU: Hashable, Sendable {
  /// What kind of PDU it is; the raw value is its tag.
  package enum Kind: UInt8, CaseIterable, Hashable, Sendable {
    case get = 0xA0
    case getNext = 0xA1
    case response = 0xA2
    case set = 0xA3
    /// SNMPv1's Trap-PDU. Its bindings here are those of the SNMPv2 notification it means.
    case trapV1 = 0xA4
    case getBulk = 0xA5
    case inform = 0xA6
    case trapV2 = 0xA7
    case report = 0xA8
  }

  package var type: Kind
  package var requestID: Int32
  /// `.noError` in requests; shares its place with `nonRepeaters`.
  package var errorStatus: ErrorStatus
  /// The position, from 1, of the binding the error is about, or 0; shares its place with `maxRepetitions`.
  package var errorIndex: Int32
  package var bindings: [VarBind]

  package init(
    _ type: Kind, requestID: Int32, errorStatus: ErrorStatus = .noError, errorIndex: Int32 = 0,
    bindings: [VarBind] = []
  ) {
    self.type = type
    self.requestID = requestID
    self.errorStatus = errorStatus
    self.errorIndex = errorIndex
    self.bindings = bindings
  }

  /// A GetRequest or GetNextRequest: names with null values.
  package init(_ type: Kind, requestID: Int32, names: [ObjectIdentifier]) {
    self.init(type, requestID: requestID, bindings: names.map { VarBind($0, .null) })
  }

  /// A GetBulkRequest.
  package init(getBulk names: [ObjectIdentifier], requestID: Int32, nonRepeaters: Int32, maxRepetitions: Int32) {
    self.init(.getBulk, requestID: requestID, names: names)
    self.nonRepeaters = nonRepeaters
    self.maxRepetitions = maxRepetitions
  }

  /// How many of the first names of a GetBulkRequest are asked once only.
  package var nonRepeaters: Int32 {
    get { errorStatus.rawValue }
    set { errorStatus = ErrorStatus(rawValue: newValue) }
  }

  /// How many times the other names of a GetBulkRequest are followed.
  package var maxRepetitions: Int32 {
    get { errorIndex }
    set { errorIndex = newValue }
  }

  /// The answer to this request.
  package func response(
    _ bindings: [VarBind], errorStatus: ErrorStatus = .noError, errorIndex: Int32 = 0
  ) -> PDU {
    PDU(.response, requestID: requestID, errorStatus: errorStatus, errorIndex: errorIndex, bindings: bindings)
  }
}

/// `error-status` (RFC 3416, section 3). Devices answer with numbers beyond the list; they are kept.
package struct ErrorStatus: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let noError = ErrorStatus(rawValue: 0)
  package static let tooBig = ErrorStatus(rawValue: 1)
  /// SNMPv1: there is no such object, or nothing follows it.
  package static let noSuchName = ErrorStatus(rawValue: 2)
  package static let badValue = ErrorStatus(rawValue: 3)
  package static let readOnly = ErrorStatus(rawValue: 4)
  package static let genErr = ErrorStatus(rawValue: 5)
  package static let noAccess = ErrorStatus(rawValue: 6)
  package static let notWritable = ErrorStatus(rawValue: 17)
  package static let authorizationError = ErrorStatus(rawValue: 16)

  private static let names = [
    "noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength",
    "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed",
    "undoFailed", "authorizationError", "notWritable", "inconsistentName",
  ]
}

extension ErrorStatus: CustomStringConvertible {
  package var description: String {
    let index = Int(rawValue)
    return Self.names.indices.contains(index) ? Self.names[index] : "error \(rawValue)"
  }
}

extension PDU {
  /// Reads one PDU.
  ///
  /// - Parameter notes: receives what was tolerated.
  package init(from reader: inout BERReader, notes: inout [DecodingNote]) throws(BERError) {
    let element = try reader.element("PDU")
    guard let type = Kind(rawValue: element.tag) else {
      throw BERError(offset: element.offset, expected: "PDU", problem: .unexpectedTag(element.tag))
    }
    var fields = reader.reader(of: element)
    if type == .trapV1 {
      self = try TrapV1(from: &fields, notes: &notes).notification
    } else {
      let requestID = try fields.int32("request-id")
      let errorStatus = ErrorStatus(rawValue: try fields.int32("error-status"))
      let errorIndex = try fields.int32("error-index")
      let bindings = try VarBindList.read(from: &fields, notes: &notes)
      self.init(type, requestID: requestID, errorStatus: errorStatus, errorIndex: errorIndex, bindings: bindings)
    }
    try fields.finish("PDU")
  }

  /// Writes the PDU in front of what `writer` holds.
  package func write(to writer: inout BERWriter) {
    guard type != .trapV1 else { return TrapV1(notification: self).write(to: &writer) }
    writer.constructed(type.rawValue) { fields in
      VarBindList.write(bindings, to: &fields)
      fields.integer(errorIndex)
      fields.integer(errorStatus.rawValue)
      fields.integer(requestID)
    }
  }
}
