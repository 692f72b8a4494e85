// Damage to the journal, as the agent tells of it: an event, a line in the log, a word on the board.
//
// The board says it for as long as a directory with damaged files lies beside the journal: whoever has looked at them and moves
// them away has dealt with it. So it is said after every start, and by nobody's memory.

internal import Events
internal import Journal
internal import Logging
internal import Platform

extension JournalRecovery {
  /// Damage is dealt with, and told as the first event of the new epoch.
  static func byTheAgent(_ logger: Logger) -> JournalRecovery {
    JournalRecovery(payload: { try $0.event.encoded() }) { reason in
      logger.warning("the journal was opened without an inspection", metadata: ["reason": "\(reason)"])
    }
  }
}

extension Journal {
  /// Logs the damage that this opening dealt with, and journals it where no new epoch begins with it.
  func tellDamage(_ logger: Logger) async throws {
    guard let damage else { return }
    damage.log(logger)
    if !damage.isRecorded { try await appendUnlessFull(damage.event.body, logger) }
  }
}

extension JournalDamage {
  fileprivate var event: Event {
    let ranges = lost.map { LostRange(epoch: $0.epoch, first: $0.first, last: $0.last) }
    let body = JournalDamaged(
      reason: reason, quarantine: quarantine, lost: ranges, recordsKept: recordsKept, hasNewKey: hasNewKey)
    return Event(time: Machine.milliseconds, .journalDamaged(body))
  }

  fileprivate func log(_ logger: Logger) {
    logger.critical(
      "the journal was damaged; what is sound was kept, and recording goes on",
      metadata: [
        "reason": "\(reason)", "kept": "\(recordsKept)", "lost": "\(lost.map(\.description).joined(separator: ", "))",
        "quarantine": "\(quarantine)",
      ])
  }
}

extension StatusBoard {
  /// Says how the journal is, given what earlier damage has left beside it.
  func sayJournal(directory: String) {
    guard let last = JournalQuarantine.all(of: directory).last else { return say(.journal, .ok, "recording") }
    say(
      .journal, .degraded, "recording. \(last.note)",
      remedy:
        "The damaged files are in \(last.path). Check the disk (dmesg, smartctl); records that the hub holds are safe "
        + "there. When nobody needs the files any more, move them away or delete them, and restart the agent.")
  }
}
