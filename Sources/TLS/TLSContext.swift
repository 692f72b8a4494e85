// One SSL_CTX, made from a configuration for one connection, and the decision whether the server may be trusted.
//
// The decision is always X509_verify_cert's, with the host's name and the validity checked by it. This file only chooses
// the anchors:
//
//   systemRoots            the operating system's store
//   authorities(list)      the list, each of them an anchor even when it is an intermediate authority
//   pinnedAuthority(pin)   the certificates in the server's own chain whose key has the pin, and nothing else. Whoever
//                          copies a pinned certificate's public key into a forged one gains nothing: what it issues must
//                          still carry a signature of that key, and a pinned server must still prove it holds it.
//
// `requiredPin` is checked on the chain that was verified, never on the certificates the server merely sent.

internal import COpenSSL
internal import Glibc
internal import OpenSSL

/// Owns the SSL_CTX. Used by one thread.
final class TLSContext {
  /// Where distributions keep their bundle of trusted authorities, beside the place OpenSSL was built to look at.
  static let systemBundles = [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
  ]

  let pointer: OpaquePointer
  let verification: Verification

  /// What the verification callback knows and finds out.
  final class Verification {
    let trust: TLSConfiguration.Trust
    let requiredPin: PublicKeyPin?
    /// Why the chain was refused; nil while it was not.
    var failure: TLSError?
    let expectedHost: String
    /// The server asked for a client certificate.
    var wasAskedForCertificate = false

    init(configuration: TLSConfiguration, expectedHost: String) {
      trust = configuration.trust
      requiredPin = configuration.requiredPin
      self.expectedHost = expectedHost
    }
  }

  /// - Throws: `configuration` when a certificate or key cannot be used.
  init(_ configuration: TLSConfiguration, expectedHost: String) throws(TLSError) {
    guard let pointer = SSL_CTX_new(TLS_client_method()) else { throw .configuration(.draining("set up TLS")) }
    self.pointer = pointer
    verification = Verification(configuration: configuration, expectedHost: expectedHost)
    pt_ssl_ctx_set_modes(pointer)
    guard pt_ssl_ctx_require_tls12(pointer) == 1 else { throw .configuration(.draining("require TLS 1.2")) }
    SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
    SSL_CTX_set_cert_verify_callback(pointer, verifyServer, Unmanaged.passUnretained(verification).toOpaque())
    SSL_CTX_set_cert_cb(pointer, certificateRequested, Unmanaged.passUnretained(verification).toOpaque())
    try use(configuration.trust)
    if let identity = configuration.identity { try use(identity) }
    try offer(configuration.applicationProtocols)
    if configuration.sessions != nil { pt_ssl_ctx_save_sessions(pointer, savesSession) }
  }

  deinit { SSL_CTX_free(pointer) }

  /// Verifies the chain of a resumed session as that of a full handshake is.
  /// - Throws: why the server may not be trusted any more.
  func verifyAgain(_ ssl: OpaquePointer) throws(TLSError) {
    guard let own = SSL_get0_peer_certificate(ssl) else {
      throw .certificateNotTrusted(reason: "the resumed session has no certificate")
    }
    guard let store = X509_STORE_CTX_new() else { throw .configuration(.draining("verify the resumed session")) }
    defer { X509_STORE_CTX_free(store) }
    // As OpenSSL's ssl_verify_cert_chain prepares it.
    guard X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(pointer), own, SSL_get_peer_cert_chain(ssl)) == 1,
      X509_STORE_CTX_set_default(store, "ssl_server") == 1,
      X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(store), SSL_get0_param(ssl)) == 1
    else { throw .configuration(.draining("verify the resumed session")) }
    if let failure = refusal(of: store, verification) {
      ERR_clear_error()
      throw failure
    }
  }

  private func use(_ trust: TLSConfiguration.Trust) throws(TLSError) {
    switch trust {
    case .systemRoots:
      SSL_CTX_set_default_verify_paths(pointer)
      for bundle in Self.systemBundles where access(bundle, R_OK) == 0 {
        SSL_CTX_load_verify_locations(pointer, bundle, nil)
      }
      ERR_clear_error()
    case .authorities(let certificates):
      guard let store = SSL_CTX_get_cert_store(pointer) else {
        throw .configuration(.draining("set up the trust store"))
      }
      X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
      for certificate in certificates {
        let added = try withX509(certificate) { X509_STORE_add_cert(store, $0) }
        guard added == 1 else { throw .configuration(.draining("trust the authority '\(certificate.subject)'")) }
      }
    case .pinnedAuthority:
      break  // The anchor arrives with the server's chain.
    }
  }

  private func use(_ identity: TLSConfiguration.Identity) throws(TLSError) {
    for (index, certificate) in identity.chain.enumerated() {
      let used = try withX509(certificate) {
        index == 0 ? SSL_CTX_use_certificate(pointer, $0) : pt_ssl_ctx_add_chain(pointer, $0)
      }
      guard used == 1 else { throw .configuration(.draining("use the certificate '\(certificate.subject)'")) }
    }
    let pem: String
    do { pem = try identity.key.pem() } catch { throw .configuration(error) }
    let bytes = Array(pem.utf8)
    guard let bio = BIO_new_mem_buf(bytes, Int32(bytes.count)) else { throw .configuration(.draining("use the key")) }
    defer { BIO_free(bio) }
    guard let key = pt_pem_read_private_key(bio) else { throw .configuration(.draining("use the key")) }
    defer { EVP_PKEY_free(key) }
    guard SSL_CTX_use_PrivateKey(pointer, key) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
      throw .configuration(.draining("use the private key of the client certificate"))
    }
  }

  private func offer(_ protocols: [String]) throws(TLSError) {
    guard !protocols.isEmpty else { return }
    var list: [UInt8] = []
    for name in protocols {
      guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
        throw .configuration(OpenSSLError(operation: "offer the protocol '\(name)'"))
      }
      list.append(length)
      list.append(contentsOf: name.utf8)
    }
    // This one function of OpenSSL returns 0 for success.
    guard SSL_CTX_set_alpn_protos(pointer, list, UInt32(list.count)) == 0 else {
      throw .configuration(.draining("offer \(protocols)"))
    }
  }
}

