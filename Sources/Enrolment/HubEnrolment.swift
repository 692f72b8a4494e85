// csr over gRPC (Sources/HubProtocol/Protos/csr.proto): the only file here that sees the wire's types.

internal import OpenSSL
package import Platform
package import TLS

internal import GRPCCore
internal import GRPCWire
internal import HubProtocol
internal import SwiftProtobuf
internal import FoundationEssentials

/// The csr service of a hub that is known by its pin or its CA.
package struct HubEnrolmentService: EnrolmentService {
  /// Name, connection, handshake and the hub's work together. A hub that signs nothing in this time will not sign at all.
  package static let timeout: Duration = .seconds(30)

  private let address: HostAndPort
  private let trust: TLSConfiguration.Trust
  private let product: String
  private let proxy: HTTPProxy?

  /// - Parameters:
  ///   - product: at the start of the user agent, `ptagent/0.1.0`.
  ///   - proxy: to go through; nil connects directly.
  package init(address: HostAndPort, trust: TLSConfiguration.Trust, product: String, proxy: HTTPProxy? = nil) {
    self.address = address
    self.trust = trust
    self.product = product
    self.proxy = proxy
  }

  package var hub: String { address.description }

  package func enrol(_ request: EnrolmentRequest) async throws(EnrolmentError) -> EnrolmentAnswer {
    let endpoint = Endpoint(host: address.host, port: address.port)
    let transport = WireTransport(
      WireConfiguration(endpoint: endpoint, product: product, tls: TLSConfiguration(trust: trust, proxy: proxy)))
    do {
      let response = try await withGRPCClient(transport: transport) { client in
        var options = CallOptions.defaults
        options.timeout = Self.timeout
        return try await Printtrail_Csr_V1_CertificateSigning.Client(wrapping: client)
          .enroll(Self.message(request), options: options)
      }
      return EnrolmentAnswer(response)
    } catch let error as RPCError {
      throw Self.explain(error, hub: hub)
    } catch {
      throw .unreachable(hub: hub, reason: "\(error)")
    }
  }

  private static func message(_ request: EnrolmentRequest) -> Printtrail_Csr_V1_EnrollRequest {
    .with {
      $0.datalinkCode = request.code.digits
      $0.enrolmentID = Data(request.enrolmentID)
      $0.certificateRequest = Data(request.certificateRequest.der)
      $0.journalID = Data(request.journal.id)
      $0.journalPublicKey = Data(request.journal.publicKey.rawRepresentation)
      $0.machine = .with {
        $0.hostName = request.machine.hostName
        $0.operatingSystem = request.machine.operatingSystem
        $0.agentVersion = request.machine.agentVersion
      }
    }
  }

  static func explain(_ error: RPCError, hub: String) -> EnrolmentError {
    if let cause = TLSError.below(error) { return explain(cause, hub: hub) }
    let reason = error.message.isEmpty ? "no reason given" : error.message.trimmedSentence
    switch error.code {
    case .unauthenticated, .permissionDenied, .notFound: return .codeRefused(hub: hub, reason: reason)
    case .resourceExhausted: return .tooManyAttempts(hub: hub, wait: error.retryAfter ?? .seconds(60))
    case .invalidArgument, .unimplemented, .failedPrecondition: return .requestRefused(hub: hub, reason: reason)
    default:
      return .unreachable(
        hub: hub, reason: "\(reason). Try again; if it stays, ask the hub's operator what the hub's log says.")
    }
  }

  static func explain(_ error: TLSError, hub: String) -> EnrolmentError {
    let reason = "\(error) \(error.remedy(setting: "hub.csr", untrusted: untrustedRemedy))"
    return error.isAboutServer ? .notOurHub(hub: hub, reason: reason) : .unreachable(hub: hub, reason: reason)
  }

  private static let untrustedRemedy = """
    Compare hub.ca_pin or hub.ca_file with what `pthub ca show` tells at the hub; if it is right, something between here and the hub inspects \
    the connection.
    """
}

extension EnrolmentAnswer {
  init(_ response: Printtrail_Csr_V1_EnrollResponse) {
    self.init(
      installID: response.installID, entity: response.entityName, chain: response.certificateChain.map { Array($0) },
      roots: response.trustedRoots.map { Array($0) }, dcamAddress: response.dcamAddress, hcAddress: response.hcAddress)
  }
}

extension RPCError {
  /// The trailer `retry-after-ms`, if it is there and a number.
  var retryAfter: Duration? {
    for text in metadata[stringValues: "retry-after-ms"] {
      if let milliseconds = Int64(text), milliseconds >= 0 { return .milliseconds(milliseconds) }
    }
    return nil
  }
}

extension String {
  /// Without the full stop at the end, so that it can stand inside another sentence.
  fileprivate var trimmedSentence: String { hasSuffix(".") ? String(dropLast()) : self }
}
