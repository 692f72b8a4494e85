// What a light poll asks for, and what its answers ask for next: a pure decision, made after each answer.
//
// Structure. It changed when a name that was there is gone, prtGeneralConfigChanges differs (it may reset, so "greater" is not the test),
// sysUpTime or a life count went back, or sysObjectID or the serial number differ. On many devices prtGeneralConfigChanges stands at one number for
// ever, whatever happens. Hence a number that moved is told only with what says what it is a number of (`RowLabels`): the description, colour,
// type, unit and capacity of its row, read in the same poll. If one of these differs, everything is read. Once in `inUseTimeMax` they are read for
// all rows.
//
// Alerts. In every poll prtAlertTable is looked at, where GETBULK is proven: of an empty table its beginning, which so is read whole for one name; of
// one that had few rows, its codes and times from before the first to beyond the last (`TableWatch`), so that no row comes, goes or changes
// unseen. The table is walked,
//
//     * when a trap told of an alert
//     * when prtAlertCriticalEvents, prtAlertAllEvents or hrPrinterDetectedErrorState differ
//     * when a row came, went, or is about something else
//     * where its rows were not looked at: when an alert is active (rows vanish without moving a counter on many devices), or when
//       prtAlertAllEvents was not seen to count a row that came (`AlertCounting`): on many devices it is absent, or stands at 0 for ever
//     * once in `inUseTimeMax`, unless it is empty
//
// What moves in use (trays, bins, covers, the console) is left out when the device has all three change detectors, when prtAlertAllEvents has
// counted anything, when they and everything else that was read stand as they stood, when no alert is active, and when it was read within the
// last `inUseTimeMax`. Whoever prints, moves a counter; an alert moves another. Only paper put into a tray by hand may then be seen late.
// Where it is known before that it will be asked for (a device that cannot say that nothing happened, a trap, an alert that stands), it is asked for
// with everything else, which saves a request.

internal import MIB
internal import PrinterModel
internal import SNMP

