// What a program did to the files below one directory, as CrashRecorder wrote it down (see its header for the bytes).

/// One thing that a program did.
package struct TraceEntry: Equatable, Sendable {
  package enum Action: Equatable, Sendable {
    /// The file was created under this name, or opened under it for the first time.
    case name(String)
    case write(offset: Int, bytes: [UInt8])
    /// Everything written to the file so far is on the disk.
    case sync
    case truncate(length: Int)
    case rename(from: String, to: String)
    case unlink(String)
    /// All changes of names so far are on the disk.
    case syncDirectory
    /// What the program said of itself at this moment.
    case note(String)
  }

  /// The inode; 0 where none is concerned.
  package let file: UInt64
  package let action: Action

  package init(file: UInt64 = 0, _ action: Action) {
    self.file = file
    self.action = action
  }
}

/// Bytes that are not a trace.
package struct TraceError: Error, Equatable, CustomStringConvertible {
  package let offset: Int
  package let expected: String
  package var description: String { "The trace is damaged at byte \(offset): expected \(expected)." }
}

package enum Trace {
  private static let headByteCount = 21

  /// Reads a whole trace.
  package static func entries(_ bytes: [UInt8]) throws(TraceError) -> [TraceEntry] {
    var entries: [TraceEntry] = []
    var offset = 0
    while offset < bytes.count {
      guard bytes.count - offset >= headByteCount else { throw TraceError(offset: offset, expected: "an entry's head") }
      func number(_ place: Int, _ count: Int) -> UInt64 {
        bytes[(offset + place)..<(offset + place + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      }
      let (operation, file, place, length) = (bytes[offset], number(1, 8), number(9, 8), Int(number(17, 4)))
      let start = offset + headByteCount
      guard length <= bytes.count - start, place < 1 << 48 else {
        throw TraceError(offset: offset, expected: "\(length) bytes")
      }
      guard let action = action(operation, Int(place), bytes[start..<start + length]) else {
        throw TraceError(offset: offset, expected: "an operation, not \(operation)")
      }
      entries.append(TraceEntry(file: file, action))
      offset = start + length
    }
    return entries
  }

  private static func action(_ operation: UInt8, _ offset: Int, _ bytes: ArraySlice<UInt8>) -> TraceEntry.Action? {
    func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
    switch operation {
    case 1: return .name(text(bytes))
    case 2: return .write(offset: offset, bytes: Array(bytes))
    case 3: return .sync
    case 4: return .truncate(length: offset)
    case 5:
      let names = bytes.split(separator: 0, omittingEmptySubsequences: false)
      return names.count == 2 ? .rename(from: text(names[0]), to: text(names[1])) : nil
    case 6: return .unlink(text(bytes))
    case 7: return .syncDirectory
    case 8: return .note(text(bytes))
    default: return nil
    }
  }
}
