// Append, scan and verify of the journal.
//
// Its peer for append is tools/benchmarks/lmdb_append.c: plain C on LMDB with the same sizes, without hashes, tree or head.

internal import ArgumentParser
internal import Evidence
internal import Glibc
internal import Journal

struct JournalBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal", abstract: "Appends to a new journal, then scans and verifies it.")

  @Option(help: "A directory that does not exist yet, on the disk to measure.") var directory: String
  @Option(help: "Records a commit.") var batch = 50
  @Option(help: "Threads that append, each with one append at a time.") var callers = 1
  @Option(help: "Records in all.") var events = 100_000
  @Option(help: "Bytes of a payload.") var payload = 300
  @Option(help: "Records between two signed checkpoints.") var checkpointRecords = JournalLimits.checkpointRecords
  @Flag(help: "Measure append only.") var appendOnly = false
  @Flag(help: "Open the journal that is there, and append nothing.") var existing = false

  func validate() throws {
    guard (1...JournalLimits.appendRecordsMax).contains(batch), events > 0, checkpointRecords > 0,
      (1...64).contains(callers),
      (0...JournalLimits.payloadBytesMax).contains(payload)
    else { throw ValidationError("batch, events, payload or checkpoint-records are out of range") }
  }

  func run() async throws {
    let clock = ContinuousClock()
    if !existing {
      var configuration = JournalConfiguration(directory: directory)
      configuration.checkpointRecords = checkpointRecords
      let journal = try Journal.open(configuration)
      report("journal.append", batch: batch, events, try await clock.measure { try await append(to: journal) })
      await journal.close()
    }
    guard !appendOnly else { return }
    try await measureStart(clock)
    let start = clock.now
    let reader = try JournalReader.open(directory: directory)
    let head = try reader.head()
    print(#"{"benchmark":"journal.open","head":"\#(head)","seconds":\#(start.duration(to: clock.now).seconds)}"#)
    try measureReading(reader, clock)
  }

  /// The start of a writer as the agent's is: a child inspects the files first. Then what a damaged journal would cost.
  private func measureStart(_ clock: ContinuousClock) async throws {
    var configuration = JournalConfiguration(directory: directory)
    configuration.recovery = JournalRecovery { _ in [] }
    var journal: Journal?
    let start = try clock.measure { journal = try Journal.open(configuration) }
    print(#"{"benchmark":"journal.start","seconds":\#(start.seconds),"resident_bytes":\#(Self.residentBytes)}"#)
    await journal?.close()
    for isThorough in [false, true] {
      var report: InspectionReport?
      let time = clock.measure {
        report = JournalWorkerCommand.thisProgram.inspect(directory: directory, isThorough: isThorough)
      }
      guard report?.verdict == .sound else {
        throw ValidationError("the journal is not sound: \(String(describing: report))")
      }
      print(#"{"benchmark":"journal.inspect","thorough":\#(isThorough),"seconds":\#(time.seconds)}"#)
    }
  }

  /// The most that this process has had in memory so far.
  private static var residentBytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1_024
  }

  private func append(to journal: Journal) async throws {
    try await withThrowingTaskGroup { group in
      for caller in 0..<callers {
        let share = events / callers + (caller < events % callers ? 1 : 0)
        group.addTask { try await onOwnThread { try append(share, to: journal) } }
      }
      try await group.waitForAll()
    }
  }

  private func append(_ events: Int, to journal: Journal) throws {
    // An array each, as callers have them: one shared by all would have the threads fight over its reference count.
    let payloads = (0..<batch).map { _ in [UInt8](repeating: 0x5A, count: payload) }
    var left = events
    while left > 0 {
      let portion = min(left, batch)
      try journal.appendBlocking(portion == batch ? payloads : Array(payloads.prefix(portion)))
      left -= portion
    }
  }

  private func measureReading(_ reader: JournalReader, _ clock: ContinuousClock) throws {
    var count = 0
    var bytes = 0
    let scan = try clock.measure {
      try reader.scan { view in
        count += 1
        bytes += view.payload.count
        return true
      }
    }
    report("journal.scan", batch: nil, count, scan)
    let verify = try clock.measure {
      let verification = try JournalVerifier(reader).verify()
      guard verification.isSound, verification.records == UInt64(count) else {
        throw ValidationError("the journal that was just written does not verify: \(verification.findings)")
      }
    }
    report("journal.verify", batch: nil, count, verify)
    let statistics = try reader.statistics()
    let perRecord = Double(statistics.usedBytes) / Double(max(1, count))
    let perPage = Double(count) / Double(max(1, statistics.recordPages))
    print(
      #"{"benchmark":"journal.size","records":\#(count),"payload_bytes":\#(bytes),"file_bytes":\#(statistics.fileBytes),"#
        + #""bytes_per_record":\#(perRecord),"records_per_page":\#(perPage)}"#)
  }

  private func report(_ name: String, batch: Int?, _ events: Int, _ elapsed: Duration) {
    let rate = Int(Double(events) / max(elapsed.seconds, 1e-9))
    let batchField = batch.map { #""batch":\#($0),"# } ?? ""
    print(
      #"{"benchmark":"\#(name)",\#(batchField)"payload":\#(payload),"events":\#(events),"seconds":\#(elapsed.seconds),"#
        + #""events_per_second":\#(rate)}"#)
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
