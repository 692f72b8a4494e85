// From events to records: the only way into the journal for what the collector observes.

internal import Collectors
internal import Events
internal import Evidence
internal import Journal
internal import Logging
internal import Platform
package import Replicator

/// Appends events; returns when they are on the disk.
struct JournalSink: EventSink {
  let journal: Journal

  func append(_ events: [Event]) async throws {
    guard !events.isEmpty else { return }
    try await journal.append(try events.map { try $0.encoded() })
  }
}

extension Journal {
  /// Appends one event of the agent itself.
  func append(_ body: EventBody) async throws {
    try await append([try Event(time: Machine.milliseconds, body).encoded()])
  }
}

extension Journal {
  /// Appends one event of the agent itself; goes on without it where the journal is full: retention makes room only in an agent that runs.
  func appendUnlessFull(_ body: EventBody, _ logger: Logger) async throws {
    do { try await append(body) } catch let error as JournalError where error.isDiskFull {
      logger.warning(
        "the journal is full and does not have this",
        metadata: ["event": "\(EventType.name(body.type))", "reason": "\(error)"])
    }
  }
}

extension DeliveryCoding {
  /// Rejections as `UploadRejected` events, conflicts as `UploadConflicted`, restorations as `JournalRestored`. Alerts are urgent.
  package static let events = DeliveryCoding(
    rejection: { position, reason in
      let body = UploadRejected(epoch: position.epoch, sequence: position.sequence, reason: reason)
      return try Event(time: Machine.milliseconds, .uploadRejected(body)).encoded()
    },
    isRejection: { payload in
      payload.withUnsafeBytes { (try? EventHeader($0))?.type == EventType.uploadRejected }
    },
    conflict: { epoch, range, heldHash in
      let body = UploadConflicted(epoch: epoch, first: range.lowerBound, last: range.upperBound, heldHash: heldHash)
      return try Event(time: Machine.milliseconds, .uploadConflicted(body)).encoded()
    },
    isUrgent: { payload in (try? EventHeader(payload)).map { EventType.isUrgent($0.type) } ?? false },
    restoration: { end, reason in
      let body = JournalRestored(reason: reason, epoch: end.epoch, sequence: end.sequence)
      return try Event(time: Machine.milliseconds, .journalRestored(body)).encoded()
    })
}
