// Owners of OpenSSL objects. They never leave this room: what crosses is bytes (DER, PEM, raw).

internal import COpenSSL

/// Owns one EVP_PKEY.
final class KeyHandle: @unchecked Sendable {  // Never changed after it is made; OpenSSL locks what it caches inside.
  let pointer: OpaquePointer

  /// Takes over the caller's reference.
  init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { EVP_PKEY_free(pointer) }

  /// The DER of the public half as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
  func subjectPublicKeyInfo() throws(OpenSSLError) -> [UInt8] {
    guard let der = derBytes({ i2d_PUBKEY(pointer, $0) }) else { throw .draining("encode the public key") }
    return der
  }
}

/// Calls one of OpenSSL's `i2d_` functions, first for the size and then for the bytes; nil when it fails.
func derBytes(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
  let count = Int(encode(nil))
  guard count > 0 else { return nil }
  let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    var cursor = buffer.baseAddress
    initialized = max(0, min(count, Int(encode(&cursor))))
  }
  return bytes.count == count ? bytes : nil
}

/// Lends a memory BIO that reads `bytes`.
func withReadingBIO<R, E: Error>(
  _ bytes: some Collection<UInt8>, _ body: (OpaquePointer) throws(E) -> R
) throws(E) -> R? {
  try bytes.withContiguousBytes { (buffer) throws(E) -> R? in
    guard let count = Int32(exactly: buffer.count),
      let bio = BIO_new_mem_buf(buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1), count)
    else { return nil }
    defer { BIO_free(bio) }
    return try body(bio)
  }
}

/// What `write` wrote into a memory BIO; nil when it returned false.
func writtenBytes(_ write: (OpaquePointer) -> Bool) -> [UInt8]? {
  guard let bio = BIO_new(BIO_s_mem()) else { return nil }
  defer { BIO_free(bio) }
  guard write(bio) else { return nil }
  var start: UnsafeMutablePointer<CChar>?
  let count = pt_bio_bytes(bio, &start)
  guard let start, count > 0 else { return nil }
  return Array(UnsafeRawBufferPointer(start: start, count: count))
}
