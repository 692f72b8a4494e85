// Which request comes next when a printer is asked over IPP. Pure: the shell (`IPPAsker`) sends what it says and tells what came.
//
//     first: as it answered last time; else without TLS, at /ipp/print, version 2.0
//
//     server-error-version-not-supported, client-error-bad-request  -> the same again as version 1.1, once
//     another IPP error, HTTP 4xx, no IPP                           -> the next path of `paths`
//     HTTP 426, a redirection to https, no HTTP at all              -> the same with TLS, once
//     not authenticated                                             -> the end: there is no credential to give
//     no connection                                                 -> the end
//
// Redirections are not followed anywhere else: the device that is asked is the one at this address.

internal import DeviceHTTP
internal import Discovery
internal import Events
package import IPP
internal import MIB
internal import PrinterModel

/// How a printer answered: where to begin next time.
package struct IPPWay: Hashable, Sendable {
  package var isEncrypted = false
  package var path: String
  package var version: IPPMessage.Version
  /// SHA-256 of the certificate that it showed, in hexadecimal digits; nil without TLS.
  package var certificate: String?

  package init(path: String, version: IPPMessage.Version = .init(2, 0), isEncrypted: Bool = false) {
    self.path = path
    self.version = version
    self.isEncrypted = isEncrypted
  }
}

/// One conversation with one printer.
struct IPPConversation {
  enum Step {
    case ask(DeviceRequest)
    case done(IPPDecoded, IPPWay)
    case failed(PollFailure)
  }

  /// IPP Everywhere's (PWG 5100.14), and those of old printers: of many makers, of print servers with several ports, Epson's and Ricoh's.
  static let paths = ["/ipp/print", "/ipp/printer", "/ipp", "/", "/ipp/port1", "/EPSON_IPP_Printer", "/printer"]
  /// Each path, one change to an older version, and one to TLS: more questions bring nothing.
  static let requestsMax = 9
  private static let contentType = "application/ipp"

  private let address: String
  private let port: UInt16
  private var way: IPPWay
  private var pathsLeft: ArraySlice<String>
  private var requestID: Int32 = 0
  /// The most telling failure so far: the first.
  private var failure: PollFailure?
  /// Whether the certificate differs from the one that was shown last time.
  private(set) var hasOtherCertificate = false
  private let formerCertificate: String?

  init(address: String, port: UInt16, known: IPPWay?) {
    self.address = address
    self.port = port
    way = known ?? IPPWay(path: Self.paths[0])
    formerCertificate = known?.certificate
    pathsLeft = Self.paths.filter { [way] in $0 != way.path }[...]
  }

  mutating func start() -> Step { ask() }

  mutating func received(_ result: Result<DeviceResponse, DeviceHTTPError>) -> Step {
    switch result {
    case .success(let response): received(response)
    case .failure(let error): failed(error)
    }
  }

  private mutating func ask() -> Step {
    requestID += 1
    guard requestID <= Self.requestsMax else { return end() }
    let message = IPPMessage.getPrinterAttributes(
      uri: "\(way.isEncrypted ? "ipps" : "ipp")://\(address):\(port)\(way.path)",
      attributes: PrinterAttribute.keywords, requestID: requestID, version: way.version)
    do {
      return .ask(
        DeviceRequest(
          address: address, port: port, isEncrypted: way.isEncrypted, path: way.path, contentType: Self.contentType,
          body: try message.encoded()))
    } catch {
      return .failed(PollFailure(.malformed, "\(error.attribute) is too long to be asked for"))
    }
  }

  private mutating func received(_ response: DeviceResponse) -> Step {
    way.certificate = response.certificate
    if let former = formerCertificate, let now = response.certificate, former != now { hasOtherCertificate = true }
    switch response.status {
    case 200..<300: break
    case 401:
      return .failed(PollFailure(.authentication, "it asks for a password before it answers over IPP"))
    case 426: return encrypted(or: "it wants TLS and does not speak it")
    case 300..<400:
      guard response.location?.lowercased().hasPrefix("https:") ?? false else {
        return nextPath("HTTP \(response.status) at \(way.path)")
      }
      return encrypted(or: "HTTP \(response.status) at \(way.path)")
    default: return nextPath("HTTP \(response.status) at \(way.path)")
    }
    guard let decoded = IPPDecoded(response.body) else { return nextPath("no IPP message at \(way.path)") }
    return received(decoded)
  }

  private mutating func received(_ decoded: IPPDecoded) -> Step {
    let code = decoded.message.code
    if IPPStatus.isSuccess(code) { return .done(decoded, way) }
    switch code {
    case IPPStatus.versionNotSupported, IPPStatus.badRequest:
      guard way.version.major > 1 else { return nextPath("IPP status 0x\(String(code, radix: 16)) at \(way.path)") }
      way.version = IPPMessage.Version(1, 1)
      return ask()
    case IPPStatus.notAuthenticated, IPPStatus.notAuthorized, IPPStatus.forbidden:
      return .failed(PollFailure(.authentication, "it does not let everybody read its attributes over IPP"))
    default: return nextPath("IPP status 0x\(String(code, radix: 16)) at \(way.path)")
    }
  }

  private mutating func failed(_ error: DeviceHTTPError) -> Step {
    switch error {
    case .refused, .unreachable, .timedOut, .cancelled:
      return .failed(failure ?? PollFailure(.timeout, "no answer over IPP on port \(port): \(error)"))
    // A server that speaks TLS alone closes, or answers in TLS.
    case .cut, .malformed: return encrypted(or: "\(error)")
    case .tls, .tooLarge: return .failed(failure ?? PollFailure(.malformed, "over IPP on port \(port): \(error)"))
    }
  }

  private mutating func encrypted(or reason: String) -> Step {
    note(reason)
    guard !way.isEncrypted else { return end() }
    way.isEncrypted = true
    return ask()
  }

  private mutating func nextPath(_ reason: String) -> Step {
    note(reason)
    guard let path = pathsLeft.popFirst() else { return end() }
    way.path = path
    return ask()
  }

  private mutating func note(_ reason: String) {
    failure =
      failure ?? PollFailure(.malformed, "something answers on port \(port), and no printer over IPP: \(reason)")
  }

  private func end() -> Step { .failed(failure ?? PollFailure(.malformed, "it answers nothing over IPP")) }
}
