// The settings that are in use: the site's file, and over what it leaves open the last set of the hub's that was applied.
//
//     hub ──> offered ──> layered over the file ──┬── all right ──> SettingsApplied, on the disk ──> in use, told to whoever waits
//                                                 └── anything wrong ──> SettingsRefused ──> what was in use stays
//
// The set is in the journal's state: after a restart it is in use again, hub or no hub. If the file has changed so that the two do not go together any
// more, the file alone is in use, and the hub hears it as a refusal. A refusal that is in the journal already is not told twice.

internal import Logging
internal import Projections
package import Replicator
package import Settings

internal import Events
internal import Journal
internal import Platform
internal import Synchronization

/// What became of the hub's settings.
package enum SettingsOutcome: Equatable, Sendable {
  /// The hub has offered none since this process began.
  case nothingOffered
  case applied(version: UInt64)
  /// - reason: sentences for the operator, a line each.
  case refused(version: UInt64, reason: String)
}

package final class SettingsKeeper: SettingsReceiver, Sendable {
  /// How soon a change is noticed by those who wait for one.
  private static let changeInterval: Duration = .milliseconds(250)

  private struct State {
    var configuration: AgentConfiguration
    /// Counts the configurations that were in use.
    var revision: UInt64 = 0
    var inUse: SettingsMark
    /// The set of that mark.
    var setInUse: SettingsSet?
    /// As the file has it, and the console beneath it.
    var site: AgentConfiguration
    /// What waits for `applyOffered`.
    var offered: SettingsSet?
    var isApplying = false
    var outcome = SettingsOutcome.nothingOffered
    /// As it stands in the journal.
    var refused: SettingsRefused?
  }

  private let journal: Journal
  private let board: StatusBoard
  private let logger: Logger
  private let state: Mutex<State>
  /// What the journal does not say yet of the set that it holds.
  private let unsaid: EventBody?

  /// - Parameter past: what the journal says of settings.
  init(_ site: AgentConfiguration, past: AgentState, journal: Journal, board: StatusBoard, logger: Logger) {
    self.journal = journal
    self.board = board
    self.logger = logger
    var state = State(
      configuration: site, inUse: .none, setInUse: nil, site: site, refused: past.settingsRefused?.fact)
    var unsaid: EventBody?
    if let applied = past.settings?.fact {
      let set = SettingsSet(applied)
      do {
        let layered = try site.layered(with: set)
        state.configuration = layered.configuration
        state.inUse = SettingsMark(version: set.version, digest: applied.digest)
        state.setInUse = set
        if layered.overridden != applied.overridden {
          unsaid = .settingsApplied(SettingsApplied(set, overridden: layered.overridden))
        }
      } catch {
        let refused = SettingsRefused(set, error)
        if refused != state.refused { unsaid = .settingsRefused(refused) }
        state.refused = refused
      }
    }
    self.state = Mutex(state)
    self.unsaid = unsaid
  }

  /// Says on the board, and where it is news in the journal, what became of the set of an earlier run.
  /// - Throws: what the journal throws, unless it is full.
  func begin() async throws {
    if let unsaid { try await journal.appendUnlessFull(unsaid, logger) }
    let (refused, mark) = state.withLock { ($0.refused, $0.inUse) }
    if let refused { sayRefused(refused) } else if mark != .none { sayApplied(mark.version) }
  }

  // MARK: In use

  /// The configuration that is in use.
  package var current: AgentConfiguration { state.withLock { $0.configuration } }

  package var inUse: SettingsMark { state.withLock { $0.inUse } }

  /// The configuration that is in use, and its number.
  var numbered: (configuration: AgentConfiguration, revision: UInt64) {
    state.withLock { ($0.configuration, $0.revision) }
  }

  /// Returns when another configuration is in use than the one of this number.
  /// - Throws: `CancellationError`.
  func changed(from revision: UInt64) async throws {
    while numbered.revision == revision { try await Task.sleep(for: Self.changeInterval) }
  }

  // MARK: From the site

  /// As the file has it, and the console beneath it.
  var site: AgentConfiguration { state.withLock { $0.site } }

  /// The hub's set that is in use; nil: none.
  var setInUse: SettingsSet? { state.withLock { $0.setInUse } }

  /// What would be in use with this site's configuration: with the hub's set that is in use, if there is one.
  /// - Throws: everything that is wrong with the two together.
  func layered(_ site: AgentConfiguration) throws(ConfigurationProblems) -> LayeredConfiguration? {
    guard let set = setInUse else { return nil }
    return try site.layered(with: set)
  }

  /// Goes on with another configuration of the site's. The journal is told where it overrides more, or less, of what the hub sets.
  /// - Throws: as `layered`, or what the journal throws; what was in use stays.
  func use(site: AgentConfiguration) async throws {
    let (set, layered) = (setInUse, try layered(site))
    if let set, let layered {
      try await journal.append(.settingsApplied(SettingsApplied(set, overridden: layered.overridden)))
    }
    state.withLock { state in
      state.site = site
      state.configuration = layered?.configuration ?? site
      state.revision += 1
    }
    logger.notice("settings made at the console are in use")
  }

  // MARK: From the hub

  package func offered(_ set: OfferedSettings) async throws {
    let offered = SettingsSet(set)
    guard offered.digest == set.digest else {
      let reason = "found values that their digest does not fit, expected what the hub meant."
      let refused = SettingsRefused(
        version: set.version, digest: Array(set.digest.prefix(32)), keys: [], reason: reason)
      return try await note(refused)
    }
    state.withLock { $0.offered = offered }
    _ = try await applyOffered()
  }

  /// Applies or refuses the set that the hub has offered last, now; what came of it is in the journal when this returns. One that was dealt with already
  /// is not dealt with again.
  ///
  /// - Returns: what became of the last set that was offered.
  /// - Throws: what the journal throws; the set then waits on.
  @discardableResult
  package func applyOffered() async throws -> SettingsOutcome {
    while true {
      let (set, isBusy, outcome) = state.withLock { state in
        guard !state.isApplying else { return (nil as SettingsSet?, true, state.outcome) }
        let set = state.offered
        state.isApplying = set != nil
        return (set, false, state.outcome)
      }
      if let set { return try await apply(set) }
      guard isBusy else { return outcome }
      try await Task.sleep(for: Self.changeInterval)
    }
  }

  private func apply(_ set: SettingsSet) async throws -> SettingsOutcome {
    defer { state.withLock { $0.isApplying = false } }
    let layered: Result<LayeredConfiguration, ConfigurationProblems>
    do { layered = .success(try site.layered(with: set)) } catch { layered = .failure(error) }
    let outcome: SettingsOutcome
    switch layered {
    case .success(let layered): outcome = try await use(set, layered)
    case .failure(let problems): outcome = try await refuse(set, problems)
    }
    state.withLock { state in
      state.outcome = outcome
      // Another one may have been offered meanwhile.
      if state.offered == set { state.offered = nil }
    }
    return outcome
  }

  private func use(_ set: SettingsSet, _ layered: LayeredConfiguration) async throws -> SettingsOutcome {
    // On the disk before it takes effect.
    try await journal.append(.settingsApplied(SettingsApplied(set, overridden: layered.overridden)))
    state.withLock { state in
      state.configuration = layered.configuration
      state.inUse = SettingsMark(version: set.version, digest: set.digest)
      state.setInUse = set
      state.refused = nil
      state.revision += 1
    }
    for warning in layered.configuration.warnings {
      logger.warning("the hub sets what can hardly be meant", metadata: ["what": "\(warning.key): \(warning.message)"])
    }
    logger.notice(
      "the hub's settings are in use",
      metadata: [
        "version": "\(set.version)", "settings": "\(set.values.count)", "devices": "\(set.devices.count)",
        "overridden_by_the_file": "\(layered.overridden.joined(separator: " "))",
      ])
    sayApplied(set.version)
    return .applied(version: set.version)
  }

  private func refuse(_ set: SettingsSet, _ problems: ConfigurationProblems) async throws -> SettingsOutcome {
    let refused = SettingsRefused(set, problems)
    try await note(refused)
    return .refused(version: set.version, reason: refused.reason)
  }

  /// Tells of a refusal, once.
  private func note(_ refused: SettingsRefused) async throws {
    if state.withLock({ $0.refused != refused }) {
      try await journal.append(.settingsRefused(refused))
      state.withLock { $0.refused = refused }
      logger.error(
        "the hub's settings are refused", metadata: ["version": "\(refused.version)", "reason": "\(refused.reason)"])
    }
    sayRefused(refused)
  }

  // MARK: Words

  private func sayApplied(_ version: UInt64) {
    board.say(.settings, .ok, "version \(version) of the hub's settings is in use")
  }

  private func sayRefused(_ refused: SettingsRefused) {
    let mark = state.withLock { $0.inUse }
    let instead = mark == .none ? "the file alone is in use" : "version \(mark.version) stays in use"
    board.say(
      .settings, .degraded,
      "version \(refused.version) of the hub's settings is refused, \(instead): \(refused.reason)",
      remedy: "Have the hub's operator put it right (pthub settings explain), or change ptagent.toml.")
  }
}

