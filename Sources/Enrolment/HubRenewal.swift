// csr over gRPC for an install that is enrolled: at the hub's dcam port, which an agent that delivers can reach, as itself.

package import OpenSSL
package import Platform
package import TLS

internal import FoundationEssentials
internal import GRPCCore
internal import GRPCWire
internal import HubProtocol
internal import SwiftProtobuf

package struct HubRenewalService: RenewalHub {
  private static let setting = "hub.dcam"

  private let address: HostAndPort
  private let product: String
  private let proxy: HTTPProxy?

  /// - Parameters:
  ///   - address: of dcam, or of csr.
  ///   - product: at the start of the user agent, `ptagent/0.1.0`.
  ///   - proxy: to go through; nil connects directly.
  package init(address: HostAndPort, product: String, proxy: HTTPProxy? = nil) {
    self.address = address
    self.product = product
    self.proxy = proxy
  }

  package func renew(
    as identity: InstallIdentity, _ request: CertificateRequest
  ) async throws(RenewalError) -> RenewalAnswer {
    let response = try await call(as: identity) { client, options in
      try await client.renew(.with { $0.certificateRequest = Data(request.der) }, options: options)
    }
    return RenewalAnswer(
      chain: response.certificateChain.map { Array($0) }, roots: response.trustedRoots.map { Array($0) })
  }

  package func standing(of identity: InstallIdentity) async throws(RenewalError) -> Standing {
    let response = try await call(as: identity) { client, options in
      try await client.standing(.with { $0.agentTime = Machine.milliseconds }, options: options)
    }
    guard response.installID == identity.installID else {
      throw .unusableAnswer("it is for the install '\(response.installID)'")
    }
    return Standing(
      hubTime: response.hubTime, roots: response.trustedRoots.map { Array($0) },
      advice: response.renewalAdvised.isEmpty ? nil : response.renewalAdvised,
      nextIn: response.nextStandingMilliseconds == 0 ? nil : .milliseconds(Int64(response.nextStandingMilliseconds)))
  }

  private func call<Response: Sendable>(
    as identity: InstallIdentity,
    _ body:
      @Sendable @escaping (Printtrail_Csr_V1_CertificateSigning.Client<WireTransport>, CallOptions) async throws
      -> Response
  ) async throws(RenewalError) -> Response {
    do {
      let tls = TLSConfiguration(
        trust: .authorities(identity.roots),
        identity: try TLSConfiguration.Identity(chain: identity.chain, key: identity.key), proxy: proxy)
      let transport = WireTransport(
        WireConfiguration(endpoint: Endpoint(host: address.host, port: address.port), product: product, tls: tls))
      return try await withGRPCClient(transport: transport) { client in
        var options = CallOptions.defaults
        options.timeout = HubEnrolmentService.timeout
        return try await body(Printtrail_Csr_V1_CertificateSigning.Client(wrapping: client), options)
      }
    } catch {
      throw Self.explain(error)
    }
  }

  static func explain(_ error: any Error) -> RenewalError {
    if let failure = TLSError.below(error) {
      let reason = "\(failure) \(failure.remedy(setting: setting, untrusted: TLSError.otherAuthorityRemedy))"
      if case .ownCertificateRefused = failure { return .refused(reason: reason) }
      return failure.isAboutServer ? .foreign(reason: reason) : .unavailable(reason: reason, hint: nil)
    }
    guard let error = error as? RPCError else { return .unavailable(reason: "\(error)", hint: nil) }
    switch error.code {
    case .unauthenticated, .permissionDenied: return .refused(reason: error.message)
    default: return .unavailable(reason: error.message, hint: error.retryAfter)
    }
  }
}
