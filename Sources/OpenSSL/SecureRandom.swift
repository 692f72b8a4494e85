// Random bytes for keys, salts and nonces.

internal import COpenSSL

package enum SecureRandom {
  /// `count` unpredictable bytes. Stops the program when the system has no randomness: nothing secret may be made then.
  package static func bytes(_ count: Int) -> [UInt8] {
    precondition(count >= 0 && count <= Int32.max)
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      guard count > 0 else { return }
      guard RAND_bytes(buffer.baseAddress, Int32(count)) == 1 else {
        fatalError("The system gives no random bytes: \(OpenSSLError.drainedReasons())")
      }
      initialized = count
    }
  }
}
