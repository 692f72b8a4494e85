internal import ArgumentParser
internal import Evidence
internal import Journal
internal import OpenSSL
internal import ReadModels

struct Stat: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Prints records, epochs, head, bytes, cursors, the newest checkpoint and the newest that somebody countersigned.",
    discussion: """
      The root is the RFC 6962 tree hash over an epoch's records; a hub that holds the same records has the same root. --at gives the root that \
      the tree had at an earlier record, computed from the records, for comparison with a hub that does not hold the newest yet.

        ptjournal stat /var/lib/printtrail/journal
        ptjournal stat /var/lib/printtrail/journal --at 1/4711
        ptjournal stat /var/lib/printtrail/journal --output json | jq .epochs
      """)

  @OptionGroup var argument: JournalArgument
  @OptionGroup var format: OutputOption
  @Option(
    help: "Print the root of the tree up to this SEQUENCE or EPOCH/SEQUENCE instead.",
    transform: NumberedRecord.parsed)
  var at: NumberedRecord?

  func run() throws {
    let reader = try argument.open()
    try orExit {
      if let at { return try printRoot(reader, at) }
      let statistics = try reader.statistics()
      let foldVersion = try reader.snapshot().foldVersion
      let epochs = try reader.epochs()
      let frontiers = try epochs.map { try reader.frontier(epoch: $0.number) }
      let countersigned = try reader.lastCountersigned()
      let roots = frontiers.map { ($0.size, $0.root.hex) }
      switch format.output {
      case .json: Output.line(json(reader, statistics, foldVersion, epochs, roots, countersigned))
      case .text: Output.write(text(reader, statistics, foldVersion, epochs, roots, countersigned))
      }
    }
  }

  private func printRoot(_ reader: JournalReader, _ at: NumberedRecord) throws {
    let end = try at.position(reader)
    // A tree of no records has a root, too.
    if end.sequence == 0 { try reader.expectEpoch(end.epoch) } else { try reader.expectRecord(end) }
    var tree = try reader.base(epoch: end.epoch)
    guard tree.size <= end.sequence else {
      throw JournalError.removed(through: RecordPosition(epoch: end.epoch, sequence: tree.size))
    }
    try reader.scan(from: RecordPosition(epoch: end.epoch, sequence: tree.size + 1), through: end) { view in
      tree.append(view.computedLeafHash())
      return true
    }
    guard tree.size == end.sequence else {
      Output.complain(
        "The root at \(end) is not known: damage took records before it. ptjournal stat lists what was lost.")
      throw ExitCode(ExitStatus.noInput)
    }
    switch format.output {
    case .text: Output.write("\(end) \(tree.root.hex)\n")
    case .json:
      var json = JSONWriter()
      json.object { json in
        json.member("epoch", end.epoch)
        json.member("records", tree.size)
        json.member("root", tree.root.hex)
      }
      Output.line(json.take())
    }
  }

  private func text(
    _ reader: JournalReader, _ statistics: JournalStatistics, _ foldVersion: UInt32?, _ epochs: [JournalEpoch],
    _ roots: [(UInt64, String)], _ countersigned: StoredCheckpoint?
  ) -> String {
    var table = TextTable([.init(""), .init("")])
    table.add(["journal", reader.identity.hexID])
    if let key = try? reader.identity.verifier() { table.add(["key", key.description]) }
    table.add(["created", UTCTime.text(nanoseconds: reader.identity.created)])
    table.add(["records", String(statistics.records)])
    table.add(["head", statistics.head.description])
    for (epoch, root) in zip(epochs, roots) {
      let lost = (try? reader.lost(epoch: epoch.number)) ?? []
      let removed = epoch.firstSequence - 1
      table.add([
        "epoch \(epoch.number)",
        "\(counted(root.0, "record")), since \(UTCTime.text(nanoseconds: epoch.opened)): \(epoch.reason)",
      ])
      if removed > 0 { table.add(["  removed", "the first \(removed), by retention: the hub holds them"]) }
      table.add(["  root", lost.isEmpty ? root.1 : "not known: damage took records"])
      for range in lost { table.add(["  lost", range.description]) }
    }
    table.add(["file", "\(statistics.fileBytes) bytes, \(statistics.usedBytes) in use"])
    let perRecord = statistics.records == 0 ? 0 : statistics.recordPages * statistics.pageBytes / statistics.records
    table.add(["per record", "\(perRecord) bytes on disk"])
    table.add(["state", counted(statistics.stateRows, "row") + (foldVersion.map { " of fold version \($0)" } ?? "")])
    if foldVersion != FleetFold.currentVersion, let obstacle = LiveState.foldedByVersion(foldVersion).obstacle {
      table.add(["", "a replay cannot be compared with it: \(obstacle)"])
    }
    for cursor in statistics.cursors { table.add(["cursor \(cursor.name)", cursor.position.description]) }
    table.add(["checkpoint", statistics.checkpoint.map { "\($0.epoch)/\($0.size)" } ?? "none yet"])
    for name in statistics.checkpoint?.countersigners ?? [] { table.add(["", "countersigned by \(name)"]) }
    if let countersigned, countersigned != statistics.checkpoint {
      let names = countersigned.countersigners.joined(separator: " and ")
      table.add(["countersigned", "\(countersigned.epoch)/\(countersigned.size), by \(names)"])
    }
    table.add(["readers", String(statistics.readers)])
    return String(table.text.drop { $0 == "\n" })
  }

  private func json(
    _ reader: JournalReader, _ statistics: JournalStatistics, _ foldVersion: UInt32?, _ epochs: [JournalEpoch],
    _ roots: [(UInt64, String)], _ countersigned: StoredCheckpoint?
  ) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("journal", reader.identity.hexID)
      json.member("key", (try? reader.identity.verifier())?.description)
      json.member("created", UTCTime.text(nanoseconds: reader.identity.created))
      json.member("records", statistics.records)
      json.key("head")
      json.position(statistics.head)
      json.key("epochs")
      json.array(zip(epochs, roots)) { json, epoch in
        json.object { json in
          json.member("epoch", epoch.0.number)
          json.member("records", epoch.1.0)
          json.member("removed", epoch.0.firstSequence - 1)
          json.member("root", epoch.1.1)
          json.member("opened", UTCTime.text(nanoseconds: epoch.0.opened))
          json.member("reason", epoch.0.reason)
        }
      }
      json.member("fileBytes", statistics.fileBytes)
      json.member("usedBytes", statistics.usedBytes)
      json.member("recordBytes", statistics.recordPages * statistics.pageBytes)
      json.member("stateRows", statistics.stateRows)
      json.member("foldVersion", foldVersion)
      json.key("cursors")
      json.array(statistics.cursors) { json, cursor in
        json.object { json in
          json.member("name", cursor.name)
          json.member("epoch", cursor.position.epoch)
          json.member("sequence", cursor.position.sequence)
        }
      }
      if let checkpoint = statistics.checkpoint {
        json.key("checkpoint")
        json.object { json in
          json.member("epoch", checkpoint.epoch)
          json.member("size", checkpoint.size)
          json.member("note", String(decoding: checkpoint.note, as: UTF8.self))
          json.key("countersigners")
          json.array(checkpoint.countersigners) { $0.string($1) }
        }
      }
      if let countersigned {
        json.key("countersigned")
        json.object { json in
          json.member("epoch", countersigned.epoch)
          json.member("size", countersigned.size)
        }
      }
      json.member("readers", statistics.readers)
    }
    return json.take()
  }
}
