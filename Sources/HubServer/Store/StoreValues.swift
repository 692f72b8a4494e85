// What the hub keeps, as values. Times are milliseconds since 1970 UTC by the hub's clock unless said otherwise.

package import FoundationEssentials
package import OpenSSL

/// The store's own short key of an install; never leaves the hub.
package struct InstallNumber: Hashable, Sendable {
  package let rawValue: Int64

  package init(_ rawValue: Int64) { self.rawValue = rawValue }
}

/// What an agent tells about its machine. Untrusted text, cut and cleaned when it came in.
package struct MachineDescription: Hashable, Sendable {
  package var hostName: String
  package var operatingSystem: String
  package var agentVersion: String

  package init(hostName: String, operatingSystem: String, agentVersion: String) {
    self.hostName = hostName
    self.operatingSystem = operatingSystem
    self.agentVersion = agentVersion
  }
}

/// One enrolled agent.
package struct Install: Hashable, Sendable {
  package let number: InstallNumber
  /// A UUID in lower-case text; the common name of its certificates.
  package let id: String
  package let entity: String
  /// 16 bytes.
  package let journalID: [UInt8]
  /// Ed25519, 32 bytes: what its checkpoints are verified with.
  package let journalKey: [UInt8]
  package let machine: MachineDescription
  package let enrolledAt: Int64
  package let seenAt: Int64?
  package let revokedAt: Int64?
}

package struct Entity: Hashable, Sendable {
  package let name: String
  package let createdAt: Int64
  package let installs: Int
}

/// An entity in its tree.
package struct EntityNode: Hashable, Sendable {
  package let entity: Entity
  /// The names above it, from the root.
  package let path: [String]
  /// How many settings are made of it itself.
  package let settings: Int
}

/// A DataLink code as the store knows it: never the code itself.
package struct CodeRecord: Hashable, Sendable {
  package enum State: String, Sendable {
    case valid, used, expired, revoked
  }

  package let number: Int64
  package let entity: String
  package let usesMax: Int
  package let uses: Int
  package let createdAt: Int64
  package let expiresAt: Int64
  package let revokedAt: Int64?

  package func state(now: Int64) -> State {
    if revokedAt != nil { return .revoked }
    if uses >= usesMax { return .used }
    return now < expiresAt ? .valid : .expired
  }
}

package struct CertificateRecord: Hashable, Sendable {
  package let serial: String
  package let notBefore: Int64
  package let notAfter: Int64
  package let issuedAt: Int64
  package let firstUsedAt: Int64?
  package let supersededAt: Int64?
  package let revokedAt: Int64?
  /// Serial of the certificate with which this one was asked for; nil for an enrolment's, and for one issued before that was kept.
  package let renewedFrom: String?
  /// Where the renewal came from; nil where `renewedFrom` is.
  package let peer: String?

  /// Whether it is neither revoked nor known to have a successor.
  package var isInUse: Bool { revokedAt == nil && supersededAt == nil }
}

/// What asked for a renewed certificate.
package struct RenewalOrigin: Hashable, Sendable {
  package let serial: String
  package let peer: String

  package init(serial: String, peer: String) {
    self.serial = serial
    self.peer = peer
  }
}

// MARK: Enrolment

/// An enrolment whose request was checked already.
package struct EnrolmentRequest: Sendable {
  /// The keyed hash of the DataLink code.
  package var codeHash: [UInt8]
  /// 16 bytes of the agent's choice.
  package var enrolmentID: [UInt8]
  package var publicKeyHash: [UInt8]
  package var journalID: [UInt8]
  package var journalKey: [UInt8]
  package var machine: MachineDescription
  package var peer: String

  package init(
    codeHash: [UInt8], enrolmentID: [UInt8], publicKeyHash: [UInt8], journalID: [UInt8], journalKey: [UInt8],
    machine: MachineDescription, peer: String
  ) {
    self.codeHash = codeHash
    self.enrolmentID = enrolmentID
    self.publicKeyHash = publicKeyHash
    self.journalID = journalID
    self.journalKey = journalKey
    self.machine = machine
    self.peer = peer
  }
}

package enum EnrolmentOutcome: Sendable, Equatable {
  case enrolled(Install, IssuedCertificate, repeated: Bool)
  /// The code is unknown, expired, used up or revoked, or the repeated enrolment's install was revoked.
  case refused(reason: String)
  /// This enrolment id was used with another key or for another journal.
  case mismatch(reason: String)
}

/// Whose certificate it is, and whether it is still good.
package enum CertificateStanding: Sendable, Equatable {
  case good(Install)
  case unknown
  case superseded(at: Int64)
  /// The install was revoked, or replaced by another.
  case revoked(at: Int64)
  case certificateRevoked(at: Int64)
}

// MARK: Records

