// PKCS#10 requests (RFC 2986) from outside: parsed, self-signature checked, P-256 only. The subject and the attributes
// are ignored: the hub names the install and decides what its certificate is for.

internal import Crypto
internal import SwiftASN1
internal import X509

/// A certificate signing request whose sender has proved to hold the private key.
package struct CheckedRequest: Sendable {
  let publicKey: Certificate.PublicKey
  /// The SHA-256 of the SubjectPublicKeyInfo, 32 bytes: how a repeated enrolment is known to be of the same key.
  package let publicKeyHash: [UInt8]

  /// Why a request is refused, as the agent's operator reads it.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// - Parameter der: at most `HubLimits.certificateRequestBytesMax` bytes.
  package init(der: some Collection<UInt8>) throws(Refusal) {
    guard der.count <= HubLimits.certificateRequestBytesMax else {
      throw Refusal(
        description:
          "the certificate request has \(der.count) bytes; at most \(HubLimits.certificateRequestBytesMax) are read")
    }
    guard let request = try? CertificateSigningRequest(derEncoded: Array(der)) else {
      throw Refusal(description: "the certificate request is not a PKCS#10 in DER")
    }
    guard P256.Signing.PublicKey(request.publicKey) != nil else {
      throw Refusal(description: "the certificate request's key is not a P-256 key")
    }
    guard request.publicKey.isValidSignature(request.signature, for: request) else {
      throw Refusal(description: "the certificate request is not signed by its own key")
    }
    guard let encoded = try? derPublicKey(request.publicKey) else {
      throw Refusal(description: "the certificate request's key cannot be written again")
    }
    publicKey = request.publicKey
    publicKeyHash = Array(Crypto.SHA256.hash(data: encoded))
  }
}
