@testable import Collectors
import DeviceHTTP
import IPP
import MIB
import PrinterModel
import Testing

/// What a printer said, as HTTP.
private func ipp(_ code: UInt16, _ attributes: [IPPAttribute] = []) throws -> Result<DeviceResponse, DeviceHTTPError> {
  let groups = attributes.isEmpty ? [] : [IPPGroup(.printer, attributes)]
  return .success(
    DeviceResponse(status: 200, body: try IPPMessage(code: code, requestID: 1, groups: groups).encoded()))
}

private func http(_ status: Int, location: String? = nil) -> Result<DeviceResponse, DeviceHTTPError> {
  .success(DeviceResponse(status: status, body: Array("<html>".utf8), location: location))
}

@Suite struct `A conversation over IPP` {
  /// The places asked one after the other, as `ipp 2.0 /ipp/print`, and then `done` or the failure's reason.
  private func course(
    _ answers: [Result<DeviceResponse, DeviceHTTPError>], known: IPPWay? = nil
  ) throws -> [String] {
    var conversation = IPPConversation(address: "10.0.0.7", port: 631, known: known)
    var step = conversation.start()
    var course: [String] = []
    for answer in answers {
      guard case .ask(let request) = step else { break }
      course.append(try place(request))
      step = conversation.received(answer)
    }
    switch step {
    case .ask(let request): course.append(try place(request))
    case .done: course.append("done")
    case .failed(let failure): course.append(failure.reason.rawValue)
    }
    return course
  }

  private func place(_ request: DeviceRequest) throws -> String {
    let message = try #require(IPPDecoded(request.body)).message
    #expect(message.code == IPPOperation.getPrinterAttributes && request.contentType == "application/ipp")
    let uri = message[.operation]?["printer-uri"].first?.text
    let scheme = request.isEncrypted ? "ipps" : "ipp"
    #expect(uri == "\(scheme)://10.0.0.7:631\(request.path)")
    #expect(message[.operation]?["requested-attributes"].count == PrinterAttribute.all.count)
    return "\(scheme) \(message.version) \(request.path)"
  }

  @Test func `begins at the standard's path and ends with the answer`() throws {
    #expect(try course([ipp(IPPStatus.ok)]) == ["ipp 2.0 /ipp/print", "done"])
    #expect(try course([ipp(0x0001)]) == ["ipp 2.0 /ipp/print", "done"], "ok, but some attributes are not supported")
  }

  @Test func `begins where the printer answered last time`() throws {
    let way = IPPWay(path: "/ipp", version: IPPMessage.Version(1, 1), isEncrypted: true)
    #expect(try course([ipp(IPPStatus.ok)], known: way) == ["ipps 1.1 /ipp", "done"])
    #expect(try course([http(404)], known: way) == ["ipps 1.1 /ipp", "ipps 1.1 /ipp/print"])
  }

