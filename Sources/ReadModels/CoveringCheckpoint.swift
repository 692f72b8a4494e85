// Which of a journal's checkpoints says most of a record. One that somebody countersigned does not rest on the journal's word alone.

package import Evidence
package import Journal

extension JournalReader {
  /// Looked at in one transaction; a journal has a checkpoint for each thousand records at least.
  private static let checkpointsAtOnce = 64

  /// The first countersigned checkpoint that covers the record; where nobody countersigned one, the first that covers it; nil where
  /// none does yet.
  package func checkpoint(covering position: RecordPosition) throws(JournalError) -> StoredCheckpoint? {
    var first: StoredCheckpoint?
    var next: RecordPosition? = position
    while let from = next {
      let page = try checkpoints(from: from, limit: Self.checkpointsAtOnce)
      for checkpoint in page {
        guard checkpoint.epoch == position.epoch else { return first }
        if !checkpoint.countersigners.isEmpty { return checkpoint }
        first = first ?? checkpoint
      }
      next = page.last.flatMap { RecordPosition(epoch: $0.epoch, sequence: $0.size).next }
    }
    return first
  }

  /// The last checkpoint of all that somebody countersigned; nil where there is none.
  package func lastCountersigned() throws(JournalError) -> StoredCheckpoint? {
    for epoch in try epochs().reversed() {
      var next = try lastCheckpoint(epoch: epoch.number)
      while let checkpoint = next {
        if !checkpoint.countersigners.isEmpty { return checkpoint }
        next = try self.checkpoint(epoch: checkpoint.epoch, before: checkpoint.size)
      }
    }
    return nil
  }
}
