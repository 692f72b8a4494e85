// gRPC's length-prefixed messages (PROTOCOL-HTTP2.md):
//
//    +------------+----------------+---------+
//    | compressed | length, 4, big | message |
//    |   1 byte   |     endian     |         |
//    +------------+----------------+---------+
//
// Both lengths of a compressed message have the same limit: the one in its prefix is checked before anything is kept for
// it, the other while it is inflated.

internal import GRPCCore

/// The bytes before every message.
let framePrefixBytes = 5

/// The message with its prefix.
/// - Parameter isCompressed: what `message` holds is compressed.
func framed(_ message: [UInt8], isCompressed: Bool = false) -> [UInt8] {
  var frame: [UInt8] = []
  frame.reserveCapacity(message.count + framePrefixBytes)
  frame.append(isCompressed ? 1 : 0)
  withUnsafeBytes(of: UInt32(truncatingIfNeeded: message.count).bigEndian) { frame.append(contentsOf: $0) }
  frame.append(contentsOf: message)
  return frame
}

/// Takes bytes as they come and gives whole messages.
struct Deframer {
  /// An empty buffer larger than this is given back to the system: one large message should not be paid for for ever.
  static let keptBytesMax = 64 << 10

  private let messageBytesMax: Int
  private let traffic: TrafficCounter?
  /// What `grpc-encoding` said; to be set before the first message is taken.
  var encoding: String?
  /// Made for the first compressed message.
  private var decompressor: MessageDecompressor?
  private var buffer: [UInt8] = []
  /// The bytes of `buffer` already given out.
  private var consumed = 0

  init(messageBytesMax: Int, traffic: TrafficCounter? = nil) {
    self.messageBytesMax = messageBytesMax
    self.traffic = traffic
  }

  /// Bytes of a message that is not whole yet are waiting.
  var isAmidMessage: Bool { consumed < buffer.count }

  mutating func append(_ bytes: [UInt8]) {
    if consumed == buffer.count {
      // Growing is left to the array: reserving exactly what is needed for each piece would copy a large message once
      // for every piece.
      buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptBytesMax)
      consumed = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole message; nil when more bytes are needed.
  /// - Throws: `resourceExhausted` for a message that is too large, `internalError` for a malformed prefix and for a
  ///   compressed message that cannot be read. Nothing may be taken after that.
  mutating func next() throws(RPCError) -> [UInt8]? {
    let waiting = buffer[consumed...]
    guard waiting.count >= framePrefixBytes else { return nil }
    let flag = buffer[consumed]
    let length = buffer[consumed + 1..<consumed + framePrefixBytes].reduce(0) { $0 << 8 | Int($1) }
    guard flag <= 1 else {
      throw RPCError(code: .internalError, message: "The server sent a message with the unknown flag \(flag).")
    }
    guard length <= messageBytesMax else {
      throw RPCError(
        code: .resourceExhausted,
        message: "The server sent a message of \(length) bytes; at most \(messageBytesMax) are accepted.")
    }
    guard waiting.count >= framePrefixBytes + length else { return nil }
    let start = consumed + framePrefixBytes
    consumed = start + length
    defer { compact() }
    let message = try flag == 0 ? Array(buffer[start..<consumed]) : decompressed(buffer[start..<consumed])
    traffic?.received(bytes: message.count, carriedBytes: framePrefixBytes + length, isCompressed: flag == 1)
    return message
  }

  private mutating func decompressed(_ bytes: ArraySlice<UInt8>) throws(RPCError) -> [UInt8] {
    let decompressor = if let made = self.decompressor { made } else { try MessageDecompressor(named: encoding) }
    self.decompressor = decompressor
    return try decompressor.message(bytes, bytesMax: messageBytesMax)
  }

  /// Drops what was given out once it is the larger part, so that a long stream does not grow the buffer.
  private mutating func compact() {
    guard consumed > Self.keptBytesMax, consumed * 2 > buffer.count, consumed < buffer.count else { return }
    buffer.removeSubrange(..<consumed)
    consumed = 0
  }
}
