internal import LMDB
internal import Testing

@Suite struct `A transaction` {
  private let directory: TemporaryDirectory
  private let environment: LMDB.Environment
  private let database: Database

  init() throws {
    directory = try TemporaryDirectory()
    environment = try Environment.open(
      at: directory.path, Environment.Options(access: .readWrite, mapBytes: 1 << 30, databases: ["a"]))
    database = environment.database("a")
  }

  private func put(_ keys: [[UInt8]]) throws {
    let transaction = try environment.beginWrite()
    for key in keys { try transaction.put(key, key.reversed(), into: database) }
    try transaction.commit()
  }

  @Test func `leaves nothing when it is aborted or goes out of scope`() throws {
    let first = try environment.beginWrite()
    try first.put([1], [1], into: database)
    first.abort()
    do {
      let second = try environment.beginWrite()
      try second.put([2], [2], into: database)
    }
    let read = try environment.beginRead()
    #expect(try read.value(of: [1], in: database) == nil)
    #expect(try read.value(of: [2], in: database) == nil)
  }

  @Test func `for reading sees the state it began with`() throws {
    let before = try environment.beginRead()
    try put([[1]])
    #expect(try before.value(of: [1], in: database) == nil)
    #expect(try environment.beginRead().value(of: [1], in: database) == [1])
  }

  @Test func `replaces and deletes`() throws {
    try put([[1], [2]])
    let transaction = try environment.beginWrite()
    try transaction.put([1], [9], into: database)
    #expect(try transaction.delete([2], from: database))
    #expect(try !transaction.delete([2], from: database))
    try transaction.commit()
    let read = try environment.beginRead()
    #expect(try read.value(of: [1], in: database) == [9])
    #expect(try read.value(of: [2], in: database) == nil)
  }

  @Test func `appends only behind the last key`() throws {
    try put([[5]])
    let transaction = try environment.beginWrite()
    try transaction.put([6], [], into: database, appending: true)
    let error = #expect(throws: LMDBError.self) { try transaction.put([4], [], into: database, appending: true) }
    #expect(error?.kind == .keyExists)
  }

  @Test(arguments: [[], [UInt8](repeating: 1, count: Environment.keyBytesMax + 1)])
  func `refuses an empty or too long key`(key: [UInt8]) throws {
    let transaction = try environment.beginWrite()
    let error = #expect(throws: LMDBError.self) { try transaction.put(key, [], into: database) }
    #expect(error?.kind == .sizeRefused)
  }

  @Test func `lets an appender write values in place, in order only`() throws {
    let transaction = try environment.beginWrite()
    try transaction.withAppender(database) { appender in
      for key in UInt8(1)...200 {
        try [key].withUnsafeBytes {
          try appender.append($0, valueByteCount: 100) { $0.initializeMemory(as: UInt8.self, repeating: key) }
        }
      }
      let error = #expect(throws: LMDBError.self) {
        try [UInt8(3)].withUnsafeBytes { try appender.append($0, valueByteCount: 1) { _ in } }
      }
      #expect(error?.kind == .keyExists)
    }
    try transaction.commit()
    let read = try environment.beginRead()
    for key in UInt8(1)...200 {
      #expect(try read.value(of: [key], in: database) == Array(repeating: key, count: 100))
    }
    #expect(try read.statistics(of: database).leafPages == (200 + 36) / 37, "pages are packed full")
  }

  @Test func `moves a cursor both ways and to the first key not before another`() throws {
    try put([[1, 1], [2], [2, 0], [3]])
    let read = try environment.beginRead()
    var seen: [[UInt8]] = []
    try read.withCursor(database) { cursor in
      while try cursor.next() { seen.append(Array(cursor.key)) }
      #expect(cursor.key.isEmpty)
      #expect(try cursor.seek([2, 0]))
      #expect(Array(cursor.value) == [0, 2])
      #expect(try cursor.previous())
      #expect(Array(cursor.key) == [2])
      #expect(try cursor.seek([2, 1]))
      #expect(Array(cursor.key) == [3])
      #expect(try !cursor.seek([4]))
      #expect(try cursor.seek(before: [2, 0]))
      #expect(Array(cursor.key) == [2])
      #expect(try cursor.seek(before: [9]))
      #expect(Array(cursor.key) == [3])
      #expect(try !cursor.seek(before: [1]))
      #expect(try cursor.first())
      #expect(Array(cursor.key) == [1, 1])
      #expect(try cursor.last())
      #expect(Array(cursor.key) == [3])
    }
    #expect(seen == [[1, 1], [2], [2, 0], [3]])
  }
}
