// gRPC's length-prefixed messages (PROTOCOL-HTTP2.md):
//
//    +------------+----------------+---------+
//    | compressed | length, 4, big | message |
//    |   1 byte   |     endian     |         |
//    +------------+----------------+---------+
//
// Only identity is spoken: a compressed message is an error that says so. The length is checked before anything is
// kept for it.

internal import GRPCCore

/// The bytes before every message.
let framePrefixBytes = 5

/// The message with its prefix.
func framed(_ message: [UInt8]) -> [UInt8] {
  var frame: [UInt8] = []
  frame.reserveCapacity(message.count + framePrefixBytes)
  frame.append(0)
  withUnsafeBytes(of: UInt32(truncatingIfNeeded: message.count).bigEndian) { frame.append(contentsOf: $0) }
  frame.append(contentsOf: message)
  return frame
}

/// Takes bytes as they come and gives whole messages.
struct Deframer {
  /// An empty buffer larger than this is given back to the system: one large message should not be paid for for ever.
  static let keptBytesMax = 64 << 10

  private let messageBytesMax: Int
  private var buffer: [UInt8] = []
  /// The bytes of `buffer` already given out.
  private var consumed = 0

  init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

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
  /// - Throws: `unimplemented` for a compressed message, `resourceExhausted` for one that is too large,
  ///   `internalError` for a malformed prefix.
  mutating func next() throws(RPCError) -> [UInt8]? {
    let waiting = buffer[consumed...]
    guard waiting.count >= framePrefixBytes else { return nil }
    let flag = buffer[consumed]
    let length = buffer[consumed + 1..<consumed + framePrefixBytes].reduce(0) { $0 << 8 | Int($1) }
    switch flag {
    case 0: break
    case 1:
      throw RPCError(
        code: .unimplemented, message: "The server sent a compressed message, but this client accepts only identity.")
    default:
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
    return Array(buffer[start..<consumed])
  }

  /// Drops what was given out once it is the larger part, so that a long stream does not grow the buffer.
  private mutating func compact() {
    guard consumed > Self.keptBytesMax, consumed * 2 > buffer.count, consumed < buffer.count else { return }
    buffer.removeSubrange(..<consumed)
    consumed = 0
  }
}
