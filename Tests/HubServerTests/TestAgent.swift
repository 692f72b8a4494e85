// An agent's identity for tests: keys, requests and TLS settings, over swift-certificates (the hub's peer in production
// is another stack).

internal import Crypto
internal import FoundationEssentials
internal import GRPCNIOTransportHTTP2Posix
@testable internal import HubServer
internal import SwiftASN1
internal import X509

struct TestAgent: Sendable {
  let key: P256.Signing.PrivateKey
  /// The client certificate, once there is one.
  var certificate: [UInt8]?
  var root: [UInt8]

  init(root: [UInt8]) {
    key = P256.Signing.PrivateKey()
    self.root = root
  }

  /// The agent's PKCS#10 in DER.
  func request() throws -> [UInt8] { try Self.request(Certificate.PrivateKey(key)) }

  static func request(_ key: Certificate.PrivateKey) throws -> [UInt8] {
    let request = try CertificateSigningRequest(
      version: .v1, subject: try DistinguishedName { CommonName("ignored") }, privateKey: key,
      attributes: CertificateSigningRequest.Attributes())
    var serializer = DER.Serializer()
    try serializer.serialize(request)
    return serializer.serializedBytes
  }

  /// TLS towards the hub: with the certificate if there is one.
  var security: HTTP2ClientTransport.Posix.TransportSecurity {
    let trust = TLSConfig.TrustRootsSource.certificates([.bytes(root, format: .der)])
    guard let certificate else {
      return .tls { $0.trustRoots = trust }
    }
    return .mTLS(
      certificateChain: [.bytes(certificate, format: .der)],
      privateKey: .bytes(Array(key.derRepresentation), format: .der)
    ) { $0.trustRoots = trust }
  }
}

/// Files of an agent for command line tools.
extension TestAgent {
  var keyPEM: String { key.pemRepresentation }

  var certificatePEM: String {
    PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: certificate ?? []).pemString
  }
}
