// Replay and verification of a fleet's journal, beside a plain scan of the same records.
//
// The journal is what a thousand printers make: nine polls of ten find little or nothing changed.

internal import ArgumentParser
internal import Events
internal import Evidence
internal import Journal
internal import ReadModels

struct ReplayBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Fills a journal with a fleet's events, then scans, verifies, replays and exports it.")

  @Option(help: "A directory that does not exist yet, on the disk to measure.") var directory: String
  @Option(help: "Devices in the fleet.") var devices = 1_000
  @Option(help: "Events in all.") var events = 1_000_000

  func validate() throws {
    guard (1...100_000).contains(devices), events >= devices else {
      throw ValidationError("Expected 1 to 100000 devices and at least as many events.")
    }
  }

  func run() async throws {
    try await fill()
    let reader = try JournalReader.open(directory: directory)
    let clock = ContinuousClock()
    var bytes = 0
    let scan = try clock.measure {
      try reader.scan { view in
        bytes += view.payload.count
        return true
      }
    }
    report("replay.scan", scan, extra: #","payload_bytes":\#(bytes)"#)
    report("replay.verify", try clock.measure { try expect(JournalVerifier(reader).verify().isSound, "verify") })
    report("replay.replay", try clock.measure { try expect(Replay.run(reader).isEqual == true, "replay") })
    var written = 0
    let export = try clock.measure { try Export(reader, ExportOptions()).lines { written += $0.count } }
    report("replay.export", export, extra: #","bytes":\#(written)"#)
  }

  private func fill() async throws {
    let journal = try Journal.open(JournalConfiguration(directory: directory), fold: FleetFold())
    var fleet = SyntheticFleet(devices: devices)
    var left = events
    while left > 0 {
      let portion = min(left, 500)
      try await journal.append((0..<portion).map { _ in try fleet.nextEvent().encoded() })
      left -= portion
    }
    await journal.close()
  }

  private func expect(_ condition: Bool, _ what: String) throws {
    guard condition else { throw ValidationError("\(what) of the journal that was just written failed") }
  }

  private func report(_ name: String, _ elapsed: Duration, extra: String = "") {
    let rate = Int(Double(events) / max(elapsed.seconds, 1e-9))
    print(
      #"{"benchmark":"\#(name)","events":\#(events),"devices":\#(devices),"seconds":\#(elapsed.seconds),"events_per_second":\#(rate)\#(extra)}"#
    )
  }
}
