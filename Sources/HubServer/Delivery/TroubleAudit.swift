// Rejections and conflicts in the audit trail: one entry for all of a kind that one exchange brought, once in a process however often an agent
// sends the same again. The records themselves are in the store, written with the acknowledgement; the trail is for whoever looks there.

internal import HubProtocol
internal import Logging
internal import Synchronization

/// What was written already, as far as this process remembers.
final class TroubleMemory: Sendable {
  struct Trouble: Hashable {
    enum Kind: Hashable { case rejection, conflict }
    let kind: Kind
    let install: InstallNumber
    let epoch: UInt32
    let sequence: UInt64
  }

  private let known = Mutex<Set<Trouble>>([])

  /// Those of `troubles` that are new, and remembers them. When it is full it forgets all: then something is told twice.
  func news(of troubles: [Trouble]) -> [Trouble] {
    known.withLock { known in
      if known.count + troubles.count > HubLimits.troublesRememberedMax { known = [] }
      return troubles.filter { known.insert($0).inserted }
    }
  }
}

extension Delivery {
  /// Writes them into the audit trail. That they cannot be is logged and stops nothing: what the agents are told is committed.
  func audit(
    conflicts: [Printtrail_Dcam_V1_Conflict], rejections: [Printtrail_Dcam_V1_Rejection], install: Install,
    _ logger: Logger
  ) async {
    let conflicting = conflicts.map {
      TroubleMemory.Trouble(kind: .conflict, install: install.number, epoch: $0.epoch, sequence: $0.sequence)
    }
    let rejected = rejections.map {
      TroubleMemory.Trouble(kind: .rejection, install: install.number, epoch: $0.epoch, sequence: $0.sequence)
    }
    if let first = troubles.news(of: conflicting).first {
      await audit("record.conflict", install, conflicting.count, first, "the hub holds another record", logger)
    }
    if let first = troubles.news(of: rejected).first {
      let reason = rejections.first { $0.epoch == first.epoch && $0.sequence == first.sequence }?.reason ?? ""
      await audit("record.rejected", install, rejected.count, first, reason, logger)
    }
  }

  private func audit(
    _ action: String, _ install: Install, _ count: Int, _ first: TroubleMemory.Trouble, _ reason: String,
    _ logger: Logger
  ) async {
    let others = count > 1 ? " and \(count - 1) more" : ""
    let entry = AuditEntry(
      at: clock.now, action: action, subject: install.id, peer: "",
      detail: "\(first.epoch)/\(first.sequence)\(others): \(reason)")
    do { try await registry.audit(entry) } catch {
      logger.error("not written into the audit trail", metadata: ["action": "\(action)", "error": "\(error)"])
    }
  }
}
