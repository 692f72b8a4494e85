// gRPC's length-prefixed messages (PROTOCOL-HTTP2.md), whose bytes come in pieces that have nothing to do with where messages begin:
//
//    +------------+----------------+---------+
//    | compressed | length, 4, big | message |
//    |   1 byte   |     endian     |         |
//    +------------+----------------+---------+
//
// The length is judged before anything is kept for it, and again while the message is inflated.

internal import GRPCCore
internal import Zlib

/// The bytes before every message.
private let prefixBytes = 5

/// Appends a message with its prefix.
func append(_ message: [UInt8], encoding: MessageEncoding?, to bytes: inout [UInt8]) {
  let deflated = encoding.flatMap { $0.deflated(message) }
  let body = deflated ?? message
  bytes.reserveCapacity(bytes.count + prefixBytes + body.count)
  bytes.append(deflated == nil ? 0 : 1)
  withUnsafeBytes(of: UInt32(truncatingIfNeeded: body.count).bigEndian) { bytes.append(contentsOf: $0) }
  bytes.append(contentsOf: body)
}

/// Takes pieces as they come and gives whole messages.
struct MessageReader {
  /// A piece of a message that is announced as large may be all that comes of it.
  private static let reservedBytesMax = 64 << 10

  /// The message that has begun.
  private struct Message {
    let isCompressed: Bool
    let length: Int
    var bytes: [UInt8] = []
  }

  private let bytesMax: Int
  private let encoding: MessageEncoding?
  private var piece: [UInt8] = []
  /// The bytes of `piece` that were used.
  private var used = 0
  /// Of a message whose prefix is not whole.
  private var prefix: [UInt8] = []
  private var message: Message?
  /// Kept from one message to the next, as long as they come without a pause.
  private var inflater: Inflater?

  init(bytesMax: Int, encoding: MessageEncoding?) {
    self.bytesMax = bytesMax
    self.encoding = encoding
  }

  /// Bytes of a message that is not whole yet are here.
  var isAmidMessage: Bool { message != nil || !prefix.isEmpty }

  /// Takes the next piece. All messages of the one before must have been taken.
  mutating func append(_ piece: [UInt8]) {
    self.piece = piece
    used = 0
  }

  /// The next whole message; nil when another piece is needed.
  ///
  /// - Throws: `RPCError` for what no sound peer sends. Nothing may be taken after that.
  mutating func next() throws(RPCError) -> [UInt8]? {
    if message == nil { try begin() }
    guard let missing = message.map({ $0.length - $0.bytes.count }) else { return rest() }
    let count = min(missing, piece.count - used)
    let come = piece[used..<used + count]
    used += count
    guard count == missing else {
      message?.bytes.append(contentsOf: come)
      return rest()
    }
    // Taken out, so that it grows in its place.
    guard var whole = message.take() else { return rest() }
    if whole.bytes.isEmpty { return whole.isCompressed ? try inflated(come) : Array(come) }
    whole.bytes.append(contentsOf: come)
    return whole.isCompressed ? try inflated(whole.bytes[...]) : whole.bytes
  }

  private mutating func rest() -> [UInt8]? {
    piece = []
    used = 0
    inflater = nil
    return nil
  }

  /// Reads the prefix, as far as it has come.
  private mutating func begin() throws(RPCError) {
    let count = min(prefixBytes - prefix.count, piece.count - used)
    prefix.append(contentsOf: piece[used..<used + count])
    used += count
    guard prefix.count == prefixBytes else { return }
    let length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
    let flag = prefix[0]
    prefix = []
    guard flag <= 1 else {
      throw RPCError(code: .internalError, message: "A message has the unknown flag \(flag).")
    }
    guard flag == 0 || encoding != nil else {
      throw RPCError(code: .internalError, message: "A message is compressed, and the call has no grpc-encoding.")
    }
    guard length <= bytesMax else { throw Self.tooLong(length, bytesMax) }
    var message = Message(isCompressed: flag == 1, length: length)
    // One that is here whole is copied at once.
    if length > piece.count - used { message.bytes.reserveCapacity(min(length, Self.reservedBytesMax)) }
    self.message = message
  }

  private mutating func inflated(_ bytes: ArraySlice<UInt8>) throws(RPCError) -> [UInt8] {
    guard let encoding else { throw RPCError(code: .internalError, message: "A message is compressed.") }
    let inflater = if let kept = self.inflater { kept } else { try encoding.inflater() }
    self.inflater = inflater
    do { return try inflater.inflate(bytes, bytesMax: bytesMax) } catch {
      if case .tooLarge = error { throw Self.tooLong(nil, bytesMax) }
      throw RPCError(code: .internalError, message: "A message cannot be inflated: \(error).")
    }
  }

  private static func tooLong(_ length: Int?, _ bytesMax: Int) -> RPCError {
    let what = length.map { "of \($0) bytes" } ?? "that inflates to more"
    return RPCError(
      code: .resourceExhausted, message: "A message \(what) is longer than the \(bytesMax) bytes that are taken.")
  }
}
