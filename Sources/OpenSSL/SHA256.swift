// SHA-256 (FIPS 180-4), one-shot and incremental, made for many short inputs: journal records have about 300 bytes.
//
// It uses OpenSSL's low-level functions. They are deprecated for new uses because no provider can replace them, which is
// what makes them fast: the EVP one-shot of OpenSSL 3.0 fetches its algorithm on each call.
//
// Two hashes at once are `CSHA256`'s where the processor has the instructions for it, which takes half the time.

internal import COpenSSL
internal import CSHA256

/// An SHA-256 in progress. A value: a copy continues on its own.
package struct SHA256: Sendable {
  private var context = SHA256_CTX()

  package init() {
    pt_sha256_init(&context)
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    pt_sha256_update(&context, bytes.baseAddress, bytes.count)
  }

  package mutating func update(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { update($0) }
  }

  package mutating func update(_ bytes: some Collection<UInt8>) {
    bytes.withContiguousBytes { update($0) }
  }

  /// Adds one byte, such as RFC 6962's leaf and node prefixes.
  package mutating func update(byte: UInt8) {
    withUnsafeBytes(of: byte) { update($0) }
  }

  package mutating func update(_ digest: Digest) {
    digest.withBytes { update($0) }
  }

  /// The digest of everything added so far. The value itself is unchanged and can go on.
  package func finalize() -> Digest {
    var finishing = context
    return withUnsafeTemporaryAllocation(byteCount: Digest.byteCount, alignment: 8) { buffer in
      pt_sha256_final(&finishing, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self))
      return Digest(loading: UnsafeRawBufferPointer(buffer))
    }
  }

  package static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
    hash(bytes, followedBy: UnsafeRawBufferPointer(start: nil, count: 0))
  }

  /// The hash of two pieces, one behind the other: a header and a payload that lie apart.
  package static func hash(_ first: UnsafeRawBufferPointer, followedBy second: UnsafeRawBufferPointer) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: Digest.byteCount, alignment: 8) { buffer in
      pt_sha256_pair(
        first.baseAddress, first.count, second.baseAddress, second.count,
        buffer.baseAddress?.assumingMemoryBound(to: UInt8.self))
      return Digest(loading: UnsafeRawBufferPointer(buffer))
    }
  }

  /// What is hashed together with another: two pieces, one behind the other.
  package typealias Pieces = (first: UnsafeRawBufferPointer, second: UnsafeRawBufferPointer)

  private static let isTwiceAvailable = csha256_is_available()

  /// Two hashes that have nothing to do with each other, in little more time than one.
  package static func hashTwo(_ one: Pieces, _ other: Pieces) -> (Digest, Digest) {
    guard isTwiceAvailable else {
      return (hash(one.first, followedBy: one.second), hash(other.first, followedBy: other.second))
    }
    return withUnsafeTemporaryAllocation(byteCount: 2 * Digest.byteCount, alignment: 8) { buffer in
      var (message, otherMessage) = (CSHA256Message(one), CSHA256Message(other))
      let digests = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
      csha256_two(&message, &otherMessage, digests, digests?.advanced(by: Digest.byteCount))
      return (
        Digest(loading: UnsafeRawBufferPointer(buffer)),
        Digest(loading: UnsafeRawBufferPointer(rebasing: buffer[Digest.byteCount...]))
      )
    }
  }

  /// The hash of a byte and two digests: an inner node of RFC 6962's tree, of which every record costs one.
  package static func hash(_ prefix: UInt8, _ left: Digest, _ right: Digest) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: 1 + 2 * Digest.byteCount, alignment: 8) { buffer in
      buffer[0] = prefix
      left.copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: buffer[1...]))
      right.copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: buffer[(1 + Digest.byteCount)...]))
      return hash(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Two such inner nodes, over the digests in order.
  package static func hashTwo(_ prefix: UInt8, _ digests: (Digest, Digest, Digest, Digest)) -> (Digest, Digest) {
    let byteCount = 1 + 2 * Digest.byteCount
    return withUnsafeTemporaryAllocation(byteCount: 2 * byteCount, alignment: 8) { buffer in
      func write(_ left: Digest, _ right: Digest, at offset: Int) -> Pieces {
        let node = UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<offset + byteCount])
        node[0] = prefix
        left.copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: node[1...]))
        right.copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: node[(1 + Digest.byteCount)...]))
        return (UnsafeRawBufferPointer(node), UnsafeRawBufferPointer(start: nil, count: 0))
      }
      return hashTwo(write(digests.0, digests.1, at: 0), write(digests.2, digests.3, at: byteCount))
    }
  }

  package static func hash(_ bytes: RawSpan) -> Digest {
    bytes.withUnsafeBytes { hash($0) }
  }

  package static func hash(_ bytes: some Collection<UInt8>) -> Digest {
    bytes.withContiguousBytes { hash($0) }
  }
}

extension CSHA256Message {
  fileprivate init(_ pieces: SHA256.Pieces) {
    self.init(
      head: pieces.first.baseAddress?.assumingMemoryBound(to: UInt8.self), head_length: pieces.first.count,
      body: pieces.second.baseAddress?.assumingMemoryBound(to: UInt8.self), body_length: pieces.second.count)
  }
}