/// The names that a light poll asks for, as runs that follow one another in the device. They follow from the last full poll and serve
/// until the next one.
package struct LightPlan: Hashable, Sendable {
  var always: KnownRead.Plan
  var inUse: KnownRead.Plan
  /// Both in one reading.
  var together: KnownRead.Plan

  init(_ walk: Walk, profiles: ProfileSet, abilities: DeviceAbilities) {
    let moving = PollTargets.moving(previous: walk, profiles: profiles)
    let names = moving.always + Self.identityNames(walk, profiles)
    always = KnownRead.Plan(
      runs: Self.runs(names, walk), abilities: abilities, watched: PrinterMIB.Alert.entry)
    inUse = KnownRead.Plan(runs: Self.runs(moving.inUse, walk), abilities: abilities)
    together = KnownRead.Plan(runs: always.runs + inUse.runs, abilities: abilities, watched: always.watched)
  }

  /// The same for a device that bears something else now.
  func adapted(to abilities: DeviceAbilities) -> LightPlan {
    guard abilities != always.abilities || abilities != inUse.abilities else { return self }
    var plan = self
    plan.always = always.adapted(to: abilities)
    plan.inUse = inUse.adapted(to: abilities)
    plan.together = together.adapted(to: abilities)
    return plan
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
    /// What moves in use, if so, and these names.
    case further(inUse: Bool, labels: [ObjectIdentifier])
    case alerts
  }

  private enum Stage {
    case always, further, alerts
  }

  /// Why a poll looks closer than the device's detectors ask for.
  struct Occasion: Equatable, Sendable {
    /// Whether an alert is raised now.
    var hasActiveAlerts = false
    /// Whether something was heard of the device, by a trap.
    var isHinted = false
  }

  /// How old the state of trays, bins and covers may become on a device that stands still, and what its rows are called.
  static let inUseTimeMax: Duration = .seconds(3_600)
  static let alertTable =
    PollTargets.tables.first { $0.entry == PrinterMIB.Alert.entry }
    ?? TableTarget(PrinterMIB.Alert.entry, [PrinterMIB.Alert.severity])

  /// The rows of prtAlertTable, to see whether they stand: by code and time, or by what they are about where the device tells no times. Nil if
  /// there are none, or many.
  static func alertWatch(_ walk: Walk) -> TableWatch? {
    typealias Alert = PrinterMIB.Alert
    let times = Alert.entry.appending(Alert.time)
    let beside =
      walk.subtree(times).isEmpty ? [Alert.groupIndex, Alert.location].map { Alert.entry.appending($0) } : [times]
    return TableWatch(Alert.entry.appending(Alert.code), beside: beside, in: walk)
  }

  private static let alertDetectors =
    [PrinterMIB.General.alertCriticalEvents, PrinterMIB.General.alertAllEvents].map {
      PrinterMIB.General.entry.appending($0)
    }
  private static let configurationChanges = PrinterMIB.General.entry.appending(PrinterMIB.General.configurationChanges)
  private static let detectors = [configurationChanges] + alertDetectors

  /// How what was answered so far compares with what was known.
  enum Comparison: Sendable {
    /// In nothing but sysUpTime, which moved on.
    case still(StillAnswers.Facts)
    /// - before: all objects as of the last poll.
    case walks(read: Walk, before: Walk)

    fileprivate var hadAlertRows: Bool {
      switch self {
      case .still(let facts): facts.hasAlertRows
      case .walks(_, let before): before.hasAlertRows
      }
    }
  }

  /// Whether all three change detectors are among what was read.
  static func hasDetectors(_ read: Walk) -> Bool { detectors.allSatisfy { !read.subtree($0).isEmpty } }
  private static let lifeCounts = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount)
  private static let errorState = HostResources.Printer.entry.appending(HostResources.Printer.detectedErrorState)
  /// What differs in another device, or in one of another structure. In the order of the MIB.
  private static let identifying = [
    MIB2.sysObjectID, physicalAddresses, deviceDescriptions, configurationChanges,
    PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber),
  ]
  fileprivate static let physicalAddresses = MIB2.Interface.entry.appending(MIB2.Interface.physicalAddress)
  fileprivate static let deviceDescriptions = HostResources.Device.entry.appending(HostResources.Device.description)

  /// Whether what moves in use was asked for: with everything else, where it is known that it would be anyway.
  private(set) var hasReadInUse: Bool
  /// Whether the device is one that can say that nothing happened, by what was answered so far.
  private(set) var canStandStill: Bool
  /// Whether what says what the numbers are of was asked for, of all rows.
  private(set) var hasReadRows = false
  /// What has to be answered before a number that moved may be told, and was not yet.
  private(set) var labels: [ObjectIdentifier] = []
  private let hasInUse: Bool
  private let inUseReadAt: Instant?
  private let rowsReadAt: Instant?
  private let counting: AlertCounting
  private let occasion: Occasion
  private let profiles: ProfileSet
  private var stage = Stage.always

  /// - Parameter memory: as the poll began.
  init(_ plan: LightPlan, _ memory: PollMemory, _ occasion: Occasion, profiles: ProfileSet) {
    hasInUse = !plan.inUse.runs.isEmpty
    canStandStill = memory.canStandStill
    hasReadInUse = hasInUse && (!canStandStill || occasion != Occasion())
    inUseReadAt = memory.inUseReadAt
    rowsReadAt = memory.rowsReadAt
    counting = memory.alertCounting
    self.occasion = occasion
    self.profiles = profiles
  }

  /// What to read next; nil when the poll has come to its end.
  ///
  /// - Parameters:
  ///   - seen: how the answers so far compare; by walks where `areRowsDue`.
  ///   - alerts: what the first answer told of prtAlertTable.
  ///   - now: when the poll began.
  mutating func next(
    _ seen: Comparison, absent: [ObjectIdentifier], alerts: KnownRead.Watched, now: Instant
  ) -> Next? {
    guard stage != .alerts else { return nil }
    if let reason = structureChange(seen, absent) { return .full(reason) }
    if stage == .always, let further = further(seen, alerts, now) { return further }
    labels = []
    stage = .alerts
    return mustWalkAlerts(seen, alerts) ? .alerts : nil
  }

  /// Whether what says what the numbers are of is to be read of all rows, of which only a walk knows the names.
  func areRowsDue(_ now: Instant) -> Bool { isDue(rowsReadAt, now) }

  private mutating func further(_ seen: Comparison, _ alerts: KnownRead.Watched, _ now: Instant) -> Next? {
    canStandStill = canStandStill(seen)
    let isMissing = hasInUse && !hasReadInUse && (!standsStill(seen, alerts) || isDue(inUseReadAt, now))
    hasReadInUse = hasReadInUse || isMissing
    if case .walks(let read, let before) = seen {
      hasReadRows = areRowsDue(now)
      let moved = hasReadRows ? before : read.differing(from: before)
      labels = RowLabels.names(for: moved, in: before, profiles: profiles)
    }
    guard isMissing || !labels.isEmpty else { return nil }
    stage = .further
    return .further(inUse: isMissing, labels: labels)
  }

  private func isDue(_ readAt: Instant?, _ now: Instant) -> Bool {
    readAt.map { $0.duration(to: now) >= Self.inUseTimeMax } ?? true
  }

  /// Whether the device itself says that nothing happened.
  private func standsStill(_ seen: Comparison, _ alerts: KnownRead.Watched) -> Bool {
    guard occasion == Occasion(), canStandStill, !isEmptiedOrFilled(alerts, hadRows: seen.hadAlertRows) else {
      return false
    }
    guard case .walks(let read, let before) = seen else { return true }
    return before.contains(read, butFor: MIB2.sysUpTime)
  }

  /// Whether the device has all three change detectors, and prtAlertAllEvents has counted anything.
  private func canStandStill(_ seen: Comparison) -> Bool {
    switch seen {
    case .still(let facts): facts.hasDetectors && counting.hasCounted(facts.alertEvents)
    case .walks(let read, _): Self.hasDetectors(read) && counting.hasCounted(AlertCounting.events(read))
    }
  }

  /// Why the structure has to be read again, in words; nil if it has not.
  private func structureChange(_ seen: Comparison, _ absent: [ObjectIdentifier]) -> String? {
    if let gone = absent.first { return "\(gone) is gone" }
    guard case .walks(let read, let before) = seen else { return nil }
    if let old = before[MIB2.sysUpTime]?.unsigned, let new = read[MIB2.sysUpTime]?.unsigned, new < old {
      return "the device restarted"
    }
    if let changed = Self.identifying.lazy.compactMap({ Self.firstChange(of: $0, read, before) }).first {
      return "\(changed) changed"
    }
    if let name = Self.wentBack(read, before) { return "\(name) went back" }
    guard stage == .further, let label = labels.first(where: { read[$0] != before[$0] }) else { return nil }
    return read[label] == nil ? "\(label) was not answered" : "\(label) changed"
  }

  /// A life count that is less than it was: what the device is has to be read with it, as evidence for a new epoch.
  private static func wentBack(_ read: Walk, _ before: Walk) -> ObjectIdentifier? {
    read.subtree(lifeCounts).first { count in
      guard let now = count.value.unsigned, let former = before[count.name]?.unsigned else { return false }
      return now < former
    }?.name
  }

  private static func firstChange(of object: ObjectIdentifier, _ read: Walk, _ before: Walk) -> ObjectIdentifier? {
    read.subtree(object).first { before[$0.name] != $0.value }?.name
  }

  private func isEmptiedOrFilled(_ alerts: KnownRead.Watched, hadRows: Bool) -> Bool {
    switch alerts {
    case .unknown, .hasKnownRows: false
    case .empty: hadRows
    case .hasObjects: !hadRows
    case .hasOtherRows: true
    }
  }

  private func mustWalkAlerts(_ seen: Comparison, _ alerts: KnownRead.Watched) -> Bool {
    if occasion.isHinted { return true }
    if alerts == .empty { return false }
    if isEmptiedOrFilled(alerts, hadRows: seen.hadAlertRows) || hasReadRows { return true }
    if alerts != .hasKnownRows, occasion.hasActiveAlerts || counting != .proven { return true }
    guard case .walks(let read, let before) = seen else { return false }
    let detectors = Self.alertDetectors + [Self.errorState, PrinterMIB.Alert.entry]
    return detectors.contains { Self.firstChange(of: $0, read, before) != nil }
  }
}

