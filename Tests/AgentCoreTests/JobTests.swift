// What the agent makes of jobs as they come, and what diagnostics may hold.

import Discovery
import Events
import FoundationEssentials
import Jobs
import Replicator
import SNMP
import Settings
import Testing

@testable import AgentCore

@Suite struct JobOfferTests {
  private let id = [UInt8](repeating: 3, count: 16)
  private let device = [UInt8](repeating: 7, count: 16)

  private func offer(_ kind: HubJob.Kind?, milliseconds: Int64 = 60_000) throws -> JobOffer {
    try #require(JobOffer(HubJob(id: id, created: 5, millisecondsLeft: milliseconds, kind: kind)))
  }

  @Test func `a job of each kind becomes an order with its arguments`() throws {
    let known = try #require(DeviceID(device))
    let kinds: [(HubJob.Kind, JobOrder)] = [
      (.scanDevices(ranges: ["10.0.0.1"]), JobOrder(.scan, ranges: ["10.0.0.1"])),
      (.uploadReadings(devices: [device]), JobOrder(.upload, devices: [known])),
      (.processAlerts(devices: []), JobOrder(.alerts)),
      (.updateSettings(device: []), JobOrder(.settings)),
      (.updateSettings(device: device), JobOrder(.settings, devices: [known])),
      (.restart(standalone: true), JobOrder(.restart, option: "standalone")),
      (.restart(standalone: false), JobOrder(.restart, option: "queued")),
      (
        .openDevicePage(device: device, .init(user: "ann", reason: "a\njam", from: "10.0.0.9", seconds: 900)),
        JobOrder(
          .page, devices: [known], visit: .init(user: "ann", reason: "a jam", from: "10.0.0.9", seconds: 900))
      ),
      (.captureDiagnostics, JobOrder(.diagnostics)),
    ]
    for (kind, order) in kinds {
      let offer = try offer(kind)
      #expect(offer.order == order && offer.malformed == nil && offer.timeLeft == .seconds(60) && offer.created == 5)
    }
    #expect(try offer(nil).order == nil)
  }

  @Test func `what is no id is told of, and no number is too large`() throws {
    #expect(JobOffer(HubJob(id: [1, 2], created: 0, millisecondsLeft: 0, kind: .captureDiagnostics)) == nil)
    #expect(try offer(.uploadReadings(devices: [device, [1]])).malformed != nil)
    #expect(
      try offer(.openDevicePage(device: [1, 2, 3], .init(user: "", reason: "", from: "", seconds: 0))).malformed != nil)
    #expect(try offer(.captureDiagnostics, milliseconds: .max).timeLeft > JobOffer.timeLeftMax)
    #expect(try offer(.captureDiagnostics, milliseconds: .min).timeLeft == .zero)
    let many = try offer(.uploadReadings(devices: [[UInt8]](repeating: device, count: 100_000)))
    #expect(many.order?.devices.count == JobOffer.devicesMax + 1, "no more than shows that they are too many")
    #expect(try offer(.scanDevices(ranges: [String](repeating: "1", count: 9_999))).order?.ranges.count == 65)
  }
}

@Suite struct DiagnosticsTests {
  @Test func `the configuration is told without any secret`() throws {
    var configuration = AgentConfiguration()
    configuration.credentials["site"] = NamedCredential(
      name: "site", credential: .community(version: .v1, community: Array("s3cr3t-w0rd".utf8)))
    configuration.discovery.exclusions = [try .init("10.0.0.7", for: .exclusion)]
    let text = String(
      decoding: try JSONEncoder().encode(DiagnosedConfiguration(configuration)), as: UTF8.self)
    #expect(text.contains("\"site\"") && text.contains("10.0.0.7"))
    #expect(!text.contains("s3cr3t"))
  }

  @Test func `the log's end is kept, and no more than so much of it`() {
    let tail = LogTail()
    for number in 0..<20_000 { tail.add("line \(number) of a log that goes on and on\n") }
    let lines = tail.lines(bytesMax: LogTail.bytesMax)
    #expect(lines.last == "line 19999 of a log that goes on and on\n")
    let bytes = lines.reduce(0) { $0 + $1.utf8.count }
    #expect(bytes <= LogTail.bytesMax && bytes > LogTail.bytesMax / 2)
    #expect(tail.lines(bytesMax: 50).count == 1 && tail.lines(bytesMax: 0).isEmpty)
  }
}
