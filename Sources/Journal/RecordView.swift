// A stored record, looked at where it lies.

package import Evidence
package import OpenSSL

/// A record whose bytes are lent: valid only in the closure that got it. `record` copies.
package struct RecordView {
  package let position: RecordPosition
  private let value: UnsafeRawBufferPointer

  /// Nil when the value is shorter than its fixed part.
  init?(position: RecordPosition, value: UnsafeRawBufferPointer) {
    guard value.count >= Layout.RecordValue.payload else { return nil }
    self.position = position
    self.value = value
  }

  /// Nanoseconds since 1970 UTC.
  package var time: Int64 {
    Int64(bigEndian: value.loadUnaligned(fromByteOffset: Layout.RecordValue.time, as: Int64.self))
  }
  /// The version of the canonical bytes.
  package var version: UInt8 { value[Layout.RecordValue.version] }
  package var flags: UInt8 { value[Layout.RecordValue.flags] }
  package var payload: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: value[Layout.RecordValue.payload...]) }

  /// The leaf hash as it was stored, 32 bytes.
  var storedLeafHash: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: value[Layout.RecordValue.leafHash..<Layout.RecordValue.payload])
  }

  /// The leaf hash as it was stored. It proves nothing by itself: see `JournalVerifier`.
  package var leafHash: Digest { Digest(loading: storedLeafHash) }

  /// The leaf hash of what is stored now.
  package func computedLeafHash() -> Digest {
    Record.leafHash(position: position, time: time, version: version, payload: payload)
  }

  /// Whether the stored hash is this one.
  func stores(_ hash: Digest) -> Bool {
    hash.withBytes { hash in
      for offset in stride(from: 0, to: Digest.byteCount, by: 8)
      where hash.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        != storedLeafHash.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      { return false }
      return true
    }
  }

  /// Whether every bit of it is as it was recorded.
  package var isSound: Bool {
    version == Record.version && flags == Layout.recordFlags && stores(computedLeafHash())
  }

  /// A copy that lasts.
  package var record: Record { Record(position: position, time: time, payload: Array(payload)) }
}
