// The profiles that a reading is made with, and which of them fits a device.

package import MIB

/// What a device says of itself before anything else is read.
package struct DeviceEvidence: Equatable, Sendable {
  package var systemDescription: String?
  package var systemObjectID: ObjectIdentifier?
  package var printerDescription: String?
  /// The maker in the IEEE 1284 device id.
  package var manufacturer: String?

  package init(
    systemDescription: String? = nil, systemObjectID: ObjectIdentifier? = nil, printerDescription: String? = nil,
    manufacturer: String? = nil
  ) {
    self.systemDescription = systemDescription
    self.systemObjectID = systemObjectID
    self.printerDescription = printerDescription
    self.manufacturer = manufacturer
  }
}

/// Profiles, each name once.
package struct ProfileSet: Equatable, Sendable {
  package let profiles: [Profile]

  /// Of two profiles with one name the later holds, so that a site's own file can replace a shipped one.
  package init(_ profiles: [Profile]) {
    var latest: [String: Profile] = [:]
    for profile in profiles { latest[profile.name] = profile }
    self.profiles = latest.values.sorted { $0.name < $1.name }
  }

  /// No vendor knowledge: the standards alone.
  package static let none = ProfileSet([])

  /// The profiles of this release. Their files are part of the program, so an error in them is a defect of ours.
  package static let shipped: ProfileSet = {
    do {
      return ProfileSet(try ShippedProfiles.files.map { try ProfileParser.parse($0.bytes, file: $0.name) })
    } catch {
      preconditionFailure("a shipped profile is not valid: \(error)")
    }
  }()

  /// The profile that fits best, if any does.
  package func profile(for evidence: DeviceEvidence) -> Profile? { choice(for: evidence)?.profile }

  /// The profile that fits best and what it was chosen by: sysObjectID, which lies in the tree of whoever made the agent and so tells whose
  /// private objects there are (the longest wins); else the beginning of sysDescr, which tells whose name is on the lid (the longest wins);
  /// else what the printer's description or its device id begins with.
  package func choice(for evidence: DeviceEvidence) -> (profile: Profile, part: DeviceEvidence.Part)? {
    if let identifier = evidence.systemObjectID,
      let found = best({ profile in
        profile.match.objectIDs.filter { identifier.isWithin($0) }.map(\.count).max()
      })
    {
      return (found, .systemObjectID)
    }
    if let text = evidence.systemDescription?.uppercased(),
      let found = best({ $0.match.descriptions.longestPrefix(of: text) })
    {
      return (found, .systemDescription)
    }
    for part in [DeviceEvidence.Part.printerDescription, .manufacturer] {
      if let text = evidence.text(part)?.uppercased(),
        let found = best({ ($0.brands.map(\.prefix) + $0.match.descriptions).longestPrefix(of: text) })
      {
        return (found, part)
      }
    }
    return nil
  }

  private func best(_ score: (Profile) -> Int?) -> Profile? {
    var best: (profile: Profile, score: Int)?
    for profile in profiles {
      guard let score = score(profile), score > best?.score ?? 0 else { continue }
      best = (profile, score)
    }
    return best?.profile
  }
}

extension DeviceEvidence {
  /// One of the things that a device says of itself.
  package enum Part: Sendable {
    case systemDescription, systemObjectID, printerDescription, manufacturer
  }

  fileprivate func text(_ part: Part) -> String? {
    switch part {
    case .systemDescription: systemDescription
    case .systemObjectID: nil
    case .printerDescription: printerDescription
    case .manufacturer: manufacturer
    }
  }
}

extension ProfileSet {
  /// The make for a device of this profile, and the text that told it: the brand that a text begins with, be it one of this profile or of
  /// another (printers are sold under other names than their makers'), else the maker.
  package func make(for evidence: DeviceEvidence, of profile: Profile) -> (make: String, part: DeviceEvidence.Part?) {
    for part in [DeviceEvidence.Part.systemDescription, .printerDescription, .manufacturer] {
      guard let text = evidence.text(part)?.uppercased() else { continue }
      for names in [profile.brands, profile.ownNames, profiles.flatMap(\.brands), profiles.flatMap(\.ownNames)] {
        let fitting = names.filter { text.hasPrefix($0.prefix) }
        if let brand = fitting.max(by: { $0.prefix.count < $1.prefix.count }) { return (brand.make, part) }
      }
    }
    return (profile.make, nil)
  }
}

extension Profile {
  /// What the maker's own texts begin with.
  fileprivate var ownNames: [Brand] { match.descriptions.map { Brand(prefix: $0, make: make) } }
}

extension [String] {
  /// The length of the longest element that `text` begins with; nil if it begins with none.
  fileprivate func longestPrefix(of text: String) -> Int? {
    lazy.filter { text.hasPrefix($0) }.map(\.utf8.count).max()
  }
}
