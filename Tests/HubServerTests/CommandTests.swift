// What `pthub` prints and how it ends, as a process.

internal import Foundation
@testable internal import HubDatabase
@testable internal import HubServer
internal import TestPrograms
internal import Testing

private let binaries = ProcessInfo.processInfo.environment["PT_BIN"]

/// A hub's directory for commands.
private struct Commands {
  let test: TestConsole

  init() async throws {
    test = try await TestConsole()
    // The console's store, where commands look for it.
    let database = test.place.path + "/hub/hub.sqlite"
    for file in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: database + file) }
    try FileManager.default.createSymbolicLink(atPath: database, withDestinationPath: test.address)
  }

  func run(_ arguments: String...) async throws -> (status: Int32, output: String, errors: String) {
    try await run(arguments)
  }

  func run(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
    let finished = try await ChildProgram.running(
      (binaries ?? "") + "/pthub", arguments + ["--directory", test.place.path + "/hub"])
    return (finished.status, finished.output, finished.errors)
  }

  func change(_ sql: String) async throws { try await test.store.write { _ = try $0.execute(sql) } }
}

@Suite(.enabled(if: binaries != nil, "set PT_BIN to the directory of the built programs"))
struct `Commands of pthub` {
  private static let lists: [(arguments: [String], header: String)] = [
    (["user", "list"], "name,displayName,roles,entity,created,passwordChanged,lastLogin,disabled"),
    (["remote", "list"], "session,user,device,state,created,ends,reason"),
    (["audit"], "time,action,subject,peer,detail"),
    (["code", "list"], "number,entity,state,uses,usesMax,created,expires"),
    (
      ["install", "list"],
      "id,entity,hostName,operatingSystem,agentVersion,enrolled,seen,revoked,replacedBy,doubted,doubt,condition,conditionSince,reasons"
    ),
    (["settings", "history"], "number,time,author,target,key,before,value"),
  ]

