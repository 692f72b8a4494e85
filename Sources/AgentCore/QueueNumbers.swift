// What of the journal waits for the hub, read from the journal alone: beside a running agent and without one.

internal import Events
package import Evidence
package import Journal
internal import Replicator

package struct QueueNumbers: Sendable {
  /// Newest records that are looked through for what the hub refused; more would make a command slow that somebody waits for.
  static let troubleLookMax: UInt64 = 500_000
  private static let lookStep: UInt64 = 10_000

  /// Something that the hub said of a record, as the journal has it.
  package struct Trouble: Equatable, Sendable {
    package enum Kind: String, Sendable { case rejected, conflicted }
    package let kind: Kind
    /// Milliseconds since 1970 UTC.
    package let time: Int64
    /// `1/17`, or `1/17 to 1/20`.
    package let records: String
    package let reason: String
  }

  package let numbers: JournalNumbers
  /// Payload bytes of the records that the hub does not have.
  package let lagBytes: UInt64
  /// When the oldest of them was recorded, in milliseconds since 1970 UTC; nil when there is none.
  package let oldest: Int64?
  /// Records that damage took, over all epochs; nil: it is not known how many.
  package let lost: UInt64?
  /// The newest checkpoint that the hub has countersigned.
  package let countersigned: RecordPosition?
  /// The newest first, at most as many as were asked for.
  package let troubles: [Trouble]

  /// - Parameter troublesMax: how many of what the hub refused are told.
  package init(_ reader: JournalReader, troublesMax: Int) throws {
    numbers = try JournalNumbers(reader)
    (lagBytes, oldest) = try Self.backlog(reader, behind: numbers.acknowledged ?? .start)
    lost = try Self.lost(reader)
    countersigned = try Self.countersigned(reader)
    troubles = try Self.troubles(reader, max: troublesMax)
  }

  private static func backlog(_ reader: JournalReader, behind cursor: RecordPosition) throws -> (UInt64, Int64?) {
    var (bytes, oldest): (UInt64, Int64?) = (0, nil)
    // What retention removed was acknowledged; so a journal without a cursor has all of its records.
    let first = RecordPosition(epoch: cursor.epoch, sequence: cursor.sequence + (cursor == .start ? 0 : 1))
    try reader.scan(from: first) { view in
      bytes += UInt64(view.payload.count)
      oldest = oldest ?? view.time / 1_000_000
      return true
    }
    return (bytes, oldest)
  }

  private static func lost(_ reader: JournalReader) throws -> UInt64? {
    var sum: UInt64 = 0
    for epoch in try reader.epochs() {
      for range in try reader.lost(epoch: epoch.number) {
        guard let last = range.last, last >= range.first else { return nil }
        sum += last - range.first + 1
      }
    }
    return sum
  }

  private static func countersigned(_ reader: JournalReader) throws -> RecordPosition? {
    for epoch in try reader.epochs().reversed() {
      var checkpoint = try reader.lastCheckpoint(epoch: epoch.number)
      while let sealed = checkpoint {
        if !sealed.countersigners.isEmpty { return RecordPosition(epoch: sealed.epoch, sequence: sealed.size) }
        checkpoint = try reader.checkpoint(epoch: epoch.number, before: sealed.size)
      }
    }
    return nil
  }

  /// Goes back from the head in steps, so that what is asked for mostly lies in the first.
  private static func troubles(_ reader: JournalReader, max: Int) throws -> [Trouble] {
    var found: [Trouble] = []
    var looked: UInt64 = 0
    for epoch in try reader.epochs().reversed() {
      var end = try reader.frontier(epoch: epoch.number).size
      while end >= epoch.firstSequence, found.count < max, looked < troubleLookMax {
        let first = Swift.max(epoch.firstSequence, end - Swift.min(end - 1, lookStep - 1))
        found += try troubles(reader, epoch.number, first...end).reversed()
        looked += end - first + 1
        end = first - 1
      }
    }
    return Array(found.prefix(max))
  }

  private static func troubles(_ reader: JournalReader, _ epoch: UInt32, _ range: ClosedRange<UInt64>) throws
    -> [Trouble]
  {
    var found: [Trouble] = []
    let last = RecordPosition(epoch: epoch, sequence: range.upperBound)
    try reader.scan(from: RecordPosition(epoch: epoch, sequence: range.lowerBound), through: last) { view in
      guard let type = (try? EventHeader(view.payload))?.type,
        type == EventType.uploadRejected || type == EventType.uploadConflicted,
        let event = try? Event(payload: view.payload)
      else { return true }
      if let trouble = Trouble(event) { found.append(trouble) }
      return true
    }
    return found
  }
}

extension QueueNumbers.Trouble {
  fileprivate init?(_ event: Event) {
    switch event.body {
    case .uploadRejected(let body):
      self.init(
        kind: .rejected, time: event.time, records: "\(body.epoch)/\(body.sequence)", reason: body.reason)
    case .uploadConflicted(let body):
      let records =
        body.first == body.last
        ? "\(body.epoch)/\(body.first)" : "\(body.epoch)/\(body.first) to \(body.epoch)/\(body.last)"
      self.init(
        kind: .conflicted, time: event.time, records: records, reason: "the hub holds other records, and keeps both")
    default: return nil
    }
  }
}
