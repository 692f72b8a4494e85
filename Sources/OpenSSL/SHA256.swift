// SHA-256 (FIPS 180-4), one-shot and incremental, made for many short inputs: journal records have about 300 bytes.
//
// It uses OpenSSL's low-level functions. They are deprecated for new uses because no provider can replace them, which is
// what makes them fast: the EVP one-shot of OpenSSL 3.0 fetches its algorithm on each call.
//
// Many hashes at once are `CSHA256`'s where the processor has the instructions for it, which takes half the time.

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

  /// A message in two pieces, one behind the other, that lie apart.
  package typealias Pieces = (first: UnsafeRawBufferPointer, second: UnsafeRawBufferPointer)

  private static let isAccelerated = csha256_is_available()
  /// Messages handed to C at once.
  private static let messagesAtOnce = 32

  /// Writes the digests of many messages, 32 bytes each, one behind the other: half the work of one hash after the other.
  /// - Parameter digests: room for as many digests as there are messages.
  package static func hash(_ messages: UnsafeBufferPointer<Pieces>, into digests: UnsafeMutableRawBufferPointer) {
    precondition(digests.count >= messages.count * Digest.byteCount)
    guard isAccelerated else {
      for (index, message) in messages.enumerated() {
        hash(message.first, followedBy: message.second)
          .copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: digests[(index * Digest.byteCount)...]))
      }
      return
    }
    withUnsafeTemporaryAllocation(of: CSHA256Message.self, capacity: messagesAtOnce) { chunk in
      var done = 0
      while done < messages.count {
        let count = min(messagesAtOnce, messages.count - done)
        for index in 0..<count { chunk.initializeElement(at: index, to: CSHA256Message(messages[done + index])) }
        csha256_many(
          chunk.baseAddress, count,
          digests.baseAddress?.advanced(by: done * Digest.byteCount).assumingMemoryBound(to: UInt8.self))
        done += count
      }
    }
  }

  /// Replaces the digests that lie one behind the other by half as many, each the hash of `prefix` and two neighbours: a level
  /// of RFC 6962's tree by the next, at the buffer's beginning.
  /// - Parameter digests: an even number of them, 32 bytes each.
  package static func hashPairs(_ prefix: UInt8, of digests: UnsafeMutableRawBufferPointer) {
    let pairBytes = 2 * Digest.byteCount
    precondition(digests.count % pairBytes == 0)
    guard !isAccelerated else {
      return csha256_pairs(
        prefix, digests.baseAddress?.assumingMemoryBound(to: UInt8.self), digests.count / pairBytes)
    }
    for pair in 0..<digests.count / pairBytes {
      let below = UnsafeRawBufferPointer(rebasing: digests[(pair * pairBytes)..<(pair + 1) * pairBytes])
      withUnsafeBytes(of: prefix) { hash($0, followedBy: below) }
        .copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: digests[(pair * Digest.byteCount)...]))
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
