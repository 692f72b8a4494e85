// The messages of the Internet Printing Protocol: RFC 8010 (encoding) and RFC 8011 (model).
//
//   version 2 | operation or status 2 | request id 4 | groups | 0x03 | document data
//   group:      delimiter tag 1, attributes
//   attribute:  value tag 1 | name length 2 | name | value length 2 | value      and one more value for each with a name of no bytes

/// A request or a response, without document data.
package struct IPPMessage: Hashable, Sendable {
  /// What a version 2.0 printer calls itself; 1.1 is understood by every printer.
  package struct Version: Hashable, Sendable, CustomStringConvertible {
    package var major: UInt8
    package var minor: UInt8

    package init(_ major: UInt8, _ minor: UInt8) { (self.major, self.minor) = (major, minor) }

    package var description: String { "\(major).\(minor)" }
  }

  package var version: Version
  /// An operation in a request (`IPPOperation`), a status in a response (`IPPStatus`).
  package var code: UInt16
  package var requestID: Int32
  package var groups: [IPPGroup]

  package init(version: Version = Version(2, 0), code: UInt16, requestID: Int32, groups: [IPPGroup]) {
    self.version = version
    self.code = code
    self.requestID = requestID
    self.groups = groups
  }

  /// The first group of this kind; a printer that answers for one printer has one.
  package subscript(kind: IPPGroup.Kind) -> IPPGroup? { groups.first { $0.kind == kind } }
}

/// Attributes about one thing.
package struct IPPGroup: Hashable, Sendable {
  /// The delimiter tags of RFC 8010, section 3.5.1.
  package enum Kind: Hashable, Sendable {
    case operation, job, printer, unsupported
    /// Of another RFC, or of none.
    case other(UInt8)

    package init(tag: UInt8) {
      switch tag {
      case 0x01: self = .operation
      case 0x02: self = .job
      case 0x04: self = .printer
      case 0x05: self = .unsupported
      default: self = .other(tag)
      }
    }

    package var tag: UInt8 {
      switch self {
      case .operation: 0x01
      case .job: 0x02
      case .printer: 0x04
      case .unsupported: 0x05
      case .other(let tag): tag
      }
    }
  }

  package var kind: Kind
  /// In the order in which they were sent. A printer may send a name twice; the values are one attribute's then.
  package var attributes: [IPPAttribute]

  package init(_ kind: Kind, _ attributes: [IPPAttribute]) {
    self.kind = kind
    self.attributes = attributes
  }

  /// The values of the attribute of this name; none when it is not there.
  package subscript(name: String) -> [IPPValue] { attributes.first { $0.name == name }?.values ?? [] }
}

package struct IPPAttribute: Hashable, Sendable {
  /// A keyword, such as `marker-levels`.
  package var name: String
  /// One or more.
  package var values: [IPPValue]

  package init(_ name: String, _ values: [IPPValue]) {
    self.name = name
    self.values = values
  }
}

/// The operations that are asked for (RFC 8011, section 5.4.15).
package enum IPPOperation {
  package static let getPrinterAttributes: UInt16 = 0x000B
}

/// What a response's code says (RFC 8011, appendix B).
package enum IPPStatus {
  package static let ok: UInt16 = 0x0000
  package static let badRequest: UInt16 = 0x0400
  package static let forbidden: UInt16 = 0x0401
  package static let notAuthenticated: UInt16 = 0x0402
  package static let notAuthorized: UInt16 = 0x0403
  package static let notFound: UInt16 = 0x0406
  package static let operationNotSupported: UInt16 = 0x0501
  package static let serviceUnavailable: UInt16 = 0x0502
  package static let versionNotSupported: UInt16 = 0x0503

  /// Whether the answer carries what was asked for, also where some of it was ignored or is not supported.
  package static func isSuccess(_ code: UInt16) -> Bool { code <= 0x00FF }
}
