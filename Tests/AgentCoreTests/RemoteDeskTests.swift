// Sessions at an address where somebody finds another device.

import Discovery
import Enrolment
import Events
import Evidence
import Foundation
import Journal
import Logging
import PrinterModel
import Projections
import ReadModels
import RemoteTechnician
import Settings
import Testing

@testable import AgentCore

@Suite struct RemoteDeskTests {
  private let device = DeviceID([UInt8](repeating: 1, count: 16))!
  private let other = DeviceID([UInt8](repeating: 2, count: 16))!
  private let here = IPv4Address("10.0.0.7")!
  private let there = IPv4Address("10.0.0.8")!

  private func job(_ number: UInt8) -> JobID { JobID([UInt8](repeating: number, count: 16))! }

  private func told(serial: String? = nil, mac: [UInt8]? = nil) -> DeviceIdentity {
    var identity = DeviceIdentity()
    identity.serial = serial.map { DeviceText($0) }
    identity.macAddress = mac
    return identity
  }

  /// A desk that knows two devices, with what it tells its status.
  private func withDesk(_ body: (RemoteDesk, Journal, StatusBoard) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let fold = FleetFold()
    let journal = try Journal.open(JournalConfiguration(directory: directory.path + "/journal"), fold: fold)
    let (logger, board) = (Logger(label: "test"), StatusBoard())
    for (id, address, serial) in [(device, here, "VCF9Z01234"), (other, there, "VCF9Z09999")] {
      let found = DeviceDiscovered(
        address: "\(address):161", identity: told(serial: serial, mac: [0, 1, 2, 3, 4, id.bytes[0]]),
        credential: "public")
      try await journal.append([try Event(time: 1, device: id, .deviceDiscovered(found)).encoded()])
    }
    let configuration = try AgentConfiguration.parse("[remote]\nenabled = true", file: "x")
    let keeper = SettingsKeeper(configuration, past: fold.state.agent, journal: journal, board: board, logger: logger)
    let identity = IdentityWatcher(
      store: IdentityStore(stateDirectory: directory.path), keeper: keeper, journal: journal, board: board,
      logger: logger)
    try await body(
      RemoteDesk(
        configured: { configuration }, identity: identity, desk: CollectorDesk(), fold: fold, journal: journal,
        board: board, logger: logger), journal, board)
    await journal.close()
  }

  private func session(
    _ number: UInt8, with device: DeviceID, at address: IPv4Address, _ journal: Journal
  ) throws -> RemoteSession {
    RemoteSession(
      RemoteOrder(
        job: job(number), visit: JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: 900),
        rules: try TargetRules(device: device, address: address, ports: [80], own: []), evidence: "serial X",
        targets: ["http:80"], names: [], allowsOldTLS: false), limits: RemoteLimits(),
      pins: CertificatePins(pinned: [:], standing: []), journal: RemoteRecords(journal: journal))
  }

  @Test func `who finds another device at an address ends every session there`() async throws {
    try await withDesk { desk, journal, _ in
      let (first, elsewhere) = (
        try session(1, with: device, at: here, journal), try session(2, with: other, at: there, journal)
      )
      for session in [first, elsewhere] {
        try desk.begin(session.order.job)
        try desk.take(session)
      }
      try desk.begin(job(3))
      #expect(try desk.recognise(device, told(serial: "VCF9Z01234"), at: here, for: job(3)) == "serial VCF9Z01234")
      #expect(first.ended == nil)
      // What tells nothing of itself shows nothing.
      #expect(throws: RemoteNotOpened.self) { try desk.recognise(device, told(), at: here, for: job(3)) }
      #expect(first.ended == nil)
      let error = #expect(throws: RemoteNotOpened.self) {
        try desk.recognise(device, told(serial: "VCF9Z77777"), at: here, for: job(3))
      }
      let words =
        "Another device answers at 10.0.0.7: it tells the serial number VCF9Z77777, and this one has VCF9Z01234."
      #expect(error?.description == words)
      #expect(first.ended == RemoteEnd(.device, words) && elsewhere.ended == nil)
      #expect(throws: RemoteNotOpened.self) {
        try desk.recognise(other, told(mac: [8, 9, 9, 9, 9, 9]), at: there, for: job(3))
      }
      #expect(elsewhere.ended?.reason == .device)
    }
  }

  @Test func `a session that is being opened there never begins`() async throws {
    try await withDesk { desk, journal, _ in
      for number in [UInt8(1), 2] { try desk.begin(job(number)) }
      _ = try desk.recognise(device, told(serial: "VCF9Z01234"), at: here, for: job(1))
      #expect(throws: RemoteNotOpened.self) {
        try desk.recognise(device, told(serial: "VCF9Z77777"), at: here, for: job(2))
      }
      let session = try session(1, with: device, at: here, journal)
      let error = #expect(throws: RemoteNotOpened.self) { try desk.take(session) }
      #expect(error?.description.hasPrefix("Another device answers at 10.0.0.7") == true)
      #expect(desk.sessions.isEmpty && desk.opening == 1)
    }
  }

  @Test func `the status says how many are open`() async throws {
    try await withDesk { desk, journal, board in
      #expect(board.snapshot.remoteSessions == 0)
      try desk.begin(job(1))
      try desk.take(try session(1, with: device, at: here, journal))
      #expect(board.snapshot.remoteSessions == 1)
    }
  }

  @Test func `the jobs that an agent lists say who wanted to see a page`() async throws {
    try await withDesk { _, journal, _ in
      let visit = JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: 900)
      let order = JobOrder(.page, devices: [device], visit: visit)
      let bodies: [EventBody] = [
        .jobRefused(JobRefused(id: job(1), .notPermitted, "It is excluded.", of: order, deadline: 9)),
        .jobReceived(JobReceived(id: job(2), order: order, created: 1, deadline: 9)),
        .jobRefused(JobRefused(id: job(3), .busy, "Too many.", of: JobOrder(.upload, devices: [device]), deadline: 9)),
      ]
      for body in bodies { try await journal.append([try Event(time: 2, body).encoded()]) }
      let entries = try JobHistory(journal.reader, jobsMax: 9).entries
      let page = "page 01010101 for anna from 198.51.100.7: jam"
      #expect(entries.map(\.what) == [page, page, "upload"])
    }
  }
}