  @Test func `print the names of the columns of a list in which nothing is`() async throws {
    let place = try TestDirectory()
    _ = try HubDirectory.create(at: place.path + "/hub", names: [])
    for (arguments, header) in Self.lists {
      let finished = try await ChildProgram.running(
        (binaries ?? "") + "/pthub", arguments + ["--output", "csv", "--directory", place.path + "/hub"])
      #expect(finished.status == 0 && finished.output == header + "\n", "\(arguments): \(finished)")
    }
    let commands = try await Commands()
    let records = ["record", "list", "--install", commands.test.berlin.install.id, "--output", "csv"]
    #expect(
      try await commands.run(records).output == "kind,epoch,sequence,hash,heldHash,payloadBytes,reason,received\n")
  }

  @Test func `have every member of a line in its columns`() async throws {
    let commands = try await Commands()
    for (arguments, header) in Self.lists where !["remote", "settings"].contains(arguments[0]) {
      let json = try await commands.run(arguments + ["--output", "json"]).output
      let lines = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
      let names = header.split(separator: ",").map(String.init)
      #expect(!lines.isEmpty && lines.allSatisfy { Set($0.keys).isSubset(of: names) }, "\(arguments): \(json)")
      let csv = try await commands.run(arguments + ["--output", "csv"]).output.split(separator: "\n")
      #expect(csv.first.map(String.init) == header && csv.count == lines.count + 1, "\(arguments)")
    }
  }

  @Test func `guard what a spreadsheet would calculate, and leave numbers and their keys as they are`() async throws {
    let commands = try await Commands()
    try await commands.change("UPDATE alert SET key = '-1.1.1', description = '=1+1' WHERE description LIKE '%Berlin'")
    try await commands.change("UPDATE alert SET key = '-', description = '-1e3' WHERE description LIKE '%Other'")
    let csv = try await commands.run("export", "alerts", "--output", "csv").output
    #expect(csv.contains(",-1.1.1,critical,'=1+1,") && csv.contains(",'-,critical,'-1e3,"), "\(csv)")
  }

  @Test func `name the devices that one serial number means, and take the id`() async throws {
    let commands = try await Commands()
    let test = commands.test
    try await commands.change("UPDATE device SET serial = 'SN'")
    let several = try await commands.run("device", "show", "SN")
    #expect(several.status == 64 && several.errors.contains("'SN' are 2 devices"), "\(several)")
    for holding in [test.berlin, test.other] {
      #expect(several.errors.contains("\(holding.device)  Kyocera TASKalfa SN, of \(holding.name)"), "\(several)")
    }
    #expect(try await commands.run("device", "show", test.berlin.device).status == 0)
    #expect(try await commands.run("device", "show", "SN", "--entity", "Other").status == 0)
  }

  @Test func `take the beginning of an install's id`() async throws {
    let commands = try await Commands()
    let (one, other) = (commands.test.berlin.install, commands.test.other.install)
    let (short, otherShort) = (String(one.id.prefix(13)), String(other.id.prefix(13)))
    _ = try await commands.test.store.doubt(one.number, "twice", peer: "", now: commands.test.clock.now)
    #expect(try await commands.run("install", "settle", short).status == 0)
    #expect(try await commands.test.store.remarks()[one.number]?.doubtedAt == nil)
    let apart = try await commands.run("install", "replace", short, "--by", otherShort)
    #expect(apart.status == 64 && apart.errors.contains("two entities"), "\(apart)")
    #expect(try await commands.run("install", "revoke", "nothing").status == 65)
    #expect(try await commands.run("install", "revoke", short, "--certificate", "cert-1").status == 0)
    #expect(try await commands.run("install", "revoke", otherShort).status == 0)
    let revoked = try await commands.test.store.installs().filter { $0.revokedAt != nil }
    #expect(revoked.map(\.id) == [other.id])
  }

  @Test func `create no job for an entity without an agent, and say so`() async throws {
    let commands = try await Commands()
    try await commands.test.store.addEntity(named: "Empty", now: commands.test.clock.now)
    let none = try await commands.run("job", "create", "scan", "--entity", "Empty")
    #expect(none.status == 65 && none.errors.contains("No job was created"), "\(none)")
  }

  @Test func `cut a long name in a table alone`() async throws {
    let commands = try await Commands()
    let name = String(repeating: "n", count: 256)
    try await commands.change("UPDATE install SET host_name = '\(name)'")
    let sentence = "One that is longer than a table's names may be, because whoever reads it has to know all of it."
    try await commands.change("UPDATE alert SET description = '\(sentence.replacing("'", with: "''"))'")
    #expect(try await commands.run("alert", "list").output.contains(sentence))
    for list in [["install", "list"], ["job", "list"], ["alert", "list"]] {
      let table = try await commands.run(list).output
      #expect(table.split(separator: "\n").allSatisfy { $0.count < 260 }, "\(table)")
      for format in ["json", "csv"] {
        #expect(try await commands.run(list + ["--output", format]).output.contains(name), "\(list) \(format)")
      }
    }
  }

  @Test func `tell settings before and after, and where only the agent knows`() async throws {
    let commands = try await Commands()
    let short = String(commands.test.berlin.install.id.prefix(13))
    #expect(try await commands.run("settings", "set", "--install", short, "alerts.low_supply=12").status == 0)
    let history = try await commands.run("settings", "history").output
    let titles = history.split(separator: "\n").first?.split(separator: " ") ?? []
    #expect(titles.suffix(2) == ["BEFORE", "AFTER"], "\(history)")
    let explained = try await commands.run("settings", "explain", "--install", short).output
    let line = explained.split(separator: "\n").first { $0.hasPrefix("poll.interval") } ?? ""
    #expect(line.contains(" default ") && line.hasSuffix("  this, or what its own file says"), "\(explained)")
    #expect(explained.contains("`ptagent config explain` there tells"))
  }

  @Test func `retire a device, and take that back`() async throws {
    let commands = try await Commands()
    // The console's clock is ahead of the command's.
    try await commands.change("UPDATE sighting SET last_read_at = 1")
    #expect(try await commands.run("device", "retire", "SN1").status == 64)
    let retired = try await commands.run("device", "retire", "SN1", "--reason", "scrapped")
    #expect(retired.status == 0 && retired.output.contains("next reading"), "\(retired)")
    #expect(try await commands.run("device", "list", "--entity", "Acme").output.contains(" retired "))
    #expect(try await commands.run("alert", "list", "--entity", "Acme").output == "No alert is open.\n")
    #expect(try await commands.run("audit", "--action", "device.").output.contains("scrapped"))
    #expect(try await commands.run("device", "retire", "SN1", "--undo").output == "It is retired no more.\n")
    #expect(try await commands.run("device", "list", "--entity", "Acme").output.contains(" read "))
  }
}
