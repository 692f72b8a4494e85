// PKCS#10 certificate signing requests (RFC 2986): what an agent sends when it registers or renews.

internal import COpenSSL

package struct CertificateRequest: Hashable, Sendable {
  /// The largest common name and organization X.520 allows (RFC 5280, ub-common-name and ub-organization-name).
  package static let nameCharactersMax = 64

  /// The request itself.
  package let der: [UInt8]

  /// An alternative name to ask for.
  package enum AlternativeName: Hashable, Sendable {
    case dns(String)
    case uri(String)
  }

  /// Makes a request for `key`, signed by it with SHA-256.
  /// - Throws: when a name is empty or longer than X.520 allows, or a name outside ASCII is asked for as DNS or URI.
  package init(
    key: P256PrivateKey, commonName: String, organization: String? = nil, alternativeNames: [AlternativeName] = []
  ) throws(OpenSSLError) {
    let operation = "make the certificate request"
    guard let request = X509_REQ_new(), let subject = X509_NAME_new() else { throw .draining(operation) }
    defer {
      X509_REQ_free(request)
      X509_NAME_free(subject)
    }
    if let organization { try Self.append(organization, as: "O", to: subject) }
    try Self.append(commonName, as: "CN", to: subject)
    guard X509_REQ_set_version(request, 0) == 1, X509_REQ_set_subject_name(request, subject) == 1,
      X509_REQ_set_pubkey(request, key.handle.pointer) == 1
    else { throw .draining(operation) }
    if !alternativeNames.isEmpty { try Self.add(alternativeNames, to: request) }
    guard X509_REQ_sign(request, key.handle.pointer, EVP_sha256()) > 0,
      let der = derBytes({ i2d_X509_REQ(request, $0) })
    else { throw .draining(operation) }
    self.der = der
  }

  private static func append(_ text: String, as field: String, to name: OpaquePointer) throws(OpenSSLError) {
    let utf8 = Array(text.utf8)
    guard !text.isEmpty, text.unicodeScalars.count <= nameCharactersMax else {
      throw OpenSSLError(
        operation: "make the certificate request",
        reasons: ["\(field) has \(text.unicodeScalars.count) characters, not 1 to \(nameCharactersMax)"])
    }
    guard X509_NAME_add_entry_by_txt(name, field, MBSTRING_FLAG, utf8, Int32(utf8.count), -1, 0) == 1 else {
      throw .draining("put \(field) into the certificate request")
    }
  }

  private static func add(_ names: [AlternativeName], to request: OpaquePointer) throws(OpenSSLError) {
    let operation = "put the alternative names into the certificate request"
    guard let list = pt_names_new() else { throw .draining(operation) }
    defer { pt_names_free(list) }
    for name in names {
      let (kind, text) =
        switch name {
        case .dns(let text): (GEN_DNS, text)
        case .uri(let text): (GEN_URI, text)
        }
      guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw OpenSSLError(operation: operation, reasons: ["'\(text)' is not printable ASCII"])
      }
      guard pt_names_append(list, kind, text, Int32(text.utf8.count)) == 1 else { throw .draining(operation) }
    }
    guard pt_request_add_names(request, list) == 1 else { throw .draining(operation) }
  }
}
