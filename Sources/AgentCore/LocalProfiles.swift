// The profiles that this agent reads with: those of the release, and a site's own over them ([profiles] of ptagent.toml).

package import PrinterModel
package import Settings

internal import ReadModels

/// What counts, and where each profile is from.
package struct LocalProfiles: Sendable {
  /// One profile with its file.
  package struct Entry: Sendable {
    package var profile: Profile
    /// Nil for those of the release.
    package var file: String?
    /// Whether readings are made with it; else another one of its name stands over it.
    package var isUsed: Bool
  }

  /// By name; of one name that of the release first.
  package private(set) var entries: [Entry]

  /// Those that are used.
  package var set: ProfileSet { ProfileSet(entries.filter(\.isUsed).map(\.profile)) }

  /// Of two with one name the higher version is used, so that a new release is not held back by an old file; of one version the site's own.
  package init(local: [(file: String, profile: Profile)]) {
    entries = ProfileSet.shipped.profiles.map { Entry(profile: $0, file: nil, isUsed: true) }
    for (file, profile) in local {
      var profile = profile
      profile.isLocal = true
      let rival = entries.firstIndex { $0.isUsed && $0.profile.name == profile.name }
      let isUsed = rival.map { entries[$0].profile.version <= profile.version } ?? true
      if isUsed, let rival { entries[rival].isUsed = false }
      entries.append(Entry(profile: profile, file: file, isUsed: isUsed))
    }
    entries = entries.enumerated().sorted {
      ($0.element.profile.name, $0.offset) < ($1.element.profile.name, $1.offset)
    }.map(\.element)
  }

  /// - Throws: `AgentFailure` that tells every error of every file.
  package init(_ settings: ProfileSettings) throws(AgentFailure) {
    guard let directory = settings.directory else {
      self.init(local: [])
      return
    }
    do { self.init(local: try ProfileFiles.read([directory])) } catch {
      throw AgentFailure(.configuration, "profiles.directory: \(error)")
    }
  }
}
