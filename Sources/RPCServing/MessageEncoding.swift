// Compressed messages (gRPC's compression.md): a call names its encoding in `grpc-encoding`, and each message says by its flag whether it is
// compressed. What a peer can read, it names in `grpc-accept-encoding`.
//
// zlib's states are large (44 KB to inflate, 268 KB to deflate) and calls may last for weeks, so none is kept while nothing is under way.

internal import GRPCCore
internal import Zlib

/// An encoding of messages other than `identity`.
enum MessageEncoding: String, CaseIterable, Sendable {
  case gzip
  case deflate

  /// All that this side reads, as `grpc-accept-encoding` lists them.
  static let accepted = (["identity"] + allCases.map(\.rawValue)).joined(separator: ",")
  /// A message below this many bytes is sent as it is: what it would win is less than what it would cost.
  static let deflatedBytesLeast = 512

  /// The first that a list of names has, such as `identity, deflate, gzip`; nil for none that this side knows.
  static func first(in names: String) -> MessageEncoding? {
    for name in names.split(separator: ",") {
      let trimmed = name.filter { $0 != " " }
      if let encoding = MessageEncoding(rawValue: trimmed) { return encoding }
    }
    return nil
  }

  /// The compressed message; nil when it had better be sent as it is.
  func deflated(_ message: [UInt8]) -> [UInt8]? {
    guard message.count >= Self.deflatedBytesLeast else { return nil }
    return try? Deflater(format).deflate(message)
  }

  func inflater() throws(RPCError) -> Inflater {
    do { return try Inflater(format) } catch {
      throw RPCError(code: .internalError, message: "Messages cannot be inflated: \(error).")
    }
  }

  private var format: ZlibFormat {
    switch self {
    case .gzip: .gzip
    case .deflate: .zlib
    }
  }
}
