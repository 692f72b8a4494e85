// A tar file (POSIX.1-1988 "ustar", 512-byte blocks) of files that lie still, piece by piece.
//
//     header (name, mode 0644, size, time, checksum, "ustar")  |  the file  |  zeroes up to a block   ...   |  two blocks of zeroes

internal import Glibc
internal import Synchronization
internal import WebServing

final class TarStream: Sendable {
  private static let block = 512
  /// What eleven octal digits hold.
  private static let sizeMax = 8 << 30 - 1

  private struct Entry {
    let header: [UInt8]
    let path: String
    let size: Int
  }

  private struct State {
    var entries: [Entry]
    var descriptor: Int32 = -1
    var rest = 0
    var padding = 0
    var isEnded = false
  }

  /// Of the whole.
  let length: Int
  private let pieceBytes: Int
  private let state: Mutex<State>

  /// - Throws: `WebError` where a file is gone, or larger than a tar file has room for.
  init(_ files: [(name: String, path: String)], pieceBytes: Int, time: Int64) throws {
    var entries: [Entry] = []
    var length = 2 * Self.block
    for (name, path) in files {
      var status = stat()
      guard stat(path, &status) == 0 else { throw WebError(500, "internal", "What was exported is gone.") }
      let size = Int(status.st_size)
      guard size <= Self.sizeMax else {
        throw WebError(
          422, "invalid", "The export is larger than 8 GiB; export parts of it with \"from\" and \"to\".", field: "from"
        )
      }
      entries.append(Entry(header: Self.header(name, size: size, time: time), path: path, size: size))
      length += Self.block + (size + Self.block - 1) / Self.block * Self.block
    }
    self.length = length
    self.pieceBytes = pieceBytes
    state = Mutex(State(entries: entries))
  }

  deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

  /// The next piece; nil at the end.
  /// - Throws: where a file is shorter than it was.
  func next() throws -> [UInt8]? {
    try state.withLock { state in
      if state.rest > 0 {
        var piece = [UInt8](repeating: 0, count: min(pieceBytes, state.rest))
        let count = read(state.descriptor, &piece, piece.count)
        guard count > 0 else { throw WebError(500, "internal", "What was exported cannot be read.") }
        state.rest -= count
        if count < piece.count { piece.removeLast(piece.count - count) }
        if state.rest == 0 {
          piece += [UInt8](repeating: 0, count: state.padding)
          close(state.descriptor)
          state.descriptor = -1
        }
        return piece
      }
      guard !state.entries.isEmpty else {
        if state.isEnded { return nil }
        state.isEnded = true
        return [UInt8](repeating: 0, count: 2 * Self.block)
      }
      let entry = state.entries.removeFirst()
      if entry.size > 0 {
        state.descriptor = open(entry.path, O_RDONLY | O_CLOEXEC)
        guard state.descriptor >= 0 else { throw WebError(500, "internal", "What was exported cannot be read.") }
        state.rest = entry.size
        state.padding = (Self.block - entry.size % Self.block) % Self.block
      }
      return entry.header
    }
  }

  private static func header(_ name: String, size: Int, time: Int64) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: block)
    func put(_ text: String, at offset: Int, _ max: Int) {
      for (index, byte) in text.utf8.prefix(max).enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int64, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(name, at: 0, 100)
    put("0000644", at: 100, 8)
    put("0000000", at: 108, 8)
    put("0000000", at: 116, 8)
    put(octal(Int64(size), 11), at: 124, 12)
    put(octal(time, 11), at: 136, 12)
    put("        ", at: 148, 8)
    header[156] = UInt8(ascii: "0")
    put("ustar", at: 257, 6)
    put("00", at: 263, 2)
    let sum = header.reduce(0) { $0 + Int64($1) }
    put(octal(sum, 6) + "\0 ", at: 148, 8)
    return header
  }
}
