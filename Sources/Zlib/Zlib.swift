// zlib as whole messages: bytes in, bytes out, never more of them than the caller is ready to hold.
//
// A compressed stream of a kilobyte may mean a megabyte, so the limit is looked at before each piece of output is kept:
// what would pass it is refused with that piece, and not inflated any further. Memory is the limit, and
// `pieceBytes`, and zlib's own state (44 KB to inflate, 268 KB to deflate), whatever comes.

internal import CZlib

/// The wrapping around the deflated bytes (RFC 1951).
package enum ZlibFormat: Hashable, Sendable {
  /// RFC 1950: what HTTP and gRPC call `deflate`.
  case zlib
  /// RFC 1952, one member.
  case gzip

  /// As zlib is told: the largest window that there is, and 16 more for gzip.
  fileprivate var windowBits: Int32 {
    switch self {
    case .zlib: 15
    case .gzip: 15 + 16
    }
  }
}

package enum ZlibError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The bytes are none of the format's, or were changed on the way.
  case corrupt(reason: String)
  /// The bytes end before the stream does.
  case incomplete
  /// Bytes follow the end of the stream.
  case trailing(count: Int)
  /// They would inflate to more than `limit` bytes.
  case tooLarge(limit: Int)
  /// zlib could not be set up.
  case unavailable(code: Int32)

  package var description: String {
    switch self {
    case .corrupt(let reason): "the compressed bytes are corrupt (\(reason))"
    case .incomplete: "the compressed bytes end too early"
    case .trailing(let count): "\(count) bytes follow the compressed ones"
    case .tooLarge(let limit): "the compressed bytes inflate to more than \(limit)"
    case .unavailable(let code): "zlib could not be set up (code \(code))"
    }
  }
}

/// Bytes inflated before the limit is looked at again.
private let pieceBytes = 16 << 10

/// zlib's state at an address that stays, as zlib wants it. Belongs to one task at a time.
private final class ZlibStream {
  let pointer: UnsafeMutablePointer<z_stream>
  private let end: (UnsafeMutablePointer<z_stream>) -> Int32

  /// - Parameters:
  ///   - begin: sets the stream up.
  ///   - end: gives back what `begin` took.
  init(
    begin: (UnsafeMutablePointer<z_stream>) -> Int32, end: @escaping (UnsafeMutablePointer<z_stream>) -> Int32
  ) throws(ZlibError) {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: z_stream())
    self.end = end
    let status = begin(pointer)
    guard status == Z_OK else {
      pointer.deallocate()
      throw .unavailable(code: status)
    }
  }

  deinit {
    _ = end(pointer)
    pointer.deallocate()
  }
}

/// Inflates one message after the other.
package final class Inflater {
  private let stream: ZlibStream
  private let piece = UnsafeMutablePointer<UInt8>.allocate(capacity: pieceBytes)

  /// - Throws: `unavailable`.
  package init(_ format: ZlibFormat) throws(ZlibError) {
    stream = try ZlibStream(begin: { pt_inflate_init($0, format.windowBits) }, end: { inflateEnd($0) })
  }

  deinit { piece.deallocate() }

  /// What the bytes of one whole stream mean.
  /// - Parameter bytesMax: the most that may come of it.
  /// - Throws: `ZlibError`; the next message can be inflated all the same.
  package func inflate(_ bytes: ArraySlice<UInt8>, bytesMax: Int) throws(ZlibError) -> [UInt8] {
    inflateReset(stream.pointer)
    guard let count = UInt32(exactly: bytes.count) else { throw .tooLarge(limit: Int(UInt32.max)) }
    let result = bytes.withUnsafeBufferPointer { input in
      // zlib only reads from there; its type says otherwise.
      stream.pointer.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.pointer.pointee.avail_in = count
      return Result { () throws(ZlibError) in try inflatePieces(bytesMax: bytesMax) }
    }
    stream.pointer.pointee.next_in = nil
    return try result.get()
  }

  private func inflatePieces(bytesMax: Int) throws(ZlibError) -> [UInt8] {
    var output: [UInt8] = []
    while true {
      stream.pointer.pointee.next_out = piece
      stream.pointer.pointee.avail_out = UInt32(pieceBytes)
      let status = CZlib.inflate(stream.pointer, Z_NO_FLUSH)
      let made = pieceBytes - Int(stream.pointer.pointee.avail_out)
      guard made <= bytesMax - output.count else { throw .tooLarge(limit: bytesMax) }
      output.append(contentsOf: UnsafeBufferPointer(start: piece, count: made))
      switch status {
      case Z_OK: continue
      case Z_STREAM_END:
        let rest = Int(stream.pointer.pointee.avail_in)
        guard rest == 0 else { throw .trailing(count: rest) }
        return output
      case Z_BUF_ERROR: throw .incomplete
      case Z_NEED_DICT: throw .corrupt(reason: "it needs a dictionary")
      default: throw .corrupt(reason: stream.pointer.pointee.msg.map { String(cString: $0) } ?? "code \(status)")
      }
    }
  }
}

/// Deflates one message after the other.
package final class Deflater {
  private let stream: ZlibStream

  /// - Throws: `unavailable`.
  package init(_ format: ZlibFormat) throws(ZlibError) {
    stream = try ZlibStream(
      begin: { pt_deflate_init($0, Z_DEFAULT_COMPRESSION, format.windowBits) }, end: { deflateEnd($0) })
  }

  /// The bytes as one whole stream.
  /// - Returns: nil when that is not shorter than the bytes themselves, or these are 4 GiB or more.
  package func deflate(_ bytes: [UInt8]) -> [UInt8]? {
    guard let count = UInt32(exactly: bytes.count), bytes.count > 1 else { return nil }
    deflateReset(stream.pointer)
    defer {
      stream.pointer.pointee.next_in = nil
      stream.pointer.pointee.next_out = nil
    }
    var isWhole = false
    let output = [UInt8](unsafeUninitializedCapacity: bytes.count - 1) { output, initialized in
      bytes.withUnsafeBufferPointer { input in
        stream.pointer.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointer.pointee.avail_in = count
        stream.pointer.pointee.next_out = output.baseAddress
        stream.pointer.pointee.avail_out = count - 1
        isWhole = CZlib.deflate(stream.pointer, Z_FINISH) == Z_STREAM_END
        initialized = bytes.count - 1 - Int(stream.pointer.pointee.avail_out)
      }
    }
    return isWhole ? output : nil
  }
}