/// One record as delivered, hashed again by the hub.
package struct DeliveredRecord: Sendable, Equatable {
  /// Nanoseconds since 1970 UTC by the agent's clock.
  package var time: Int64
  /// What stands for this record in the journal's tree: the hash that the journal claims, or if that is no hash, the
  /// hub's own.
  package var leaf: Digest
  package var payload: Data
  /// Why the hub will never accept it; nil for a good record.
  package var fault: String?

  package init(time: Int64, leaf: Digest, payload: Data, fault: String? = nil) {
    self.time = time
    self.leaf = leaf
    self.payload = payload
    self.fault = fault
  }
}

/// Consecutive records of one epoch of one install.
package struct Append: Sendable, Equatable {
  package var install: InstallNumber
  package var epoch: UInt32
  package var firstSequence: UInt64
  package var records: [DeliveredRecord]
  /// Instead of records: everything from `firstSequence` through this is lost at the agent, and what is not held never will be.
  package var lostThrough: UInt64?
  /// What it occupies while it waits, in bytes.
  package var byteCount: Int

  package init(install: InstallNumber, epoch: UInt32, firstSequence: UInt64, records: [DeliveredRecord], byteCount: Int)
  {
    self.install = install
    self.epoch = epoch
    self.firstSequence = firstSequence
    self.records = records
    self.byteCount = byteCount
  }
}

/// What became of an append, once the transaction it was in was committed.
package enum AppendOutcome: Sendable, Equatable {
  case stored(StoredAppend)
  /// The batch begins beyond what is held. Nothing of it was stored.
  case gap(held: UInt64)
  case revoked
  case unknownInstall
  case tooManyEpochs
}

package struct StoredAppend: Sendable, Equatable {
  /// Everything of the epoch up to and with this sequence is committed or dealt with.
  package var held: UInt64
  package var appended = 0
  package var duplicates = 0
  package var rejections: [RejectedRecord] = []
  package var conflicts: [ConflictingRecord] = []

  package init(held: UInt64) { self.held = held }
}

package struct RejectedRecord: Sendable, Equatable {
  package let sequence: UInt64
  package let reason: String
}

package struct ConflictingRecord: Sendable, Equatable {
  package let sequence: UInt64
  package let heldHash: Digest
}

package struct Holding: Sendable, Equatable {
  package let epoch: UInt32
  package let sequence: UInt64

  package init(epoch: UInt32, sequence: UInt64) {
    self.epoch = epoch
    self.sequence = sequence
  }
}

/// A checkpoint as it came.
package struct DeliveredCheckpoint: Sendable {
  package var install: Install
  package var epoch: UInt32
  package var sequence: UInt64
  package var note: String

  package init(install: Install, epoch: UInt32, sequence: UInt64, note: String) {
    self.install = install
    self.epoch = epoch
    self.sequence = sequence
    self.note = note
  }
}

package enum CheckpointOutcome: Sendable, Equatable {
  case verified
  /// Not what it should be; kept, with the reason.
  case refused(reason: String)
  /// It speaks of more than the hub holds. Nothing was stored.
  case ahead(held: UInt64)
}

// MARK: Inspection

/// What is held of one epoch, counted and hashed from the rows themselves.
package struct EpochSummary: Sendable, Equatable {
  package let epoch: UInt32
  package let held: UInt64
  package let count: Int
  package let minSequence: UInt64?
  package let maxSequence: UInt64?
  /// Sequences up to `held` for which there is neither a record nor a rejection: always 0 unless the database was
  /// damaged.
  package let gaps: Int
  /// Sequences up to `held` that damage took at the agent before they were delivered.
  package let lost: UInt64
  /// The root over the leaves in the rows.
  package let root: Digest
  /// Whether the frontier that is kept beside them has the same root.
  package let agrees: Bool
  package let conflicts: Int
  package let rejections: Int
  package let checkpointsVerified: Int
  package let checkpointsRefused: Int
}

package struct HeldRecord: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case accepted, rejected, conflicting
    /// Ahead of its turn, which has not come yet.
    case express
  }

  package let kind: Kind
  /// Nanoseconds since 1970 UTC by the agent's clock.
  package let time: Int64
  package let hash: Digest
  package let payload: Data
  /// For a rejected record.
  package let reason: String?
  /// By the hub's clock; not kept for accepted records, whose rows are as small as can be.
  package let receivedAt: Int64?
}

package struct HealthReport: Sendable, Equatable {
  /// A JSON object as it came.
  package let json: String
  package let receivedAt: Int64
}

package struct AuditEntry: Sendable, Equatable {
  package let at: Int64
  package let action: String
  package let subject: String
  package let peer: String
  package let detail: String

  package init(at: Int64, action: String, subject: String, peer: String, detail: String) {
    self.at = at
    self.action = action
    self.subject = subject
    self.peer = peer
    self.detail = detail
  }
}
