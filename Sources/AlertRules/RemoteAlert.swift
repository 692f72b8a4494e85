// Alerts of sessions with a device's own pages (docs/formats/tunnel.md). No poll reports them and no poll clears them: they have a group of their own.

package import Events
package import PrinterModel

package enum RemoteAlert {
  /// PrtAlertGroupTC has no negative numbers; -1 are the rules.
  package static let group: Int64 = -2
  /// The code of `remote.certificate`; never reused.
  private static let certificateCode: Int64 = 1

  /// A device showed another certificate at this port than the pinned one.
  package static func certificateKey(port: UInt32) -> AlertKey {
    AlertKey(group: group, groupIndex: Int64(port), code: certificateCode)
  }

  package static func certificate(port: UInt32) -> PrinterAlert {
    var alert = PrinterAlert(row: RowIndex([]))
    // PrtAlertSeverityLevelTC: warning. PrtAlertTrainingLevelTC: management.
    (alert.severity, alert.training) = (4, 6)
    (alert.group, alert.groupIndex, alert.code) = (group, Int64(port), certificateCode)
    alert.description = DeviceText("remote.certificate: another certificate at port \(port) than the pinned one")
    return alert
  }

  /// The name of an alert's code; nil for one that this release does not know.
  package static func name(_ key: AlertKey) -> String? {
    key.group == group && key.code == certificateCode ? "remote.certificate" : nil
  }
}
