// Where compression pays (docs/performance.md has the figures): records of one fleet are alike, and each has a hash of 32 bytes that nothing
// makes smaller. So a batch of five goes in 58 % of its bytes and one of 500 in 30 %, and a record by itself in 95 %. Level 1 of zlib has nearly
// all of it, at 1.2 µs a record; level 6 gains two percent more for two and a half times of that.

internal import GRPCCore

enum Compression {
  /// For the calls that carry batches. In a stream the transport leaves small messages as they are.
  static let algorithm: CompressionAlgorithm = .gzip
  /// Payload bytes of an exchange from which on it is compressed: five records or so.
  static let bytesMin = 1_024
}
