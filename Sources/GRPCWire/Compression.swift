// Compressed messages (gRPC's compression.md): which encodings there are, who asks for them, and what a message is worth.
//
//   ours      CallOptions.compression, else WireConfiguration.compression, names the encoding of a call, in `grpc-encoding`.
//             Each message is then sent compressed if that is shorter, unless its task is within `withoutCompression`.
//   theirs    `grpc-accept-encoding` names all that we can read. The server names its own in `grpc-encoding`, and each
//             message says by its flag whether it is compressed.
//
// Compressing secrets and what others may choose in one message tells the secrets by the length (CRIME, BREACH): that is
// what `withoutCompression` is for.

internal import GRPCCore
internal import Zlib

/// An encoding of messages other than `identity`.
enum MessageEncoding: String, CaseIterable {
  case gzip
  case deflate

  /// All that this side reads, as `grpc-accept-encoding` lists them.
  static let accepted = (["identity"] + allCases.map(\.rawValue)).joined(separator: ",")

  /// Nil for no compression.
  init?(_ algorithm: CompressionAlgorithm) {
    switch algorithm {
    case .gzip: self = .gzip
    case .deflate: self = .deflate
    default: return nil
    }
  }

  fileprivate var format: ZlibFormat {
    switch self {
    case .gzip: .gzip
    case .deflate: .zlib
    }
  }
}

/// What a task says about the messages that it sends.
package enum WireCompression {
  @TaskLocal fileprivate static var isForbidden = false

  /// Messages sent by `body` go out as they are, whatever their call says. It holds for calls that GRPCCore makes at once:
  /// one with a retry or hedging policy is sent by a task of GRPCCore's own, which knows of the call's options alone.
  package static func withoutCompression<R>(_ body: () async throws -> R) async rethrows -> R {
    try await $isForbidden.withValue(true) { try await body() }
  }
}

/// Compresses the messages of one call. Belongs to one task at a time.
final class MessageCompressor {
  private let deflater: Deflater

  /// - Throws: `internalError` when zlib cannot be set up.
  init(_ encoding: MessageEncoding) throws(RPCError) {
    do { deflater = try Deflater(encoding.format) } catch {
      throw RPCError(code: .internalError, message: "Messages cannot be compressed: \(error).")
    }
  }

  /// The compressed message; nil when it had better be sent as it is.
  func compressed(_ message: [UInt8]) -> [UInt8]? {
    WireCompression.isForbidden ? nil : deflater.deflate(message)
  }
}

/// Reads the compressed messages of one response. Belongs to one task at a time.
final class MessageDecompressor {
  private let inflater: Inflater

  /// - Parameter name: what `grpc-encoding` said; nil when there was none.
  /// - Throws: `internalError` when a compressed message of that encoding cannot be, or cannot be read by this side.
  init(named name: String?) throws(RPCError) {
    guard let name, name != "identity" else {
      throw RPCError(
        code: .internalError,
        message: "The server sent a message with the Compressed-Flag, but its grpc-encoding is \(name ?? "missing").")
    }
    guard let encoding = MessageEncoding(rawValue: name) else {
      throw RPCError(
        code: .internalError,
        message:
          "The server sent a message compressed as '\(name.prefix(32))'; this client reads \(MessageEncoding.accepted)."
      )
    }
    do { inflater = try Inflater(encoding.format) } catch {
      throw RPCError(code: .internalError, message: "Messages cannot be decompressed: \(error).")
    }
  }

  /// - Throws: `resourceExhausted` for a message that would be too large, `internalError` for one that is corrupt.
  func message(_ bytes: ArraySlice<UInt8>, bytesMax: Int) throws(RPCError) -> [UInt8] {
    do { return try inflater.inflate(bytes, bytesMax: bytesMax) } catch {
      if case .tooLarge(let limit) = error {
        throw RPCError(
          code: .resourceExhausted,
          message: "The server sent \(bytes.count) bytes that inflate to a message of more than \(limit).")
      }
      throw RPCError(code: .internalError, message: "The server sent a message that cannot be read: \(error).")
    }
  }
}
