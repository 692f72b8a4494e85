internal import Evidence
internal import OpenSSL
internal import Testing

@Suite struct `A record` {
  private let record = Record(
    position: RecordPosition(epoch: 0x0102_0304, sequence: 0x1112_1314_1516_1718), time: -2, payload: [0xAA, 0xBB])

  @Test func `has the canonical bytes of its specification`() {
    #expect(
      hexadecimal(record.canonicalBytes)
        == "01" + "01020304" + "1112131415161718" + "fffffffffffffffe" + "00000002" + "aabb")
  }

  @Test func `hashes as a leaf of its canonical bytes`() {
    #expect(record.leafHash == SHA256.hash([0x00] + record.canonicalBytes))
    let empty = Record(position: RecordPosition(epoch: 1, sequence: 1), time: 0, payload: [])
    #expect(empty.leafHash == SHA256.hash([0x00] + empty.canonicalBytes))
  }

  @Test func `is read back, and from nothing shorter, longer or newer`() {
    let bytes = record.canonicalBytes
    #expect(Record(canonicalBytes: bytes) == record)
    for count in 0..<bytes.count { #expect(Record(canonicalBytes: bytes.prefix(count)) == nil) }
    #expect(Record(canonicalBytes: bytes + [0]) == nil)
    #expect(Record(canonicalBytes: [2] + bytes.dropFirst()) == nil)
  }

  @Test func `stands by epoch first and sequence second`() {
    let positions = [
      RecordPosition.start, RecordPosition(epoch: 1, sequence: 1), RecordPosition(epoch: 1, sequence: 300),
      RecordPosition(epoch: 2, sequence: 1), .end,
    ]
    #expect(positions.shuffled().sorted() == positions)
    for position in positions { #expect(RecordPosition(position.description) == position) }
    for text in ["", "1", "1/", "/1", "1/2/3", "-1/2", "4294967296/1", "1/x"] { #expect(RecordPosition(text) == nil) }
  }
}
