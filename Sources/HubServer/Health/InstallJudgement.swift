// What a hub makes of a report: whether the install is good, degraded or failed, and why. Pure.
//
// | key               | when                                                                                        | severity |
// |-------------------|---------------------------------------------------------------------------------------------|----------|
// | component.NAME    | a component has failed, or is degraded                                                      | critical, warning |
// | damage            | damage took records of the journal, or damaged files lie beside it                          | warning  |
// | certificate       | less than a sixth of its certificate's life is left, or none                                | warning, critical |
// | clock             | the agent's clock is five minutes or more away from the hub's                               | warning  |
// | lag               | for half an hour it has recorded more than the hub has acknowledged                         | warning  |
// | disk              | less than `HubLimits.agentDiskBytesLeast` are free where the journal lies                   | warning  |
//
// `late` and `silence` are not here: they are about reports that did not come (`InstallWatch`). Every text and number comes from an agent: texts are
// cut and cleaned, a number that is none is not there.

internal import FoundationEssentials

/// The members of a report that are judged (docs/formats/health.md). Whatever is missing or of another type is nil.
struct ReportSummary: Equatable, Sendable {
  struct Component: Equatable, Sendable {
    var name: String
    var state: String
    var message: String
  }

  struct Damage: Equatable, Sendable {
    var recordsLost: Int64
    var endsUnknown: Int64
    var quarantines: Int64
  }

  /// Components of one report that are looked at: an agent has seven.
  private static let componentsMax = 16

  /// Milliseconds since 1970 UTC, by the agent's clock.
  var time: Int64?
  /// Records that the hub has not acknowledged, as far as the agent knows.
  var lag: Int64?
  var diskFreeBytes: Int64?
  var components: [Component] = []
  var damage: Damage?

  init(time: Int64? = nil, lag: Int64? = nil, diskFreeBytes: Int64? = nil, components: [Component] = []) {
    (self.time, self.lag, self.diskFreeBytes, self.components) = (time, lag, diskFreeBytes, components)
  }

  /// - Parameter json: one JSON object; of anything else nothing is known.
  init(json: String) {
    guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(json.utf8)) else { return }
    time = wire.time.value.flatMap { Self.milliseconds($0) }
    lag = wire.journal.value?.lag.value.map { Int64(clamping: $0) }
    diskFreeBytes = wire.diskFreeBytes.value.map { Int64(clamping: $0) }
    components = (wire.components.value ?? []).prefix(Self.componentsMax).compactMap { lenient in
      guard let part = lenient.value, let name = part.name.value, let state = part.state.value else { return nil }
      return Component(
        name: name.filter { ("a"..."z").contains($0) }.prefix(16).description, state: state,
        message: cleaned(part.message.value ?? ""))
    }
    damage = wire.damage.value.map {
      Damage(
        recordsLost: Int64(clamping: $0.recordsLost.value ?? 0),
        endsUnknown: Int64(clamping: $0.endsUnknown.value ?? 0),
        quarantines: Int64(clamping: $0.quarantines.value ?? 0))
    }
  }

  private static func milliseconds(_ text: String) -> Int64? {
    guard text.utf8.count <= 40 else { return nil }
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return (try? style.parse(text)).map(\.milliseconds)
  }

  // MARK: The bytes

  /// A member that need not be there, nor be what it should.
  private struct Lenient<Value: Decodable>: Decodable {
    var value: Value?
    init() { value = nil }
    init(from decoder: any Decoder) { value = try? Value(from: decoder) }
  }

  private struct Wire: Decodable {
    struct Journal: Decodable {
      var lag: Lenient<UInt64>
      enum CodingKeys: CodingKey { case lag }
      init(from decoder: any Decoder) throws {
        lag = Wire.member(try decoder.container(keyedBy: CodingKeys.self), .lag)
      }
    }

    struct Part: Decodable {
      var name, state, message: Lenient<String>
      enum CodingKeys: CodingKey { case name, state, message }
      init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        name = Wire.member(members, .name)
        state = Wire.member(members, .state)
        message = Wire.member(members, .message)
      }
    }

    struct Damaged: Decodable {
      var recordsLost, endsUnknown, quarantines: Lenient<UInt64>
      enum CodingKeys: CodingKey { case recordsLost, endsUnknown, quarantines }
      init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        recordsLost = Wire.member(members, .recordsLost)
        endsUnknown = Wire.member(members, .endsUnknown)
        quarantines = Wire.member(members, .quarantines)
      }
    }

    var time: Lenient<String>
    var journal: Lenient<Journal>
    var diskFreeBytes: Lenient<UInt64>
    var components: Lenient<[Lenient<Part>]>
    var damage: Lenient<Damaged>

    enum CodingKeys: CodingKey { case time, journal, diskFreeBytes, components, damage }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: CodingKeys.self)
      time = Self.member(members, .time)
      journal = Self.member(members, .journal)
      diskFreeBytes = Self.member(members, .diskFreeBytes)
      components = Self.member(members, .components)
      damage = Self.member(members, .damage)
    }

    static func member<Key: CodingKey, Value: Decodable>(
      _ members: KeyedDecodingContainer<Key>, _ key: Key
    ) -> Lenient<Value> {
      (try? members.decode(Lenient<Value>.self, forKey: key)) ?? Lenient()
    }
  }
}

/// The lag of an install over time.
struct LagTrail: Equatable, Sendable {
  /// The least since it last was no larger, and when that was, in milliseconds since 1970 UTC.
  var floor: Int64
  var floorAt: Int64

