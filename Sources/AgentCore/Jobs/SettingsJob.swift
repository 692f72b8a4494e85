// The job that has the agent take its settings anew.

internal import Events
internal import Replicator

/// Why the hub's settings are not in use; a sentence.
struct SettingsNotApplied: Error, CustomStringConvertible {
  let description: String
}

extension SettingsKeeper: SettingsUpdating {
  /// A set holds the settings of every device, too, so that one device's are taken with the others. The hub has offered its set before it sent the
  /// job, if it is another than the one in use.
  func update(_ device: DeviceID?) async throws -> String {
    switch try await applyOffered() {
    case .applied(let version): return "Version \(version) of the hub's settings is in use."
    case .refused(let version, let reason):
      throw SettingsNotApplied(
        description: "Version \(version) of the hub's settings was refused: \(reason.replacing("\n", with: " "))")
    case .nothingOffered:
      let mark = inUse
      return mark == .none
        ? "The hub has no settings for this agent; those of its file are in use."
        : "Version \(mark.version) of the hub's settings is in use; the hub has no other."
    }
  }
}
