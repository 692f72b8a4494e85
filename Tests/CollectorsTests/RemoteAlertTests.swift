// Alerts of sessions with a device's pages beside those that polls tell: what raises and clears the ones has nothing to say of the others.

import AlertRules
import Collectors
import Events
import MIB
import PrinterModel
import Testing

@Suite struct `An alert of a session` {
  private let key = RemoteAlert.certificateKey(port: 443)

  /// A device that has shown another certificate, and has a jam.
  private func device() -> KnownDevice {
    var device = KnownDevice(
      id: DeviceID(0..<16)!, endpoint: nil, credential: "public", identity: DeviceIdentity())
    device.alerts[key] = ActiveAlert(alert: RemoteAlert.certificate(port: 443), raised: 5)
    return device
  }

  private var jam: PrinterAlert {
    var alert = PrinterAlert(row: RowIndex([1, 1]))
    (alert.severity, alert.group, alert.groupIndex, alert.code) = (3, 8, 1, 8)
    return alert
  }

  @Test func `is cleared by no poll, whatever the device reports`() {
    var known = device()
    let reports = [
      AlertReport(rows: [jam], detectedErrors: [0x80]), AlertReport(rows: [], detectedErrors: []),
      AlertReport(rows: nil, detectedErrors: nil), AlertReport(rows: [], detectedErrors: nil),
    ]
    for (index, report) in reports.enumerated() {
      for body in AlertTracker.update(&known, with: report, time: Int64(1_000_000 * (index + 1))) {
        switch body {
        case .alertRaised(let raised): #expect(raised.key != key)
        case .alertUpdated(let updated): #expect(updated.key != key)
        case .alertCleared(let cleared): #expect(cleared.key != key)
        default: Issue.record("\(body)")
        }
      }
      #expect(known.alerts[key]?.raised == 5)
    }
  }

  @Test func `ends with the device`() {
    var known = device()
    let ended = AlertTracker.end(&known, time: 25)
    #expect(ended == [.alertCleared(AlertCleared(key: key, milliseconds: 20))] && known.alerts.isEmpty)
  }

  @Test func `has a name of its own, and no rule's`() {
    #expect(RemoteAlert.name(key) == "remote.certificate" && key.group != AlertRule.group)
    #expect(RemoteAlert.name(AlertKey(group: 11, groupIndex: 1, code: 1)) == nil)
    #expect(RemoteAlert.certificate(port: 443).description?.text.hasPrefix("remote.certificate: ") == true)
    #expect(RemoteAlert.certificateKey(port: 80) != key)
  }
}
