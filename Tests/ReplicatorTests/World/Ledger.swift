import Evidence
import Journal
import OpenSSL

/// What an agent's journal must hold, whatever happens to it: every record that an append was told to have recorded.
struct Ledger {
  struct Difference: Error, CustomStringConvertible { let description: String }

  /// Leaf hashes by place.
  private(set) var records: [RecordPosition: [UInt8]] = [:]
  /// Hashes of records that a restored copy does not have any more; the hub may.
  private(set) var abandoned: [RecordPosition: Set<[UInt8]>] = [:]
  private(set) var last = RecordPosition.start

  /// Takes note of what was appended since the last time.
  mutating func learn(from reader: JournalReader) throws {
    try reader.scan(from: last) { view in
      records[view.position] = view.leafHash.bytes
      last = view.position
      return true
    }
  }

  /// Everything that was there is there, as it was. What an append that was cut off left is learned.
  mutating func expectWhole(_ reader: JournalReader) throws {
    var seen = 0
    try reader.scan { view in
      if let known = records[view.position] {
        seen += 1
        guard known == view.leafHash.bytes else { throw Difference(description: "record \(view.position) is another") }
      }
      return true
    }
    guard seen == records.count else {
      throw Difference(description: "\(records.count - seen) of \(records.count) acknowledged records are gone")
    }
    try learn(from: reader)
  }

  /// The journal was put back to an earlier state.
  mutating func goBack(to reader: JournalReader) throws {
    var (there, end) = ([RecordPosition: [UInt8]](), RecordPosition.start)
    try reader.scan { view in
      there[view.position] = view.leafHash.bytes
      end = view.position
      return true
    }
    for (place, hash) in records where there[place] != hash { abandoned[place, default: []].insert(hash) }
    (records, last) = (there, end)
  }
}
