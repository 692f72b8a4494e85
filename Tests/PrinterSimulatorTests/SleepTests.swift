// Sleeping printers: what the first packet after a quiet time comes to.

import MIB
import SNMP
import Testing

@testable import PrinterSimulator

struct SleepTests {
  private static let request = Message(
    version: .v1, community: Array("public".utf8), pdu: PDU(.getNext, requestID: 1, names: [MIB2.system])
  ).encoded()

  /// The device after it has been idle for long enough, without a job.
  private func asleep(_ name: String) throws -> (device: Device, milliseconds: Int64) {
    var model = try Fixtures.model(name)
    model.usage.pagesPerDay = 0
    var plan = DevicePlan(address: try #require(HostAddress("127.30.0.1")), contents: .model(model))
    plan.name = "P1"
    var device = plan.device(seed: 3, keys: USMKeyCache())
    #expect(!device.isAsleep)
    let milliseconds = Int64(try #require(model.quirks.sleepAfterMinutes)) * 60_000
    device.advance(toMilliseconds: milliseconds)
    #expect(device.isAsleep)
    return (device, milliseconds)
  }

  @Test func `the first packet is lost and the second is answered`() throws {
    var (device, _) = try asleep("samsung-m4070")
    #expect(device.received(Self.request, now: .zero).isEmpty)
    #expect(device.received(Self.request, now: .milliseconds(10)).first?.delay == .zero)
  }

  @Test func `the first answer is late, and so are those asked for while it wakes`() throws {
    var (device, _) = try asleep("hp-laserjet-m507")
    #expect(device.received(Self.request, now: .seconds(100)).first?.delay == .seconds(3))
    #expect(device.received(Self.request, now: .seconds(101)).first?.delay == .seconds(2))
    #expect(device.received(Self.request, now: .seconds(104)).first?.delay == .zero)
  }

  @Test func `a printer that is asked keeps awake`() throws {
    var (device, milliseconds) = try asleep("hp-laserjet-m507")
    _ = device.received(Self.request, now: .zero)
    device.advance(toMilliseconds: milliseconds + milliseconds / 2)
    _ = device.received(Self.request, now: .seconds(10))
    device.advance(toMilliseconds: 2 * milliseconds)
    #expect(!device.isAsleep)
  }
}
