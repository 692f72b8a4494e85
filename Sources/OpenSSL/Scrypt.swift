// scrypt (RFC 7914): a key out of a password that costs whoever guesses memory as well as time.

internal import COpenSSL

package enum Scrypt {
  /// How much work a guess is.
  package struct Cost: Hashable, Sendable {
    /// log2 of N.
    package let logarithm: Int
    package let blockSize: Int
    package let parallelism: Int

    /// Nil for what would need more than 256 MiB, or is below what is worth the name.
    package init?(logarithm: Int, blockSize: Int, parallelism: Int) {
      guard (10...20).contains(logarithm), (1...32).contains(blockSize), (1...16).contains(parallelism),
        128 * blockSize << logarithm <= 256 << 20
      else { return nil }
      self.logarithm = logarithm
      self.blockSize = blockSize
      self.parallelism = parallelism
    }

    /// 32 MiB and some 80 ms of one core.
    package static let login = Cost(unchecked: 15, 8, 1)

    private init(unchecked logarithm: Int, _ blockSize: Int, _ parallelism: Int) {
      self.logarithm = logarithm
      self.blockSize = blockSize
      self.parallelism = parallelism
    }
  }

  /// - Throws: `OpenSSLError` where there is no memory for it.
  package static func key(_ password: [UInt8], salt: [UInt8], _ cost: Cost, count: Int) throws(OpenSSLError) -> [UInt8]
  {
    var key = [UInt8](repeating: 0, count: count)
    let memory = UInt64(256 * cost.blockSize) << UInt64(cost.logarithm)
    let status = password.withUnsafeBytes { secret in
      EVP_PBE_scrypt(
        secret.bindMemory(to: CChar.self).baseAddress, secret.count, salt, salt.count, 1 << UInt64(cost.logarithm),
        UInt64(cost.blockSize), UInt64(cost.parallelism), memory, &key, count)
    }
    guard status == 1 else { throw .draining("derive a key from the password") }
    return key
  }
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
package func isSameSecret(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
