// What the core asks for, done: the same over a stream and in a check-in.

internal import Evidence
internal import HubProtocol
internal import Logging
internal import OpenSSL
internal import SwiftProtobuf
internal import Synchronization

extension Replicator {
  func begin(_ delivery: SharedDelivery, _ line: some DeliveryLine) async throws {
    _ = delivery.received(.based(try await fromSource { try await $0.bases() }))
    try await perform(delivery.received(.opened), delivery, line)
  }

  func deal(with event: Delivery.Event, _ delivery: SharedDelivery, _ line: some DeliveryLine) async throws {
    let due = delivery.received(event)
    note(event, delivery)
    try await perform(due, delivery, line)
  }

  func perform(
    _ actions: [Delivery.Action], _ delivery: SharedDelivery, _ line: some DeliveryLine
  ) async throws {
    var due = actions[...]
    while let action = due.popFirst() { due += try await perform(action, delivery, line) }
  }

  /// Does what the core asks for. Returns what the core wants done next because of it.
  func perform(
    _ action: Delivery.Action, _ delivery: SharedDelivery, _ line: some DeliveryLine
  ) async throws -> [Delivery.Action] {
    switch action {
    case .sendHello(let heads, let acknowledged):
      let mark = settings?.inUse ?? .none
      try await line.send(
        .with { $0.hello = .init(heads, acknowledged: acknowledged, settings: mark, introduction) })
    case .send(let run):
      try await line.send(Printtrail_Dcam_V1_AgentMessage(run))
      update { $0.recordsSent += UInt64(run.records.count) }
    case .sendLost(let epoch, let range):
      logger.warning(
        "the hub is told that records are lost",
        metadata: ["from": "\(epoch)/\(range.lowerBound)", "to": "\(range.upperBound)"])
      try await line.send(Printtrail_Dcam_V1_AgentMessage(lost: range, epoch: epoch))
    case .sendCheckpoint(let checkpoint): try await line.send(Printtrail_Dcam_V1_AgentMessage(checkpoint))
    case .read(let first, let recordsMax, let bytesMax):
      try await line.read(ReadRequest(first: first, recordsMax: recordsMax, bytesMax: bytesMax))
    case .moveCursor(let position): try await line.moveCursor(to: position)
    case .journalRejection(let position, let reason):
      logger.warning("the hub rejected a record", metadata: ["record": "\(position)", "reason": "\(reason)"])
      update { $0.rejections += 1 }
      try await fromSource { try await $0.appendRejection(of: position, reason: reason) }
    case .reportRejection(let position, let reason):
      logger.error(
        "the hub rejected a report of a rejection, or a checkpoint",
        metadata: ["record": "\(position)", "reason": "\(reason)"])
      update { $0.rejections += 1 }
    case .reportConflict(let position, let heldHash):
      logger.critical(
        "the hub holds another record under this identity",
        metadata: ["record": "\(position)", "held_hash": "\(hexadecimal(heldHash))"])
      noteConflict()
    case .journalConflict(let epoch, let range, let heldHash):
      try await fromSource { try await $0.appendConflict(epoch: epoch, range, heldHash: heldHash) }
    case .sendExpress(let records):
      logger.info(
        "records go ahead of their turn",
        metadata: ["from": "\(records[0].position)", "records": "\(records.count)"])
      update { $0.expressSent += UInt64(records.count) }
      try await line.sendExpress(records)
    case .reportExpressRefused(let position, let reason):
      logger.warning(
        "the hub does not take a record ahead of its turn", metadata: ["record": "\(position)", "reason": "\(reason)"])
    case .keepCountersignature(let checkpoint, let key):
      do {
        try await source.keepCountersignature(checkpoint, key: key)
        update { $0.countersigned = checkpoint.position }
      } catch let refusal as CountersignatureRefused {
        logger.error(
          "the hub's countersignature proves nothing",
          metadata: ["checkpoint": "\(checkpoint.position)", "reason": "\(refusal)"])
      } catch is CancellationError { throw CancellationError() } catch { throw SourceFailure(cause: error) }
    case .beginEpoch(let reason, let beyond):
      logger.critical(
        "the journal was put back to an earlier state; a new epoch begins", metadata: ["reason": "\(reason)"])
      let head = try await fromSource { try await $0.beginEpoch(reason: reason, beyond: beyond) }
      return delivery.received(.grew(head))
    case .endStream(let violation): throw violation
    }
    return []
  }

  func note(_ event: Delivery.Event, _ delivery: SharedDelivery) {
    let (lag, total) = delivery.value.withLock { ($0.lag, $0.acknowledgedCount) }
    if case .acknowledged = event { update { $0.recordsAcknowledged = total } }
    switch event {
    case .welcomed(let welcome):
      logger.info(
        "the hub welcomes this agent", metadata: ["lag": "\(lag ?? 0)", "window": "\(welcome.windowRecords)"])
      update { ($0.state, $0.lag, $0.countersigningKey) = (.delivering, lag, welcome.countersigningKey) }
    default: update { if $0.state == .delivering { $0.lag = lag } }
    }
  }

  func fromSource<Value: Sendable>(
    _ body: (any DeliverySource) async throws -> Value
  ) async throws -> Value {
    do { return try await body(source) } catch is CancellationError { throw CancellationError() } catch {
      throw SourceFailure(cause: error)
    }
  }
}