/// Lends the certificate as OpenSSL's type.
private func withX509<R>(_ certificate: Certificate, _ body: (OpaquePointer) -> R) throws(TLSError) -> R {
  let parsed = certificate.der.withUnsafeBufferPointer { buffer in
    var cursor = buffer.baseAddress
    return d2i_X509(nil, &cursor, buffer.count)
  }
  guard let parsed else { throw .configuration(.draining("parse the certificate '\(certificate.subject)'")) }
  defer { X509_free(parsed) }
  return body(parsed)
}

/// A copy of a certificate as this project's type; nil when it cannot be read.
private func certificate(_ pointer: OpaquePointer?) -> Certificate? {
  guard let pointer else { return nil }
  let count = Int(i2d_X509(pointer, nil))
  guard count > 0 else { return nil }
  let der = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    var cursor = buffer.baseAddress
    initialized = max(0, min(count, Int(i2d_X509(pointer, &cursor))))
  }
  return try? Certificate(der: der)
}

/// OpenSSL tells that the server asked for a client certificate: 1 goes on with the one that is set, or none.
private func certificateRequested(_: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let argument else { return 0 }
  Unmanaged<TLSContext.Verification>.fromOpaque(argument).takeUnretainedValue().wasAskedForCertificate = true
  return 1
}

/// OpenSSL's question whether the server's chain is good: 1 for yes.
private func verifyServer(_ context: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let context, let argument else { return 0 }
  let verification = Unmanaged<TLSContext.Verification>.fromOpaque(argument).takeUnretainedValue()
  let failure = refusal(of: context, verification)
  verification.failure = failure
  guard failure != nil else { return 1 }
  if X509_STORE_CTX_get_error(context) == X509_V_OK {
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION)
  }
  return 0
}

/// Verifies the chain; nil when it is good.
private func refusal(of context: OpaquePointer, _ verification: TLSContext.Verification) -> TLSError? {
  var anchors: OpaquePointer?
  defer { pt_chain_free(anchors) }
  if case .pinnedAuthority(let pin) = verification.trust {
    anchors = pt_chain_new()
    let sent = X509_STORE_CTX_get0_untrusted(context)
    guard append(certificatesWith: pin, from: sent, to: anchors) > 0 else { return .wrongPin(expected: pin) }
    X509_STORE_CTX_set0_trusted_stack(context, anchors)
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), UInt(X509_V_FLAG_PARTIAL_CHAIN))
  }
  guard X509_verify_cert(context) == 1 else { return reason(context, verification) }
  guard let pin = verification.requiredPin else { return nil }
  return append(certificatesWith: pin, from: X509_STORE_CTX_get0_chain(context), to: nil) > 0
    ? nil : .wrongPin(expected: pin)
}

/// Appends the certificates whose key has the pin to `target`, if there is one, and returns how many there are.
private func append(certificatesWith pin: PublicKeyPin, from chain: OpaquePointer?, to target: OpaquePointer?) -> Int {
  var found = 0
  for index in 0..<pt_chain_count(chain) {
    guard let pointer = pt_chain_at(chain, index), certificate(pointer)?.pin == pin else { continue }
    if let target, pt_chain_append(target, pointer) != 1 { continue }
    found += 1
  }
  return found
}

private func reason(_ context: OpaquePointer, _ verification: TLSContext.Verification) -> TLSError {
  let code = X509_STORE_CTX_get_error(context)
  let subject = certificate(X509_STORE_CTX_get_current_cert(context))?.subject ?? "unknown"
  switch code {
  case X509_V_ERR_CERT_HAS_EXPIRED: return .certificateExpired(subject: subject)
  case X509_V_ERR_CERT_NOT_YET_VALID: return .certificateNotYetValid(subject: subject)
  case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
    let leaf = certificate(X509_STORE_CTX_get0_cert(context))
    return .wrongHost(expected: verification.expectedHost, names: leaf?.dnsNames ?? [])
  default:
    let text = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)"
    return .certificateNotTrusted(reason: "\(text) (certificate '\(subject)')")
  }
}
