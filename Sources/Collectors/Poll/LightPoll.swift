// What a light poll asks for, and what its answers ask for next: a pure decision, made after each answer.
//
// The structure changed when a name that was there is gone, prtGeneralConfigChanges differs (it may reset, so "greater" is not the test),
// sysUpTime went back (a restart), or sysObjectID or the serial number differ.
// What moves in use (trays, bins, covers, the console) is left out when the device has all three change detectors, when they and everything
// else that was read stand as they stood, when no alert is active, and when it was read within the last `inUseTimeMax`. Whoever prints,
// moves a counter; an alert moves another. Only paper put into a tray by hand may then be seen late.
// The alerts are walked when prtAlertCriticalEvents, prtAlertAllEvents or hrPrinterDetectedErrorState differ, when an alert is active
// (rows vanish without moving a counter on many devices), or when the device has none of these detectors.

internal import MIB
internal import PrinterModel
internal import SNMP

/// The names that a light poll asks for, as runs that follow one another in the device. They follow from the last full poll and serve
/// until the next one.
package struct LightPlan: Hashable, Sendable {
  var always: KnownRead.Plan
  var inUse: KnownRead.Plan

  init(_ walk: Walk, profiles: ProfileSet, abilities: DeviceAbilities) {
    let moving = PollTargets.moving(previous: walk, profiles: profiles)
    let names = moving.always + Self.identityNames(walk, profiles)
    always = KnownRead.Plan(runs: Self.runs(names, walk), abilities: abilities)
    inUse = KnownRead.Plan(runs: Self.runs(moving.inUse, walk), abilities: abilities)
  }

  /// Whether this is the plan of the poll before, as it was, told by what may have changed it since.
  func isStill(_ former: LightPlan?) -> Bool {
    guard let former else { return false }
    return always.abilities == former.always.abilities && inUse.abilities == former.inUse.abilities
  }
}

/// The decisions of one light poll.
struct LightPoll: Sendable {
  enum Next: Equatable, Sendable {
    /// Everything, for this reason.
    case full(String)
    case inUse
    case alerts
  }

  private enum Stage {
    case always, inUse, alerts
  }

  /// How old the state of trays, bins and covers may become on a device that stands still.
  static let inUseTimeMax: Duration = .seconds(3_600)
  static let alertTable =
    PollTargets.tables.first { $0.entry == PrinterMIB.Alert.entry }
    ?? TableTarget(PrinterMIB.Alert.entry, [PrinterMIB.Alert.severity])

