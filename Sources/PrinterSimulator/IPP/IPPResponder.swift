// The IPP side of a simulated device: a request's bytes in, an answer's bytes out. Get-Printer-Attributes alone (RFC 8011, section 4.2.5); whatever else
// is asked is not supported, whatever cannot be read is a bad request.

internal import FoundationEssentials
package import IPP
internal import MIB

/// What a device says over IPP.
package enum IPPContents: Sendable, Equatable {
  /// The objects that it shows over SNMP.
  case objects
  /// A response as it was captured, with its file.
  case capture(IPPMessage, file: String)

  /// Reads a captured response (`.ipp`). Throws `SettingsError` when the file cannot be read or holds none.
  package static func load(file: String) throws -> IPPContents {
    guard let data = try? Data(contentsOf: URL(filePath: file)), data.count <= IPPResponder.captureBytesMax else {
      throw SettingsError(
        file: file, message: "the file could not be read; expected a captured IPP response of at most 1 MiB")
    }
    guard let message = IPPDecoded(Array(data))?.message, message[.printer] != nil else {
      throw SettingsError(
        file: file, message: "no IPP message with attributes of a printer; expected a captured response")
    }
    return .capture(message, file: file)
  }
}

enum IPPResponder {
  /// A captured response that is served; the largest real one has 100 KB.
  static let captureBytesMax = 1 << 20

  /// The answer to a request; nil for bytes that are no IPP message at all, which HTTP answers.
  static func answer(_ request: [UInt8], _ contents: IPPContents, _ walk: Walk, _ printer: Printer?) -> [UInt8]? {
    guard let message = IPPDecoded(request)?.message else { return otherVersion(request) }
    func reply(_ status: UInt16, _ groups: [IPPGroup] = []) -> [UInt8]? {
      let operation = IPPGroup(
        .operation,
        [
          IPPAttribute("attributes-charset", [.string("utf-8", .charset)]),
          IPPAttribute("attributes-natural-language", [.string("en", .naturalLanguage)]),
        ])
      return try? IPPMessage(
        version: message.version, code: status, requestID: message.requestID, groups: [operation] + groups
      ).encoded()
    }
    guard let operation = message[.operation], !operation["attributes-charset"].isEmpty else {
      return reply(IPPStatus.badRequest)
    }
    guard message.code == IPPOperation.getPrinterAttributes else { return reply(IPPStatus.operationNotSupported) }
    let all: [IPPAttribute]
    switch contents {
    case .objects: all = WalkAttributes(walk, printer).attributes
    case .capture(let captured, _):
      guard IPPStatus.isSuccess(captured.code) else { return reply(captured.code) }
      all = captured[.printer]?.attributes ?? []
    }
    let wanted = Set(operation["requested-attributes"].compactMap(\.text))
    let isAll = wanted.isEmpty || wanted.contains("all") || wanted.contains("printer-description")
    return reply(IPPStatus.ok, [IPPGroup(.printer, isAll ? all : all.filter { wanted.contains($0.name) })])
  }

  /// The answer with a length that points past its end: that of the first attribute's name, behind the header (RFC 8010, section 3.1.1: version,
  /// status, request id), the delimiter of a group and the attribute's tag.
  static func malformed(_ answer: [UInt8]) -> [UInt8] {
    var answer = answer
    for index in nameLength where answer.indices.contains(index) { answer[index] = 0x7F }
    return answer
  }

  private static let nameLength = 10...11

  /// What a request of a version that nobody defined yet gets: the versions before 1 and after 2 may have another form behind their first eight bytes.
  private static func otherVersion(_ request: [UInt8]) -> [UInt8]? {
    guard request.count >= 8, !(1...2).contains(request[0]) else { return nil }
    let number = request[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return try? IPPMessage(
      code: IPPStatus.versionNotSupported, requestID: Int32(bitPattern: number), groups: []
    ).encoded()
  }
}
