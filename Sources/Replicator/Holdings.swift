// What the hub holds of each epoch, and whether those are the journal's own records.
//
// A journal that was put back to an earlier state (a restored backup, a reverted virtual machine) appends other records under the numbers of
// those that it lost. It shows by one of these:
//   * the hub holds more of an epoch than the journal, or records of an epoch that the journal does not have;
//   * the hub holds another record where it says that it ends, and the journal has outgrown that already: so the last record that it holds
//     is sent once more, unless the cursor says that the journal knew of it.
// What was appended since lies behind the restored cursor, and is sent, one batch at a time, so that the hub sees the conflicts and keeps
// both. If it is the last epoch, `beginEpoch` is asked for, behind every epoch of the hub's, so that no sequence is used twice from there on.

internal import Evidence

struct Holdings: Equatable, Sendable {
  /// The last sequence per epoch, as far as the hub said so in this stream.
  private var held: [UInt32: UInt64] = [:]
  /// What the welcome said, where the hub holds other records than the journal.
  private var claims: [UInt32: UInt64] = [:]
  /// What the welcome said, where the cursor does not know of it and the hub has not yet confirmed the last record.
  private var unproven: [UInt32: UInt64] = [:]
  /// Epochs of which the hub may hold other records behind the cursor: outlives a stream.
  private var doubtful: Set<UInt32> = []
  /// The epoch behind which a new one was asked for in this stream.
  private var epochAskedAfter: UInt32?

  subscript(epoch: UInt32) -> UInt64 { held[epoch] ?? 0 }

  /// The last epoch of which the hub holds a record, or 0.
  var lastEpoch: UInt32 { held.filter { $0.value > 0 }.keys.max() ?? 0 }

  /// A stream is over.
  mutating func forget() {
    let doubtful = doubtful
    self = Holdings()
    self.doubtful = doubtful
  }

  /// A stream begins with what the hub says.
  mutating func begin(_ holdings: [UInt32: UInt64]) {
    held = holdings
  }

  /// Finds out whether the hub's records of an epoch are the journal's, or what must be sent to know.
  ///
  /// - Parameters:
  ///   - head: how far the epoch can be sent.
  ///   - known: up to where the journal remembers that it was acknowledged.
  ///   - base: what retention removed.
  ///   - isDamaged: whether damage took records of it.
  mutating func compare(_ epoch: UInt32, head: UInt64, known: UInt64, base: UInt64, isDamaged: Bool) {
    guard let hubHead = held[epoch], hubHead > 0 else { return }
    if isDamaged {
      // No surprise: the hub has what damage took here.
      held[epoch] = min(hubHead, head)
    } else if hubHead > head || hubHead > known && doubtful.contains(epoch) {
      claims[epoch] = hubHead
      held[epoch] = min(known, head)
    } else if hubHead > known, hubHead > base {
      unproven[epoch] = hubHead
    }
  }
}

// MARK: what may be sent

extension Holdings {
  /// The first record of an epoch to send: the one after what the hub holds, or the last of those where it must be confirmed.
  func firstToSend(_ epoch: UInt32) -> UInt64 { unproven[epoch] ?? self[epoch] + 1 }

  /// How many of the records from this one on may be sent now. What lies behind a record of the hub's that may be another's waits until the
  /// hub has answered for it: else the hub would go on with the journal's own, and look as if it never held another's.
  func sendable(_ remaining: UInt64, from place: RecordPosition) -> UInt64 {
    if let unproven = unproven[place.epoch] { return place.sequence <= unproven ? 1 : 0 }
    guard let claim = claims[place.epoch], place.sequence <= claim else { return remaining }
    return min(remaining, claim - place.sequence + 1)
  }

  /// Whether the hub holds other records of the epoch than the journal.
  func isOthers(_ epoch: UInt32) -> Bool { claims[epoch] != nil }

  /// What the welcome said of an epoch of which the hub holds other records, else 0.
  func claimed(_ epoch: UInt32) -> UInt64 { claims[epoch] ?? 0 }

  /// Whether nothing of the epoch awaits the hub's word that it is the journal's.
  func isConfirmed(_ epoch: UInt32) -> Bool { unproven[epoch] == nil }

  /// Whether the hub's answer about this record says whose records it holds.
  func isToConfirm(_ position: RecordPosition) -> Bool { unproven[position.epoch] == position.sequence }
}

// MARK: what the hub answers

extension Holdings {
  /// The hub has an epoch up to this record, of which `sent` is the last that was sent in this stream. Returns whether that is news; an earlier
  /// number than before is an acknowledgement that was overtaken.
  mutating func acknowledged(_ epoch: UInt32, upTo sequence: UInt64, sent: UInt64) -> Bool {
    // Conflicts are told before the acknowledgement: what is acknowledged without one is the same record.
    let isProof = unproven[epoch].map { $0 <= min(sequence, sent) } ?? false
    if isProof { unproven[epoch] = nil }
    guard isProof || sequence > self[epoch] else { return false }
    held[epoch] = max(sequence, self[epoch])
    return true
  }

  /// What the hub holds of the epoch need not be what the journal does: all that the cursor does not know of is sent again, in a stream of
  /// its own, so that no answer is about what was sent before.
  mutating func doubt(_ epoch: UInt32) {
    doubtful.insert(epoch)
  }

  /// Why the last epoch must not be appended to any more; nil when it may, as far as the hub's welcome tells.
  func reasonForEpoch(after last: UInt32, head: UInt64) -> String? {
    if lastEpoch > last {
      return "the hub holds records of epoch \(lastEpoch), the journal ends with epoch \(last)"
    }
    guard let claim = claims[last], claim > head else { return nil }
    return "the hub holds \(claim) records of epoch \(last), the journal only \(head)"
  }

  /// The epoch behind which a new one is to begin; nil where it was asked for in this stream.
  mutating func askForEpoch(after last: UInt32) -> UInt32? {
    guard epochAskedAfter != last else { return nil }
    epochAskedAfter = last
    return max(last, lastEpoch)
  }
}
