internal import LMDB
internal import Testing

@Suite struct `An environment` {
  private let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  private func open(
    _ access: LMDB.Environment.Access = .readWrite, mapBytes: Int? = 1 << 30, databases: [String] = ["a", "b"]
  ) throws -> LMDB.Environment {
    try Environment.open(
      at: directory.path, Environment.Options(access: access, mapBytes: mapBytes, databases: databases))
  }

  @Test func `is made with files that only their owner may read`() throws {
    _ = try open()
    #expect(directory.mode(of: "data.mdb") == 0o600)
    #expect(directory.mode(of: "lock.mdb") == 0o600)
  }

  @Test func `is opened once in a process`() throws {
    let first = try open()
    let second = try open()
    #expect(first === second)
  }

  @Test func `is closed with its last reference and opens again`() throws {
    do {
      let environment = try open()
      let transaction = try environment.beginWrite()
      try transaction.put([1], [2], into: environment.database("a"))
      try transaction.commit()
    }
    let environment = try open(.readOnly, mapBytes: nil)
    #expect(try environment.beginRead().value(of: [1], in: environment.database("a")) == [2])
  }

  @Test func `open for reading becomes writable when a writer opens it`() throws {
    _ = try open()
    let reader = try open(.readOnly, mapBytes: nil)
    #expect(throws: LMDBError.self) { try reader.beginWrite().abort() }
    let writer = try open(.readWrite)
    #expect(reader === writer)
    try reader.beginWrite().abort()
  }

  @Test func `refuses other databases while it is open`() throws {
    let environment = try open()
    let error = #expect(throws: LMDBError.self) { try open(databases: ["c"]) }
    #expect(error?.kind == .openedDifferently)
    _ = environment.path
  }

  @Test func `notices that its file was replaced`() throws {
    let environment = try open()
    try directory.remove("data.mdb")
    try directory.write([], to: "data.mdb")
    let error = #expect(throws: LMDBError.self) { try open() }
    #expect(error?.kind == .openedDifferently)
    _ = environment.path
  }

  @Test func `that is missing, a file or garbage is refused with its kind`() throws {
    try directory.write([1], to: "file")
    func kind(at path: String) -> LMDBError.Kind? {
      do throws(LMDBError) {
        _ = try Environment.open(at: path, Environment.Options(access: .readWrite, databases: ["a"]))
        return nil
      } catch { return error.kind }
    }
    #expect(kind(at: directory.path + "/none") == .missing)
    #expect(kind(at: directory.path + "/file") == .notADirectory)
    try directory.write([UInt8](repeating: 0xA5, count: 16_384), to: "data.mdb")
    #expect(kind(at: directory.path) == .notAnEnvironment)
  }

  @Test func `of another LMDB version is refused as such`() throws {
    _ = try open()
    // Each meta page: 16 bytes of page header, the magic number, then the version (mdb.c, MDB_meta).
    for page in [0, 4096] { try directory.overwrite([9, 0, 0, 0], at: page + 20, in: "data.mdb") }
    let error = #expect(throws: LMDBError.self) { try open() }
    #expect(error?.kind == .formatVersion)
    #expect(error?.description.contains("use the version of the program that wrote it") == true)
  }

  @Test func `gives the pages that were read back, and reads on`() throws {
    let environment = try open()
    let database = environment.database("a")
    let write = try environment.beginWrite()
    for key in UInt8.min...UInt8.max { try write.put([key], [UInt8](repeating: key, count: 8_192), into: database) }
    try write.commit()
    func readAll() throws {
      let transaction = try environment.beginRead()
      for key in UInt8.min...UInt8.max {
        let value = try transaction.value(of: [key], in: database)
        #expect(value == [UInt8](repeating: key, count: 8_192))
      }
      transaction.end()
    }
    try readAll()
    #expect(try directory.mappedBytes(of: "data.mdb") > 2_000_000)
    #expect(environment.giveBackPages() == 1 << 30)
    #expect(try directory.mappedBytes(of: "data.mdb") == 0)
    try readAll()
  }

  @Test func `without the database asked for is refused to a reader`() throws {
    _ = try open()
    let error = #expect(throws: LMDBError.self) { try open(.readOnly, mapBytes: nil, databases: ["missing"]) }
    #expect(error?.kind == .databaseMissing)
  }

  @Test func `does not open again while a transaction is open, and does after`() throws {
    let environment = try open()
    let transaction = try environment.beginRead()
    let error = #expect(throws: LMDBError.self) { try environment.reopen(waitingAtMost: .zero) }
    #expect(error?.kind == .busy)
    transaction.end()
    try environment.reopen(waitingAtMost: .zero)
    let write = try environment.beginWrite()
    try write.put([1], [1], into: environment.database("b"))
    try write.commit()
    #expect(try environment.beginRead().value(of: [1], in: environment.database("b")) == [1])
  }

  @Test func `that is full keeps what was committed and goes on with what fits`() throws {
    let environment = try open(mapBytes: 128 << 10)
    let database = environment.database("a")
    let first = try environment.beginWrite()
    try first.put([1], [1], into: database)
    try first.commit()
    let error = #expect(throws: LMDBError.self) {
      let transaction = try environment.beginWrite()
      try transaction.put([2], [UInt8](repeating: 0, count: 200_000), into: database)
      try transaction.commit()
    }
    #expect(error?.kind == .mapFull)
    let third = try environment.beginWrite()
    try third.put([3], [3], into: database)
    try third.commit()
    let read = try environment.beginRead()
    #expect(try read.value(of: [1], in: database) == [1])
    #expect(try read.value(of: [2], in: database) == nil)
    #expect(try read.value(of: [3], in: database) == [3])
  }

  @Test func `counts its readers and its free pages`() throws {
    let environment = try open()
    let database = environment.database("a")
    let fill = try environment.beginWrite()
    for key in UInt8(0)..<100 { try fill.put([key], [UInt8](repeating: key, count: 1_000), into: database) }
    try fill.commit()
    #expect(try environment.statistics().readers == 0)
    let reader = try environment.beginRead()
    #expect(try environment.statistics().readers == 1)
    let freeBefore = try reader.freePages()
    #expect(try reader.statistics(of: database).entries == 100)
    reader.end()
    let empty = try environment.beginWrite()
    try empty.empty(database)
    try empty.commit()
    #expect(try environment.beginRead().freePages() >= freeBefore + 25)
    #expect(try environment.clearDeadReaders() == 0)
  }
}