  /// - Returns: for how long it has been growing, in milliseconds; nil if it is not, or not by much.
  mutating func note(_ lag: Int64, at now: Int64) -> Int64? {
    if lag <= max(floor, HubLimits.lagTolerated) || now < floorAt { (floor, floorAt) = (lag, now) }
    let lasts = now - floorAt
    return lag > floor && lasts >= HubLimits.lagGrowing.milliseconds ? lasts : nil
  }
}

struct InstallJudgement: Equatable, Sendable {
  enum State: String, Sendable, CaseIterable {
    case good, degraded, failed
  }

  struct Finding: Equatable, Sendable {
    enum Severity: String, Sendable {
      case warning, critical
    }

    var key: String
    var severity: Severity
    /// A sentence.
    var text: String
  }

  var state: State
  /// What is wrong, the gravest first.
  var findings: [Finding]
  /// How far the agent's clock is ahead of the hub's, in milliseconds; nil: it did not say what time it has.
  var clockAhead: Int64?
  var lag: LagTrail

  /// - Parameters:
  ///   - lag: as it was after the last report; nil: this is the first.
  ///   - certificate: from when until when the install's newest is good, in milliseconds since 1970 UTC.
  init(_ report: ReportSummary, lag before: LagTrail?, certificate: (from: Int64, until: Int64)?, now: Int64) {
    var found: [Finding] = []
    let waiting = report.lag ?? 0
    lag = before ?? LagTrail(floor: waiting, floorAt: now)
    if let lasts = lag.note(waiting, at: now) {
      found.append(
        Finding(
          key: "lag", severity: .warning,
          text:
            "\(waiting) records wait to be delivered, more and more for \(Self.spoken(lasts)): it records faster than the hub acknowledges."
        ))
    }
    if let certificate, let finding = Self.certificate(certificate, now) { found.append(finding) }
    clockAhead = report.time.map { $0.subtractingReportingOverflow(now).partialValue }
    if let ahead = clockAhead, ahead.magnitude >= UInt64(HubLimits.agentClockSkew.milliseconds) {
      let way = ahead > 0 ? "ahead of" : "behind"
      found.append(
        Finding(
          key: "clock", severity: .warning,
          text:
            "Its clock is \(Self.spoken(Int64(clamping: ahead.magnitude))) \(way) the hub's: readings bear wrong times."
        ))
    }
    if let damage = report.damage, let text = Self.text(of: damage) {
      found.append(Finding(key: "damage", severity: .warning, text: text))
    }
    if let free = report.diskFreeBytes, free < HubLimits.agentDiskBytesLeast {
      found.append(
        Finding(
          key: "disk", severity: .warning,
          text: "\(free >> 20) MiB are free on the disk that holds its journal; when nothing is, collecting stops."))
    }
    found = Self.components(report.components, said: Set(found.map(\.key))) + found
    findings = found.filter { $0.severity == .critical } + found.filter { $0.severity != .critical }
    let hasFailed = report.components.contains { $0.state == "failed" } || found.contains { $0.severity == .critical }
    state = hasFailed ? .failed : found.isEmpty ? .good : .degraded
  }

  private static func certificate(_ certificate: (from: Int64, until: Int64), _ now: Int64) -> Finding? {
    let left = certificate.until.subtractingReportingOverflow(now).partialValue
    if left <= 0 {
      return Finding(
        key: "certificate", severity: .critical, text: "Its certificate has ended: it must enrol again.")
    }
    // It is renewed when a third is left; a sixth leaves weeks to find out why not.
    guard left < (certificate.until - certificate.from) / 6 else { return nil }
    return Finding(
      key: "certificate", severity: .warning,
      text: "Its certificate ends in \(spoken(left)) and was not renewed: does it reach csr?")
  }

  private static func text(of damage: ReportSummary.Damage) -> String? {
    let lost = damage.recordsLost > 0 ? "\(damage.recordsLost) records of its journal are lost" : nil
    let more = damage.endsUnknown > 0 ? "it is not known how far \(damage.endsUnknown) of its epochs went" : nil
    let files =
      damage.quarantines > 0 ? "damaged files lie beside its journal and nobody has moved them away" : nil
    let all = [lost, more, files].compactMap { $0 }
    guard !all.isEmpty else { return nil }
    let text = all.joined(separator: "; ")
    return text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  /// - Parameter said: what was found already. The agent's own words for the same are left out.
  private static func components(_ components: [ReportSummary.Component], said: Set<String>) -> [Finding] {
    let same = ["identity": ["clock", "certificate"], "journal": ["damage"]]
    return components.compactMap { part in
      let isDegraded = part.state == "degraded"
      guard isDegraded || part.state == "failed" else { return nil }
      if isDegraded, said.contains(where: { (same[part.name] ?? []).contains($0) }) { return nil }
      return Finding(
        key: "component.\(part.name)", severity: isDegraded ? .warning : .critical,
        text: "\(part.name) \(isDegraded ? "is degraded" : "has failed"): \(part.message)")
    }
  }

  /// `4 min`, `3 h`, `12 d`.
  static func spoken(_ milliseconds: Int64) -> String {
    let minutes = milliseconds / 60_000
    return switch minutes {
    case ..<1: "less than a minute"
    case ..<120: "\(minutes) min"
    case ..<(48 * 60): "\(minutes / 60) h"
    default: "\(minutes / 1_440) d"
    }
  }
}
