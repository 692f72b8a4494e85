// The bytes of one stream that wait for the peer's flow control window.

struct Outbox {
  private var chunks: [[UInt8]] = []
  /// The first chunk with bytes left, and how many of its bytes are gone.
  private var firstChunk = 0
  private var offset = 0
  /// The bytes waiting.
  private(set) var count = 0
  /// Nothing will follow what waits.
  var isEnded = false
  /// At a server: what follows the last byte; nil for nothing.
  var trailers: [HTTP2Header]?
  /// nghttp2 was told that nothing is there, and must be told when there is.
  var isDeferred = false

  mutating func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    chunks.append(bytes)
    count += bytes.count
  }

  /// Moves bytes to the start of `buffer`, from as many chunks as fit, and returns how many.
  mutating func move(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var moved = 0
    while moved < buffer.count, firstChunk < chunks.count {
      let chunk = chunks[firstChunk]
      let size = min(buffer.count - moved, chunk.count - offset)
      chunk.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(rebasing: buffer[moved..<moved + size])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + size]))
      }
      moved += size
      offset += size
      if offset == chunk.count { dropFirstChunk() }
    }
    count -= moved
    return moved
  }

  /// Frees a chunk at once, and the array's slots now and then, so that a long queue is not shifted for each chunk.
  private mutating func dropFirstChunk() {
    chunks[firstChunk] = []
    firstChunk += 1
    offset = 0
    if firstChunk == chunks.count {
      chunks.removeAll(keepingCapacity: true)
      firstChunk = 0
    } else if firstChunk > 64, firstChunk * 2 > chunks.count {
      chunks.removeSubrange(..<firstChunk)
      firstChunk = 0
    }
  }
}