  private static let alertDetectors =
    [PrinterMIB.General.alertCriticalEvents, PrinterMIB.General.alertAllEvents].map {
      PrinterMIB.General.entry.appending($0)
    }
  private static let configurationChanges = PrinterMIB.General.entry.appending(PrinterMIB.General.configurationChanges)
  private static let detectors = [configurationChanges] + alertDetectors
  private static let errorState = HostResources.Printer.entry.appending(HostResources.Printer.detectedErrorState)
  /// What differs in another device, or in one of another structure. In the order of the MIB.
  private static let identifying = [
    MIB2.sysObjectID, configurationChanges, PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber),
  ]

  /// Whether what moves in use was asked for.
  private(set) var hasReadInUse = false
  private let before: Walk
  private let hasInUse: Bool
  private let inUseReadAt: Instant?
  private let hasActiveAlerts: Bool
  private var stage = Stage.always

  /// - Parameters:
  ///   - before: all objects as of the last poll.
  ///   - inUseReadAt: when what moves in use was read last; nil if nobody knows.
  init(_ before: Walk, _ plan: LightPlan, inUseReadAt: Instant?, hasActiveAlerts: Bool) {
    hasInUse = !plan.inUse.runs.isEmpty
    self.before = before
    self.inUseReadAt = inUseReadAt
    self.hasActiveAlerts = hasActiveAlerts
  }

  /// What to read next; nil when the poll has come to its end.
  ///
  /// - Parameters:
  ///   - read: what was answered so far.
  ///   - now: when the poll began.
  mutating func next(_ read: Walk, absent: [ObjectIdentifier], now: Instant) -> Next? {
    guard stage != .alerts else { return nil }
    if let reason = structureChange(read, absent) { return .full(reason) }
    if stage == .always, hasInUse, !standsStill(read) || isDue(now) {
      stage = .inUse
      hasReadInUse = true
      return .inUse
    }
    stage = .alerts
    return hasActiveAlerts || alertsMayDiffer(read) ? .alerts : nil
  }

  private func isDue(_ now: Instant) -> Bool {
    inUseReadAt.map { $0.duration(to: now) >= Self.inUseTimeMax } ?? true
  }

  /// Whether the device itself says that nothing happened.
  private func standsStill(_ read: Walk) -> Bool {
    guard !hasActiveAlerts, Self.detectors.allSatisfy({ !read.subtree($0).isEmpty }) else { return false }
    return before.contains(read, butFor: MIB2.sysUpTime)
  }

  /// Why the structure has to be read again, in words; nil if it has not.
  private func structureChange(_ read: Walk, _ absent: [ObjectIdentifier]) -> String? {
    if let gone = absent.first { return "\(gone) is gone" }
    if let old = before[MIB2.sysUpTime]?.unsigned, let new = read[MIB2.sysUpTime]?.unsigned, new < old {
      return "the device restarted"
    }
    let changed = Self.identifying.lazy.compactMap { firstChange(of: $0, read) }.first
    return changed.map { "\($0) changed" }
  }

  private func firstChange(of object: ObjectIdentifier, _ read: Walk) -> ObjectIdentifier? {
    read.subtree(object).first { before[$0.name] != $0.value }?.name
  }

  private func alertsMayDiffer(_ read: Walk) -> Bool {
    let detectors = Self.alertDetectors + [Self.errorState]
    return detectors.allSatisfy { read.subtree($0).isEmpty } || detectors.contains { firstChange(of: $0, read) != nil }
  }
}

extension LightPlan {
  private static let standard: ObjectIdentifier = [1, 3, 6, 1, 2, 1]

  /// sysObjectID and the serial number where this device has it.
  private static func identityNames(_ walk: Walk, _ profiles: ProfileSet) -> [ObjectIdentifier] {
    var names = walk[MIB2.sysObjectID] == nil ? [] : [MIB2.sysObjectID]
    let serials = walk.subtree(PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber)).map(\.name)
    if !serials.isEmpty { return names + serials }
    let own = Interpretation.profile(for: walk, profiles: profiles)?.identity.serial ?? []
    names += own.filter { walk[$0].map { !$0.isException } ?? false }
    return names
  }

  /// The names as runs that follow one another in the device, as far as the last poll can tell.
  private static func runs(_ names: [ObjectIdentifier], _ walk: Walk) -> [[ObjectIdentifier]] {
    var runs: [[ObjectIdentifier]] = []
    for name in names.sorted() {
      if let last = runs.last?.last, isFollowed(last, by: name, walk) {
        runs[runs.count - 1].append(name)
      } else {
        runs.append([name])
      }
    }
    return runs
  }

  /// Columns of the standard tables were read whole, so that nothing stood between two names which the walk has side by side; of a
  /// maker's objects only what was asked for is known.
  private static func isFollowed(_ name: ObjectIdentifier, by next: ObjectIdentifier, _ walk: Walk) -> Bool {
    guard walk.next(after: name)?.name == next, name.count == next.count else { return false }
    let depth = name.sharedCount(with: next)
    guard let from = name.component(depth), let to = next.component(depth) else { return false }
    let isLast = depth == name.count - 1
    let isStep = to - from == 1
    return name.isWithin(standard) ? isLast || isStep : isLast && isStep
  }
}
