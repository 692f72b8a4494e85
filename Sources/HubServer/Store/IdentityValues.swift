// What the hub keeps of the fate of identities, as values.

/// The times, milliseconds since 1970 UTC, between which something must have ended to be looked at.
package struct EndedWindow: Sendable, Equatable {
  /// Revoked since.
  package var revokedSince: Int64
  /// Replaced by the use of a newer certificate since, and before.
  package var supersededSince: Int64
  package var supersededBefore: Int64

  package init(revokedSince: Int64, supersededSince: Int64, supersededBefore: Int64) {
    self.revokedSince = revokedSince
    self.supersededSince = supersededSince
    self.supersededBefore = supersededBefore
  }
}

/// Whose streams must end.
package struct EndedIdentities: Sendable, Equatable {
  package var installs: Set<InstallNumber> = []
  /// Serials of certificates that were revoked by themselves.
  package var revoked: Set<String> = []
  /// Serials of certificates that newer ones took the place of.
  package var superseded: Set<String> = []

  package init(installs: Set<InstallNumber> = [], revoked: Set<String> = [], superseded: Set<String> = []) {
    self.installs = installs
    self.revoked = revoked
    self.superseded = superseded
  }
}

/// What is said of an install beside what it is.
package struct InstallRemarks: Sendable, Equatable {
  /// The id of the install that took its place.
  package var replacedBy: String?
  /// When its identity last seemed to be in two places, milliseconds since 1970 UTC, and how that showed.
  package var doubtedAt: Int64?
  package var doubt: String?
}
