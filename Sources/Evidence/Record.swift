// A record and its canonical bytes: what is hashed, signed for and compared, whoever stores it and however.
//
//   offset  size  field
//   0       1     version of this layout: 1
//   1       4     epoch, big-endian
//   5       8     sequence, big-endian
//   13      8     time, big-endian two's complement: nanoseconds since 1970-01-01 00:00 UTC
//   21      4     length of the payload, big-endian
//   25      n     payload
//
// Leaf hash (RFC 6962 section 2.1): SHA-256(0x00 || canonical bytes).

package import OpenSSL

/// One entry of a journal. What the payload means is not known here.
package struct Record: Hashable, Sendable {
  /// The version of the canonical bytes that is written.
  package static let version: UInt8 = 1
  /// Bytes of the canonical form before the payload.
  package static let headerByteCount = 25

  package var position: RecordPosition
  /// When the journal took it: nanoseconds since 1970 UTC by the writer's clock, which may have been set back.
  package var time: Int64
  package var payload: [UInt8]

  package init(position: RecordPosition, time: Int64, payload: [UInt8]) {
    self.position = position
    self.time = time
    self.payload = payload
  }

  /// The canonical bytes: 25 and the payload.
  package var canonicalBytes: [UInt8] {
    let length = UInt32(clamping: payload.count)
    return [UInt8](unsafeUninitializedCapacity: Self.headerByteCount + payload.count) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      Self.writeHeader(position, time, length, to: raw)
      payload.withUnsafeBytes { raw[Self.headerByteCount...].copyBytes(from: $0) }
      count = raw.count
    }
  }

  /// Reads canonical bytes; nil unless they are exactly one record of a known version.
  package init?(canonicalBytes: some Collection<UInt8>) {
    let bytes = Array(canonicalBytes)
    guard bytes.count >= Self.headerByteCount, bytes[0] == Self.version else { return nil }
    func integer<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
      bytes.withUnsafeBytes { T(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }
    guard Int(integer(21, UInt32.self)) == bytes.count - Self.headerByteCount else { return nil }
    position = RecordPosition(epoch: integer(1, UInt32.self), sequence: integer(5, UInt64.self))
    time = integer(13, Int64.self)
    payload = Array(bytes[Self.headerByteCount...])
  }

  package var leafHash: Digest {
    payload.withUnsafeBytes { Self.leafHash(position: position, time: time, payload: $0) }
  }

  /// The leaf hash of a record whose payload lies somewhere else: nothing is copied or allocated.
  /// - Parameter payload: fewer than 2^32 bytes.
  package static func leafHash(
    position: RecordPosition, time: Int64, version: UInt8 = Record.version, payload: UnsafeRawBufferPointer
  ) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: leafPrefixByteCount, alignment: 8) { prefix in
      writeLeafPrefix(position, time, UInt32(payload.count), version: version, to: prefix)
      return SHA256.hash(UnsafeRawBufferPointer(prefix), followedBy: payload)
    }
  }

  /// Writes the leaf hashes of records that follow each other and have one time, 32 bytes each, one behind the other: half the
  /// work of one after the other.
  /// - Parameter payloads: each of fewer than 2^32 bytes; as many as `hashes` has room for.
  package static func writeLeafHashes(
    from first: RecordPosition, time: Int64, payloads: UnsafeBufferPointer<UnsafeRawBufferPointer>,
    to hashes: UnsafeMutableRawBufferPointer
  ) {
    withUnsafeTemporaryAllocation(byteCount: payloads.count * leafPrefixByteCount, alignment: 8) { prefixes in
      withUnsafeTemporaryAllocation(of: SHA256.Pieces.self, capacity: payloads.count) { messages in
        for (index, payload) in payloads.enumerated() {
          let prefix = UnsafeMutableRawBufferPointer(
            rebasing: prefixes[(index * leafPrefixByteCount)..<(index + 1) * leafPrefixByteCount])
          let position = RecordPosition(epoch: first.epoch, sequence: first.sequence &+ UInt64(index))
          writeLeafPrefix(position, time, UInt32(payload.count), to: prefix)
          messages.initializeElement(at: index, to: (UnsafeRawBufferPointer(prefix), payload))
        }
        SHA256.hash(UnsafeBufferPointer(messages), into: hashes)
      }
    }
  }

  /// One byte for RFC 6962's leaf prefix, then the header.
  private static let leafPrefixByteCount = 1 + headerByteCount

  private static func writeLeafPrefix(
    _ position: RecordPosition, _ time: Int64, _ length: UInt32, version: UInt8 = Record.version,
    to prefix: UnsafeMutableRawBufferPointer
  ) {
    prefix.storeBytes(of: 0x00, toByteOffset: 0, as: UInt8.self)
    writeHeader(
      position, time, length, version: version, to: UnsafeMutableRawBufferPointer(rebasing: prefix[1...]))
  }

  private static func writeHeader(
    _ position: RecordPosition, _ time: Int64, _ length: UInt32, version: UInt8 = Record.version,
    to buffer: UnsafeMutableRawBufferPointer
  ) {
    buffer.storeBytes(of: version, toByteOffset: 0, as: UInt8.self)
    buffer.storeBytes(of: position.epoch.bigEndian, toByteOffset: 1, as: UInt32.self)
    buffer.storeBytes(of: position.sequence.bigEndian, toByteOffset: 5, as: UInt64.self)
    buffer.storeBytes(of: time.bigEndian, toByteOffset: 13, as: Int64.self)
    buffer.storeBytes(of: length.bigEndian, toByteOffset: 21, as: UInt32.self)
  }
}