  @Test(arguments: [IPPStatus.versionNotSupported, IPPStatus.badRequest])
  func `asks again as version 1.1, once`(status: UInt16) throws {
    #expect(
      try course([ipp(status), ipp(status), ipp(IPPStatus.ok)]) == [
        "ipp 2.0 /ipp/print", "ipp 1.1 /ipp/print", "ipp 1.1 /ipp/printer", "done",
      ])
  }

  @Test func `tries the usual paths and gives up`() throws {
    let answers = [http(404), try ipp(IPPStatus.notFound), http(200), http(500), http(404), http(404), http(404)]
    #expect(
      try course(answers) == [
        "ipp 2.0 /ipp/print", "ipp 2.0 /ipp/printer", "ipp 2.0 /ipp", "ipp 2.0 /", "ipp 2.0 /ipp/port1",
        "ipp 2.0 /EPSON_IPP_Printer", "ipp 2.0 /printer", "malformed",
      ])
    #expect(
      try course(Array(answers.prefix(4)) + [ipp(IPPStatus.ok)]).suffix(2) == ["ipp 2.0 /ipp/port1", "done"])
  }

  @Test func `turns to TLS where the printer wants it, once`() throws {
    let asked = ["ipp 2.0 /ipp/print", "ipps 2.0 /ipp/print"]
    #expect(try course([http(426), ipp(IPPStatus.ok)]) == asked + ["done"])
    #expect(try course([http(301, location: "https://10.0.0.9/"), ipp(IPPStatus.ok)]) == asked + ["done"])
    #expect(try course([.failure(.cut), ipp(IPPStatus.ok)]) == asked + ["done"])
    #expect(try course([.failure(.malformed("x")), .failure(.cut)]) == asked + ["malformed"])
    #expect(try course([http(301, location: "http://10.0.0.9/")]) == ["ipp 2.0 /ipp/print", "ipp 2.0 /ipp/printer"])
  }

  @Test func `ends where there is no way on`() throws {
    #expect(try course([.failure(.refused)]) == ["ipp 2.0 /ipp/print", "timeout"])
    #expect(try course([.failure(.timedOut)]) == ["ipp 2.0 /ipp/print", "timeout"])
    #expect(try course([.failure(.tooLarge)]) == ["ipp 2.0 /ipp/print", "malformed"])
    #expect(try course([http(401)]) == ["ipp 2.0 /ipp/print", "authentication"])
    #expect(try course([ipp(IPPStatus.notAuthorized)]) == ["ipp 2.0 /ipp/print", "authentication"])
  }

  @Test(arguments: [IPPStatus.badRequest, IPPStatus.versionNotSupported, IPPStatus.notFound, 0x0507])
  func `asks a printer that refuses everything a bounded number of times`(status: UInt16) throws {
    let course = try course(Array(repeating: try ipp(status), count: 100))
    #expect(course.count <= IPPConversation.requestsMax + 1 && course.last == "malformed")
  }

  @Test func `notices another certificate`() throws {
    var way = IPPWay(path: "/ipp/print", isEncrypted: true)
    way.certificate = "aa"
    var conversation = IPPConversation(address: "10.0.0.7", port: 631, known: way)
    _ = conversation.start()
    var response = DeviceResponse(status: 200, body: try IPPMessage(code: 0, requestID: 1, groups: []).encoded())
    response.certificate = "bb"
    guard case .done(_, let found) = conversation.received(.success(response)) else {
      Issue.record("no end")
      return
    }
    #expect(conversation.hasOtherCertificate && found.certificate == "bb")
  }
}

@Suite struct `The attributes of an answer` {
  private func walk(_ attributes: [IPPAttribute]) throws -> (walk: Walk, findings: [Finding]) {
    let message = IPPMessage(code: 0, requestID: 1, groups: [IPPGroup(.printer, attributes)])
    return Walk.attributes(of: try #require(IPPDecoded(try message.encoded())))
  }

  private func name(_ keyword: String, _ index: UInt32 = 0) throws -> ObjectIdentifier {
    try #require(AttributeName(keyword, index)).identifier
  }

  @Test func `are a walk, each value as it was sent`() throws {
    let (walk, findings) = try walk([
      IPPAttribute("printer-state", [.enumeration(3)]), IPPAttribute("marker-levels", [.integer(50), .integer(-3)]),
      IPPAttribute("printer-location", [.outOfBand(.noValue)]), IPPAttribute("printer-up-time", [.outOfBand(.unknown)]),
      IPPAttribute("printer-info", [.outOfBand(.unsupported)]),
      IPPAttribute(
        "printer-impressions-completed-col",
        [.collection([IPPAttribute("monochrome", [.integer(7)]), IPPAttribute("full-color", [.integer(8)])])]),
      IPPAttribute("media-supported", [.string("iso_a4_210x297mm", .keyword)]),
    ])
    #expect(findings.isEmpty)
    #expect(walk[try name("printer-state")] == .integer(3))
    #expect(walk[try name("marker-levels", 2)] == .integer(-3))
    #expect(walk[try name("printer-location")] == .noSuchInstance)
    #expect(walk[try name("printer-up-time")] == .null)
    #expect(walk[try name("printer-info")] == .noSuchObject)
    #expect(walk[try name("printer-impressions-completed-col/full-color")] == .integer(8))
    #expect(walk.bindings.count == 8, "what nobody asked for is not kept")
  }

  @Test func `of the wrong form are findings`() throws {
    let (walk, findings) = try walk([
      IPPAttribute("printer-state", [.enumeration(3), .enumeration(4)]), IPPAttribute("printer-supply", [.range(1, 2)]),
      IPPAttribute("printer-pages-completed-col", [.integer(5)]),
    ])
    #expect(walk.bindings.map(\.value) == [.integer(3)])
    #expect(findings.map { $0.name?.components.first } == [3, 3, 3])
  }
}
