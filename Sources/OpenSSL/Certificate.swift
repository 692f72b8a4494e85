// X.509 certificates (RFC 5280): read, described and compared. Chains are verified by `TLS`, while it shakes hands.

internal import COpenSSL
internal import Glibc

/// A parsed certificate: plain values beside its DER.
package struct Certificate: Hashable, Sendable {
  /// The certificate itself.
  package let der: [UInt8]
  /// The last common name of the subject; nil when there is none.
  package let subjectCommonName: String?
  /// The organization of the subject; nil when there is none.
  package let subjectOrganization: String?
  /// The whole subject, as RFC 2253 writes it: `CN=agent,O=PrintTrail`.
  package let subject: String
  /// The whole issuer, as RFC 2253 writes it.
  package let issuer: String
  /// The serial number in lower-case hexadecimal, without a prefix.
  package let serialNumber: String
  /// The first second of validity, seconds since 1970 UTC.
  package let notBefore: Int64
  /// The last second of validity, seconds since 1970 UTC.
  package let notAfter: Int64
  /// The DNS names of the subject's alternative names.
  package let dnsNames: [String]
  /// What its public key is recognised by.
  package let pin: PublicKeyPin

  /// SHA-256 of the DER.
  package var fingerprint: Digest { SHA256.hash(der) }

  /// - Throws: when `der` is not exactly one certificate.
  package init(der: some Collection<UInt8>) throws(OpenSSLError) {
    let operation = "parse the certificate"
    let parsed: OpaquePointer? = der.withContiguousBytes { buffer in
      var cursor = buffer.octets
      guard let pointer = d2i_X509(nil, &cursor, buffer.count) else { return nil }
      if let cursor, let start = buffer.octets, cursor - start == buffer.count { return pointer }
      X509_free(pointer)
      return nil
    }
    guard let parsed else { throw .draining(operation) }
    try self.init(taking: parsed)
  }

  /// The first certificate of a PEM text.
  package init(pem: String) throws(OpenSSLError) {
    guard let found = withReadingBIO(pem.utf8, { pt_pem_read_certificate($0) }), let parsed = found else {
      throw .draining("parse the certificate")
    }
    try self.init(taking: parsed)
  }

  /// Every certificate of a PEM text, in its order; at least one.
  /// - Throws: when there is none, or one of them is damaged.
  package static func all(pem: String) throws(OpenSSLError) -> [Certificate] {
    let operation = "parse the certificates"
    let outcome: Result<[Certificate], OpenSSLError>? = withReadingBIO(pem.utf8) { bio in
      Result { () throws(OpenSSLError) -> [Certificate] in
        var certificates: [Certificate] = []
        while let parsed = pt_pem_read_certificate(bio) { certificates.append(try Certificate(taking: parsed)) }
        let reachedEnd = pt_error_is_pem_end(ERR_peek_last_error()) == 1
        guard reachedEnd, !certificates.isEmpty else { throw .draining(operation) }
        ERR_clear_error()
        return certificates
      }
    }
    guard let outcome else { throw .draining(operation) }
    return try outcome.get()
  }

  /// Takes over the caller's reference to an X509.
  private init(taking pointer: OpaquePointer) throws(OpenSSLError) {
    defer { X509_free(pointer) }
    let operation = "read the certificate"
    guard let der = derBytes({ i2d_X509(pointer, $0) }), let name = X509_get_subject_name(pointer),
      let issuerName = X509_get_issuer_name(pointer), let key = X509_get_X509_PUBKEY(pointer),
      let information = derBytes({ i2d_X509_PUBKEY(key, $0) }),
      let notBefore = unixSeconds(X509_get0_notBefore(pointer)),
      let notAfter = unixSeconds(X509_get0_notAfter(pointer)), let serialNumber = hexadecimalSerial(pointer)
    else { throw .draining(operation) }
    self.der = der
    subjectCommonName = lastEntry(of: name, NID_commonName)
    subjectOrganization = lastEntry(of: name, NID_organizationName)
    subject = distinguishedName(name)
    issuer = distinguishedName(issuerName)
    self.serialNumber = serialNumber
    self.notBefore = notBefore
    self.notAfter = notAfter
    dnsNames = alternativeDNSNames(pointer)
    pin = PublicKeyPin(subjectPublicKeyInfo: information)
    ERR_clear_error()
  }

  /// The certificate in PEM.
  package var pem: String {
    let body = base64(der)
    var lines = ["-----BEGIN CERTIFICATE-----"]
    var rest = Substring(body)
    while !rest.isEmpty {
      lines.append(String(rest.prefix(64)))
      rest = rest.dropFirst(64)
    }
    lines.append("-----END CERTIFICATE-----\n")
    return lines.joined(separator: "\n")
  }

  /// Whether `key` is the private half of this certificate's public key.
  package func matches(_ key: P256PrivateKey) -> Bool {
    guard let keyPin = try? key.pin() else { return false }
    return keyPin == pin
  }

  /// Whether `seconds` (since 1970 UTC) lies within the validity.
  package func isValid(at seconds: Int64) -> Bool { (notBefore...max(notBefore, notAfter)).contains(seconds) }

  package static func == (left: Self, right: Self) -> Bool { left.der == right.der }

  package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

private func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
  var broken = tm()
  guard ASN1_TIME_to_tm(time, &broken) == 1 else { return nil }
  return Int64(timegm(&broken))
}

private func hexadecimalSerial(_ certificate: OpaquePointer) -> String? {
  guard let serial = X509_get0_serialNumber(certificate), let number = ASN1_INTEGER_to_BN(serial, nil) else {
    return nil
  }
  defer { BN_free(number) }
  guard let text = BN_bn2hex(number) else { return nil }
  defer { CRYPTO_free(text, nil, 0) }
  return String(cString: text).lowercased()
}

private func distinguishedName(_ name: OpaquePointer) -> String {
  let text = writtenBytes { pt_name_print($0, name) >= 0 }
  return String(decoding: text ?? [], as: UTF8.self)
}

private func lastEntry(of name: OpaquePointer, _ kind: Int32) -> String? {
  var index: Int32 = -1
  while case let next = X509_NAME_get_index_by_NID(name, kind, index), next >= 0 { index = next }
  guard index >= 0, let entry = X509_NAME_get_entry(name, index), let value = X509_NAME_ENTRY_get_data(entry)
  else { return nil }
  var text: UnsafeMutablePointer<UInt8>?
  let count = ASN1_STRING_to_UTF8(&text, value)
  guard count >= 0, let text else { return nil }
  defer { CRYPTO_free(text, nil, 0) }
  return String(decoding: UnsafeBufferPointer(start: text, count: Int(count)), as: UTF8.self)
}

private func alternativeDNSNames(_ certificate: OpaquePointer) -> [String] {
  guard let extensionValue = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
  let names = OpaquePointer(extensionValue)
  defer { pt_names_free(names) }
  return (0..<pt_names_count(names)).compactMap { index in
    guard let name = pt_names_at(names, index), pt_name_type(name) == GEN_DNS, let string = pt_name_string(name),
      let text = ASN1_STRING_get0_data(string)
    else { return nil }
    let count = Int(ASN1_STRING_length(string))
    return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
  }
}
