// A certificate authority for tests, made with OpenSSL's own calls: the agent's rooms can ask for certificates, not issue them.

import COpenSSL
import OpenSSL

struct TestAuthority: @unchecked Sendable {  // The key is only read after it was made.
  struct Failure: Error {}

  private let key: OpaquePointer
  let root: [UInt8]

  init() throws {
    guard let key = pt_p256_generate() else { throw Failure() }
    self.key = key
    root = try Self.certificate(name: "Test CA", subjectKey: key, issuerName: "Test CA", issuerKey: key, days: 3650)
  }

  /// The certificate for a request's key, in DER.
  func issue(_ request: [UInt8], name: String, days: Int = 90) throws -> [UInt8] {
    var cursor = request.withUnsafeBufferPointer { UnsafePointer($0.baseAddress) }
    let parsed = request.withUnsafeBufferPointer { buffer in
      cursor = buffer.baseAddress
      return d2i_X509_REQ(nil, &cursor, buffer.count)
    }
    guard let parsed else { throw Failure() }
    defer { X509_REQ_free(parsed) }
    guard let subjectKey = X509_REQ_get0_pubkey(parsed), X509_REQ_verify(parsed, subjectKey) == 1 else {
      throw Failure()
    }
    return try Self.certificate(name: name, subjectKey: subjectKey, issuerName: "Test CA", issuerKey: key, days: days)
  }

  private static func certificate(
    name: String, subjectKey: OpaquePointer, issuerName: String, issuerKey: OpaquePointer, days: Int
  ) throws -> [UInt8] {
    guard let certificate = X509_new() else { throw Failure() }
    defer { X509_free(certificate) }
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7)
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60)
    X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400)
    for (text, holder) in [(name, X509_get_subject_name(certificate)), (issuerName, X509_get_issuer_name(certificate))]
    {
      let bytes = Array(text.utf8)
      X509_NAME_add_entry_by_txt(holder, "CN", MBSTRING_FLAG, bytes, Int32(bytes.count), -1, 0)
    }
    guard X509_set_pubkey(certificate, subjectKey) == 1, X509_sign(certificate, issuerKey, EVP_sha256()) > 0 else {
      throw Failure()
    }
    let count = Int(i2d_X509(certificate, nil))
    var der = [UInt8](repeating: 0, count: count)
    der.withUnsafeMutableBufferPointer { buffer in
      var cursor = buffer.baseAddress
      _ = i2d_X509(certificate, &cursor)
    }
    return der
  }
}
