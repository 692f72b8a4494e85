// Alerts whose records came ahead of their turn: open before what lies before them is folded.
//
// A row for each alert of a device that an install told ahead, as the latest such record has it. It goes when the fold has passed the record's
// place, because then the alert is what the records in their turn say. The view `open_alert` puts the two together.

package import FoundationEssentials
package import HubDatabase
internal import Events
internal import PrinterModel

package enum EarlyAlerts {
  /// Notes what a record ahead of its turn says of an alert, in the transaction that keeps it. A record that is about no alert, or is no event,
  /// changes nothing: it has its turn.
  package static func note(
    _ payload: Data, install: Int64, epoch: Int64, sequence: Int64, _ db: any SQLConnection
  ) throws {
    var decoder = EventDecoder(.withoutRaw)
    guard let event = try? payload.withUnsafeBytes({ try decoder.event($0) }), let device = event.device else { return }
    let key: AlertKey
    var alert: PrinterAlert?
    switch event.body {
    case .alertRaised(let raised): (key, alert) = (raised.key, raised.alert)
    case .alertUpdated(let updated): (key, alert) = (updated.key, updated.alert)
    case .alertCleared(let cleared): key = cleared.key
    default: return
    }
    try db.execute(
      """
      INSERT INTO early_alert (install, agent_device, key, epoch, sequence, severity, description, is_open, told_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (install, agent_device, key) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence,
        severity = excluded.severity, description = excluded.description, is_open = excluded.is_open, told_at = excluded.told_at
      WHERE (excluded.epoch, excluded.sequence) > (early_alert.epoch, early_alert.sequence)
      """,
      install, device.bytes, key.description, epoch, sequence, alert?.severityName, alert?.description?.text ?? "",
      alert != nil, event.time)
  }

  /// Takes away what is folded in its turn.
  static func settle(install: Int64, epoch: Int64, through sequence: Int64, _ db: any SQLConnection) throws {
    try db.execute(
      "DELETE FROM early_alert WHERE install = ? AND (epoch < ? OR epoch = ? AND sequence <= ?)", install, epoch, epoch,
      sequence)
  }
}

extension PrinterAlert {
  /// prtAlertSeverityLevel in words, or its number.
  var severityName: String? { severity.map { EnumerationNames.severity($0) ?? "\($0)" } }
}