extension SettingsSet {
  init(_ offered: OfferedSettings) {
    self.init(
      version: offered.version, values: offered.values.map { Setting(key: $0.key, value: $0.value) },
      devices: offered.devices.map { device in
        DeviceSettings(device: device.device, values: device.values.map { Setting(key: $0.key, value: $0.value) })
      })
  }

  init(_ applied: SettingsApplied) {
    self.init(
      version: applied.version, values: applied.values.map { Setting(key: $0.key, value: $0.value) },
      devices: applied.devices.map { device in
        DeviceSettings(device: device.device, values: device.values.map { Setting(key: $0.key, value: $0.value) })
      })
  }
}

extension SettingsApplied {
  init(_ set: SettingsSet, overridden: [String]) {
    self.init(
      version: set.version, digest: set.digest,
      values: set.values.map { RecordedSetting(key: $0.key, value: $0.value) },
      devices: set.devices.map { device in
        RecordedDeviceSettings(
          device: device.device, values: device.values.map { RecordedSetting(key: $0.key, value: $0.value) })
      }, overridden: overridden)
  }
}

extension SettingsRefused {
  /// What is told of a set that is wrong in every line of it.
  private static let problemsMax = 20

  init(_ set: SettingsSet, _ problems: ConfigurationProblems) {
    let told = problems.problems.prefix(Self.problemsMax)
    let more = problems.problems.count - told.count
    let lines = told.map { problem in
      (problem.key.isEmpty ? "" : problem.key + ": ") + "found \(problem.found), expected \(problem.expected)."
    }
    self.init(
      version: set.version, digest: set.digest, keys: told.map(\.key).filter { !$0.isEmpty },
      reason: (lines + (more > 0 ? ["And \(more) more."] : [])).joined(separator: "\n"))
  }
}
