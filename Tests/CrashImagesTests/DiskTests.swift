internal import CrashImages
internal import Testing

@Suite struct `A disk` {
  private func disk(_ entries: [TraceEntry]) -> Disk {
    entries.reduce(into: Disk()) { $0.follow($1) }
  }

  private static let named: [TraceEntry] = [TraceEntry(file: 7, .name("a")), TraceEntry(.syncDirectory)]

  @Test func `holds for certain what was synced, and may hold the rest`() {
    let disk = disk(
      Self.named + [
        TraceEntry(file: 7, .write(offset: 0, bytes: [1, 2])), TraceEntry(file: 7, .sync),
        TraceEntry(file: 7, .write(offset: 1, bytes: [3, 4])),
      ])
    #expect(disk.image(names: 0) { _, _ in false } == ["a": [1, 2]])
    #expect(disk.image(names: 0) { _, _ in true } == ["a": [1, 3, 4]])
  }

  @Test func `syncs one file and not another`() {
    let disk = disk(
      Self.named + [
        TraceEntry(file: 8, .name("b")), TraceEntry(.syncDirectory),
        TraceEntry(file: 7, .write(offset: 0, bytes: [1])), TraceEntry(file: 8, .write(offset: 0, bytes: [2])),
        TraceEntry(file: 8, .sync),
      ])
    #expect(disk.image(names: 0) { _, _ in false } == ["a": [], "b": [2]])
  }

  @Test func `tears a write at its sectors and leaves holes as zeros`() {
    let bytes = [UInt8](repeating: 9, count: 1500)
    let disk = disk(Self.named + [TraceEntry(file: 7, .write(offset: 100, bytes: bytes))])
    #expect(disk.changes[0].change.sectorCount == 4)
    let image = disk.image(names: 0) { _, sector in sector == 1 }
    #expect(image["a"] == [UInt8](repeating: 0, count: 512) + [UInt8](repeating: 9, count: 512))
    let first = disk.image(names: 0) { _, sector in sector == 0 }
    #expect(first["a"] == [UInt8](repeating: 0, count: 100) + [UInt8](repeating: 9, count: 412))
  }

  @Test func `has names of any moment since the directory was synced`() {
    let disk = disk(
      Self.named + [
        TraceEntry(file: 9, .name("b.new")), TraceEntry(.rename(from: "b.new", to: "b")), TraceEntry(.unlink("a")),
      ])
    let names = (0...3).map { count in disk.image(names: count) { _, _ in true }.keys.sorted() }
    #expect(names == [["a"], ["a", "b.new"], ["a", "b"], ["b"]])
  }

  @Test func `cuts and lengthens files`() {
    let disk = disk(
      Self.named + [
        TraceEntry(file: 7, .write(offset: 0, bytes: [1, 2, 3])), TraceEntry(file: 7, .sync),
        TraceEntry(file: 7, .truncate(length: 1)), TraceEntry(file: 7, .truncate(length: 2)),
      ])
    #expect(disk.image(names: 0) { _, _ in true }["a"] == [1, 0])
    #expect(disk.image(names: 0) { change, _ in change == 1 }["a"] == [1, 2])
  }
}

@Suite struct `A trace` {
  /// An entry as the recorder writes it.
  private func entry(_ operation: UInt8, file: UInt8 = 0, offset: UInt8 = 0, _ bytes: [UInt8]) -> [UInt8] {
    [operation, file] + [UInt8](repeating: 0, count: 7) + [offset] + [UInt8](repeating: 0, count: 7)
      + [UInt8(bytes.count), 0, 0, 0] + bytes
  }

  @Test func `is read entry by entry`() throws {
    let bytes =
      entry(1, file: 3, Array("x".utf8)) + entry(2, file: 3, offset: 5, [1, 2]) + entry(3, file: 3, [])
      + entry(4, file: 3, offset: 9, []) + entry(5, Array("a\0b".utf8)) + entry(6, Array("b".utf8)) + entry(7, [])
      + entry(8, Array("hello".utf8))
    #expect(
      try Trace.entries(bytes) == [
        TraceEntry(file: 3, .name("x")), TraceEntry(file: 3, .write(offset: 5, bytes: [1, 2])),
        TraceEntry(file: 3, .sync), TraceEntry(file: 3, .truncate(length: 9)),
        TraceEntry(.rename(from: "a", to: "b")), TraceEntry(.unlink("b")), TraceEntry(.syncDirectory),
        TraceEntry(.note("hello")),
      ])
    for count in 1..<bytes.count {
      // Cut at the end of an entry it is a shorter trace, anywhere else it is none.
      _ = try? Trace.entries(Array(bytes[..<count]))
    }
    #expect(throws: TraceError.self) { try Trace.entries(Array(bytes.dropLast())) }
    #expect(throws: TraceError.self) { try Trace.entries(entry(9, [])) }
  }
}
