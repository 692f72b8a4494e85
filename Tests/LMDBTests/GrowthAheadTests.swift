import Foundation
import Testing

@testable import LMDB

@Suite("Room made ahead") struct GrowthAheadTests {
  private let growth = GrowthAhead(limit: 1 << 30)

  @Test func `is an eighth of what is used, within bounds`() {
    #expect(growth.length(used: 40_000, file: 40_000) == 40_000 + GrowthAhead.stepBytesMin)
    #expect(growth.length(used: 8 << 20, file: 8 << 20) == 9 << 20)
    #expect(growth.length(used: 100 << 20, file: 100 << 20) == (100 << 20) + GrowthAhead.stepBytesMax)
  }

  @Test func `is made when a quarter of it is left`() {
    #expect(growth.length(used: 8 << 20, file: 9 << 20) == nil)
    #expect(growth.length(used: 8 << 20, file: (8 << 20) + (256 << 10)) == nil)
    #expect(growth.length(used: 8 << 20, file: (8 << 20) + (256 << 10) - 1) == 9 << 20)
  }

  @Test func `ends at the limit`() {
    let tight = GrowthAhead(limit: (8 << 20) + 4_096)
    #expect(tight.length(used: 8 << 20, file: 8 << 20) == (8 << 20) + 4_096)
    #expect(tight.length(used: 9 << 20, file: 9 << 20) == nil)
  }

  @Test func `is blank pages that commits write over, and damage when they are zeroed`() throws {
    let directory = try TemporaryDirectory()
    let environment = try Environment.open(
      at: directory.path, .init(access: .readWrite, mapBytes: 1 << 24, databases: ["rows"]))
    for row in 0..<200 {
      let transaction = try environment.beginWrite()
      try transaction.makeRoom(growth)
      try transaction.put(
        Array("row \(1_000 + row)".utf8), Array(repeating: UInt8(row), count: 20_000),
        into: environment.database("rows"), appending: true)
      try transaction.commit()
    }
    let file = try DataFile(directory: directory.path)
    let used = try environment.fileBytes() / file.pageBytes
    #expect(used > 30)
    #expect(file.pages > used)
    for number in 2..<UInt64(used) { #expect(file.page(number)?.isBlank == false) }
    for number in UInt64(used)..<file.pages { #expect(file.page(number)?.isBlank == true) }
    // Pages that a removal freed make no sense to `isSensible`, blank ones do.
    #expect(file.isSensible(but: []))
    let data = try FileHandle(forUpdating: URL(fileURLWithPath: directory.path + "/data.mdb"))
    try data.seek(toOffset: UInt64(used * file.pageBytes))
    try data.write(contentsOf: Data(count: file.pageBytes))
    #expect(!(try DataFile(directory: directory.path)).isSensible(but: []))
  }
}