extension LightPlan {
  private static let standard: ObjectIdentifier = [1, 3, 6, 1, 2, 1]

  /// Rows of each column that tell a device without a serial number.
  private static let rowsMax = 2

  /// sysObjectID and the serial number where this device has it, or else what it is told by.
  private static func identityNames(_ walk: Walk, _ profiles: ProfileSet) -> [ObjectIdentifier] {
    var names = walk[MIB2.sysObjectID] == nil ? [] : [MIB2.sysObjectID]
    let serials = walk.subtree(PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber))
    names += serials.map(\.name)
    if serials.contains(where: \.value.isTold) { return names }
    let own = Interpretation.profile(for: walk, profiles: profiles)?.identity.serial ?? []
    let told = own.filter { walk[$0].map { !$0.isException } ?? false }
    if !told.isEmpty { return names + told }
    return [LightPoll.physicalAddresses, LightPoll.deviceDescriptions].reduce(names) { names, column in
      names + walk.subtree(column).filter(\.value.isTold).prefix(rowsMax).map(\.name)
    }
  }

  /// What moves in use, if so, and further names, in one reading.
  func further(inUse isInUse: Bool, _ names: [ObjectIdentifier], _ walk: Walk) -> KnownRead.Plan {
    KnownRead.Plan(
      runs: (isInUse ? inUse.runs : []) + Self.runs(names, walk), abilities: inUse.abilities)
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

extension ObjectValue {
  /// Whether it is octets of which any is not zero.
  fileprivate var isTold: Bool { octets?.contains { $0 != 0 } == true }
}
