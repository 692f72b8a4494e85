internal import Glibc
internal import Testing

@testable import LMDB

@Suite struct `A data file that grows` {
  /// Between two looks at it a writer may make the file longer and say so in a meta page.
  @Test func `is never told to be too short`() async throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(
      at: directory.path, Environment.Options(access: .readWrite, mapBytes: 1 << 30, databases: ["a"]))
    let writer = Task.detached {
      for number in 0..<1_000 {
        let transaction = try environment.beginWrite()
        let key = [UInt8(number / 256), UInt8(number % 256)]
        try transaction.put(key, Array(repeating: 1, count: 40_000), into: environment.database("a"))
        try transaction.commit()
      }
    }
    let reader = Task.detached {
      var looks = 0
      while looks < 10_000 {
        if let fault = try DataFile.shortfall(directory: directory.path) { return "\(fault), look \(looks)" }
        looks += 1
      }
      return ""
    }
    #expect(try await reader.value == "")
    try await writer.value
  }
}

@Suite struct `A data file that is too short` {
  private let directory: TemporaryDirectory

  /// Made by LMDB, and cut by its last page.
  init() throws {
    directory = try TemporaryDirectory()
    let environment = try Environment.open(
      at: directory.path, Environment.Options(access: .readWrite, mapBytes: 1 << 30, databases: ["a"]))
    let transaction = try environment.beginWrite()
    for key in 0..<100 {
      try transaction.put([UInt8(key)], Array(repeating: 1, count: 1_000), into: environment.database("a"))
    }
    try transaction.commit()
    let pages = try DataFile(directory: directory.path)
    #expect(truncate(directory.path + "/data.mdb", pages.length - pages.pageBytes) == 0)
  }

  /// Says in both meta pages that so many more commits were made.
  private func commit(_ count: UInt64) throws {
    let file = try DataFile(directory: directory.path)
    for (page, meta) in file.metas.enumerated() {
      let next = try #require(meta).transaction + count
      try directory.overwrite(
        withUnsafeBytes(of: next) { Array($0) }, at: page * file.pageBytes + DataPage.headerBytes + 128, in: "data.mdb")
    }
  }

  @Test func `is told to be, also while a writer commits now and then`() throws {
    var commits: [UInt64] = [7, 2, 1]
    let fault = try DataFile.shortfall(directory: directory.path) {
      if !commits.isEmpty { try? commit(commits.removeFirst()) }
    }
    #expect(fault != nil && commits == [])
  }

  @Test func `is looked at a bounded number of times while it changes without end`() throws {
    var looks = 0
    let error = #expect(throws: LMDBError.self) {
      try DataFile.shortfall(directory: directory.path) {
        looks += 1
        try? commit(2)
      }
    }
    #expect(error?.kind == .changing && (2...100).contains(looks))
  }
}
