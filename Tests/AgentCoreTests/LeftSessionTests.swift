// Technicians' sessions that were open when the agent's process ended.

import Events
import Evidence
import Foundation
import Journal
import Logging
import Projections
import ReadModels
import Testing

@testable import AgentCore

@Suite struct LeftSessionTests {
  private let device = DeviceID([UInt8](repeating: 4, count: 16))!
  private let visit = JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: 900)

  private func job(_ number: UInt8) -> JobID { JobID([UInt8](repeating: number, count: 16))! }

  private func begins(_ job: JobID) -> [(DeviceID?, EventBody)] {
    [
      (
        nil,
        .jobReceived(
          JobReceived(id: job, order: JobOrder(.page, devices: [device], visit: visit), created: 1, deadline: 9_000_000)
        )
      ),
      (nil, .jobStarted(JobStarted(id: job))),
    ]
  }

  private func opens(_ job: JobID) -> [(DeviceID?, EventBody)] {
    begins(job) + [
      (
        device,
        .remoteSessionOpened(
          RemoteSessionOpened(job: job, visit: visit, address: "10.0.0.7", evidence: "serial X", targets: ["http:80"]))
      )
    ]
  }

  /// The journal of a process that was killed, and what the next one adds to it.
  private func added(to bodies: [(DeviceID?, EventBody)]) async throws -> [RemoteSessionClosed] {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let fold = FleetFold()
    let journal = try Journal.open(JournalConfiguration(directory: directory.path), fold: fold)
    for (index, body) in bodies.enumerated() {
      try await journal.append([try Event(time: Int64(1_000 * index), device: body.0, body.1).encoded()])
    }
    let before = try journal.reader.head().sequence
    await LeftSessions(fold.state.agent.jobs).close(in: journal, Logger(label: "test"))
    var closed: [RemoteSessionClosed] = []
    try journal.reader.scan(from: RecordPosition(epoch: 1, sequence: before + 1)) { view in
      let event = try Event(payload: view.payload)
      if case .remoteSessionClosed(let body) = event.body, event.device == device { closed.append(body) }
      return true
    }
    await journal.close()
    return closed
  }

  @Test func `a session that was left open is over, with what the journal has of it`() async throws {
    let id = job(9)
    let requests: [(DeviceID?, EventBody)] = [
      (device, .remoteRequestBegun(RemoteRequestBegun(job: id, method: "GET", path: "/", target: "http:80"))),
      (
        device,
        .remoteRequest(
          RemoteRequest(
            job: id, method: "GET", path: "/", status: 200, bytesSent: 2, bytesReceived: 30, target: "http:80", begun: 4
          ))
      ),
      (device, .remoteRequest(RemoteRequest(job: id, method: "GET", path: "/", status: 403, error: "target"))),
      (device, .remoteRequestBegun(RemoteRequestBegun(job: id, method: "GET", path: "/socket", target: "http:80"))),
      (device, .remoteRequestBegun(RemoteRequestBegun(job: job(8), method: "GET", path: "/", target: "http:80"))),
    ]
    #expect(
      try await added(to: opens(id) + requests) == [
        RemoteSessionClosed(
          job: id, reason: "stopping", message: "The agent's process ended while it was open.", requests: 3,
          bytesSent: 2, bytesReceived: 30, milliseconds: 4_000)
      ])
  }

  @Test func `one that was closed, and one that never was open, are left alone`() async throws {
    #expect(try await added(to: begins(job(9))).isEmpty)
    let closed: EventBody = .remoteSessionClosed(RemoteSessionClosed(job: job(9), reason: "time", message: ""))
    #expect(try await added(to: opens(job(9)) + [(device, closed)]).isEmpty)
    #expect(try await added(to: []).isEmpty)
    let both = try await added(to: opens(job(9)) + [(device, closed)] + opens(job(7)))
    #expect(both.map(\.job) == [job(7)] && both.first?.milliseconds == 0)
  }
}
