// Whether prtAlertAllEvents counts. RFC 3805 has it count each row that comes into prtAlertTable; on many devices it stands at 0 for ever, or at some
// other number. It is believed to say that nothing came only after it was seen to move when a row came, and no longer when one came without it.

internal import MIB

/// What was seen of prtAlertAllEvents since the device was first polled.
package enum AlertCounting: Hashable, Sendable {
  case unproven
  /// It rose when a row came.
  case proven
  /// A row came, and it stood still.
  case disproven

  private static let column = PrinterMIB.General.entry.appending(PrinterMIB.General.alertAllEvents)

  /// prtAlertAllEvents; nil where the device has none.
  static func events(_ walk: Walk) -> UInt64? { walk.subtree(column).first?.value.unsigned }

  /// Whether it ever counted anything, as far as anybody knows.
  func hasCounted(_ events: UInt64?) -> Bool { self == .proven || self == .unproven && events ?? 0 > 0 }

  /// After a poll that read prtAlertTable to its end.
  func after(_ former: Walk, _ walk: Walk) -> AlertCounting {
    guard Self.isSameDevice(former, walk) else { return .unproven }
    let came = walk.subtree(PrinterMIB.Alert.entry.appending(PrinterMIB.Alert.code))
      .contains { former[$0.name] != $0.value }
    guard came, self != .disproven else { return self }
    guard let before = Self.events(former), let now = Self.events(walk) else { return .disproven }
    // After a restart it counts anew, which shows nothing.
    if now < before { return self }
    return now > before ? .proven : .disproven
  }

  /// Another device, or another firmware, has all to prove.
  private static func isSameDevice(_ former: Walk, _ walk: Walk) -> Bool {
    let serial = PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber)
    return former[MIB2.sysDescr] == walk[MIB2.sysDescr] && former[MIB2.sysObjectID] == walk[MIB2.sysObjectID]
      && former.subtree(serial).elementsEqual(walk.subtree(serial))
  }
}
