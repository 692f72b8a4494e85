// Whether what answers at two addresses at one time is one device. Neither a serial number nor a MAC tells by itself: two devices may have the same one,
// from a maker's mistake or a technician's. One device with two interfaces and two devices differ in this:
//
//     another serial number                                             -> another device
//     the same serial number and the same MAC                           -> the same device
//     another MAC, and it was started at the same moment with as
//       good as the same total                                          -> the same device with two interfaces
//     the same serial number, or else the same MAC or UUID, and neither
//       two makes or models, nor moments of starting that differ, nor
//       totals of one counter that cannot be one count                  -> the same device
//     with any of these                                                 -> two devices: makers give one MAC to print servers, and firmware that was
//                                                                          cloned gives one UUID
//     another MAC, and either differs or is not told                    -> two devices with one serial number

package import Discovery
internal import Events
package import MIB
package import PrinterModel

/// What a device can be recognised by at one moment.
package struct Sign: Equatable, Sendable {
  /// sysUpTime runs by the device's clock, and the two are read some seconds apart.
  private static let startTolerance: Int64 = 10_000
  /// What shows two starts: requests that were lost, or that woke the device, make one of them seem earlier by up to so much.
  private static let startsApart: Int64 = 60_000
  /// Between the two readings the device goes on printing: 200 pages a minute for a quarter of one.
  private static let totalTolerance: UInt64 = 50

  package var identity: DeviceIdentity?
  /// When it was started, by our clock: milliseconds since 1970 UTC.
  package var started: Int64?
  /// Whether that is what SNMP says: a printer may have begun to serve IPP at another moment.
  package var isStartOfSNMP = true
  package var total: UInt64?
  /// Where the total was read: two addresses may be read in two ways.
  package var totalSource: ObjectIdentifier?

  package init(
    identity: DeviceIdentity?, started: Int64? = nil, total: UInt64? = nil,
    totalSource: ObjectIdentifier? = nil
  ) {
    self.identity = identity
    self.started = started
    self.total = total
    self.totalSource = totalSource
  }

  /// - Parameter time: when the outcome came, in milliseconds since 1970 UTC.
  package init(_ outcome: PollOutcome, at time: Int64) {
    guard case .reading(let poll) = outcome.result else {
      self.init(identity: nil)
      return
    }
    let total = poll.reading.meters.first { $0.name == .total && $0.quality.isNumber }
    let uptime = poll.reading.detectors.uptimeTicks.flatMap { Int64(exactly: $0) }
    self.init(
      identity: poll.reading.identity,
      started: uptime.flatMap { ticks in
        let (milliseconds, isBeyond) = ticks.multipliedReportingOverflow(by: 10)
        // Uptime is asked for first, and `time` is when all was read.
        return isBeyond ? nil : time - Int64(outcome.cost.milliseconds) - milliseconds
      },
      total: total?.value, totalSource: total?.source.name)
    isStartOfSNMP = poll.walk[MIB2.sysUpTime] != nil
  }

  /// What the other one, which answers at `endpoint`, is to this one.
  package func compared(with other: Sign, at endpoint: Endpoint) -> DeviceRegistry.Elsewhere {
    guard let identity, let there = other.identity else { return .silent }
    let (mac, macThere) = (identity.comparableMAC, there.comparableMAC)
    guard let serial = identity.comparableSerial, let serialThere = there.comparableSerial else {
      if let mac, let macThere {
        guard mac == macThere else { return .silent }
        return same(there, other, "MAC \(mac.macText)", at: endpoint)
      }
      // All that a printer without SNMP may say of itself.
      guard let uuid = identity.comparableUUID, uuid == there.comparableUUID else { return .silent }
      return same(there, other, "UUID \(uuid)", at: endpoint)
    }
    guard serial == serialThere else { return .silent }
    guard let mac, let macThere else { return same(there, other, "serial \(serial)", at: endpoint) }
    guard mac != macThere else { return .same("") }
    if let started, let startedThere = other.started, (started - startedThere).magnitude <= Self.startTolerance,
      let total, let totalThere = other.total, max(total, totalThere) - min(total, totalThere) <= Self.totalTolerance
    {
      return .same("started at the same moment, with totals of \(total) and \(totalThere)")
    }
    return .another(
      "serial \(serial) is also told at \(endpoint), by MAC \(macThere.macText) and not \(mac.macText): two devices"
    )
  }

  /// The same device by what both tell, unless something shows that they are two.
  private func same(
    _ there: DeviceIdentity, _ other: Sign, _ shared: String, at endpoint: Endpoint
  ) -> DeviceRegistry.Elsewhere {
    guard let words = contradiction(there, other) else { return .same("") }
    return .another("\(shared) is also told at \(endpoint), by another device: \(words)")
  }

  /// What shows that this and the other one, which tell the same, are two devices.
  private func contradiction(_ there: DeviceIdentity, _ other: Sign) -> String? {
    if let make = identity?.make, let makeThere = there.make, make.lowercased() != makeThere.lowercased() {
      return "\(makeThere) and not \(make)"
    }
    if let words = there.modelContradiction(identity ?? DeviceIdentity()) { return words }
    if let started, let startedThere = other.started, isStartOfSNMP == other.isStartOfSNMP,
      (started - startedThere).magnitude > Self.startsApart
    {
      return "started \((started - startedThere).magnitude / 1_000) s apart"
    }
    guard let total, let totalThere = other.total, totalSource == other.totalSource,
      max(total, totalThere) - min(total, totalThere) > Self.totalTolerance
    else { return nil }
    return "totals of \(total) here and \(totalThere) there"
  }
}
