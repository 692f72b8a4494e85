// The fast lane: records that come ahead of their turn, checked, kept and answered (Store/Express.swift says what is kept of them).

internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import HubProtocol
internal import Logging
internal import OpenSSL

/// The answers to one call's express records.
struct ExpressResult {
  var answers: [Printtrail_Dcam_V1_ExpressAnswer] = []
  var conflicts: [Printtrail_Dcam_V1_Conflict] = []
}

extension Delivery {
  /// Keeps what came ahead of its turn, and answers for each record; committed when it returns.
  ///
  /// - Throws: `RPCError`: INVALID_ARGUMENT for more than a call may have, or a record without a place; UNAVAILABLE if nothing could be
  ///   stored.
  func keep(
    _ records: [Printtrail_Dcam_V1_Express], install: Install, logger: Logger
  ) async throws -> ExpressResult {
    guard !records.isEmpty else { return ExpressResult() }
    let checked = try check(records)
    let taken = try await budget.take(
      checked.reduce(0) { $0 + $1.record.payload.count + BatchCheck.recordOverheadBytes })
    defer { budget.release(taken) }
    var outcomes: ArraySlice<ExpressOutcome>
    do {
      let good = checked.filter { refusal($0) == nil }
      outcomes = good.isEmpty ? [] : try await self.records.keepExpress(good, of: install.number, now: clock.now)[...]
    } catch {
      logger.error("express records not stored", metadata: ["error": "\(error)"])
      throw RPCError.storeUnavailable
    }
    var result = ExpressResult()
    for express in checked {
      if let reason = refusal(express) {
        result.add(express, .refused(reason))
      } else {
        result.add(express, verdict(outcomes.popFirst()))
      }
    }
    await tell(result, of: checked, install: install, logger)
    return result
  }

  private func check(_ records: [Printtrail_Dcam_V1_Express]) throws -> [DeliveredExpress] {
    func broken(_ what: String) -> RPCError {
      metrics.count(.violations, "express")
      return RPCError(code: .invalidArgument, message: "The check-in does not follow the protocol: \(what).")
    }
    guard records.count <= HubLimits.expressPerCallMax else {
      throw broken("it has \(records.count) express records; at most \(HubLimits.expressPerCallMax) are taken")
    }
    let bytes = records.reduce(0) { $0 + $1.record.payload.count }
    guard bytes <= HubLimits.expressCallBytesMax else {
      throw broken("its express records have \(bytes) bytes; at most \(HubLimits.expressCallBytesMax) are taken")
    }
    return try records.map { express in
      guard express.epoch >= 1, express.sequence >= 1, express.sequence <= HubLimits.sequenceMax else {
        throw broken("an express record has no place in a journal")
      }
      let place = RecordPosition(epoch: express.epoch, sequence: express.sequence)
      return DeliveredExpress(
        epoch: express.epoch, sequence: express.sequence, record: BatchCheck.check(express.record, at: place))
    }
  }

  /// Why it is not taken, whatever the store holds; the ordered record will be rejected for the same reason, where it is one.
  private func refusal(_ express: DeliveredExpress) -> String? {
    if let fault = express.record.fault { return fault }
    let bytes = express.record.payload.count
    guard bytes > HubLimits.expressPayloadBytesMax else { return nil }
    return "It has \(bytes) bytes; ahead of their turn at most \(HubLimits.expressPayloadBytesMax) are taken."
  }

  private func verdict(_ outcome: ExpressOutcome?) -> ExpressResult.Verdict? {
    switch outcome {
    case .kept?, .held?: nil
    case .conflict(let heldHash)?: .conflict(heldHash)
    case .full?, nil: .refused("As many of this install are kept ahead of their turn as may be.")
    }
  }

  private func tell(
    _ result: ExpressResult, of records: [DeliveredExpress], install: Install, _ logger: Logger
  ) async {
    for (record, answer) in zip(records, result.answers) where answer.refusal.isEmpty {
      logger.debug(
        "record ahead of its turn", metadata: ["epoch": "\(record.epoch)", "sequence": "\(record.sequence)"])
    }
    let refused = result.answers.count { !$0.refusal.isEmpty }
    metrics.count(.express, "kept", by: result.answers.count - refused)
    metrics.count(.express, "refused", by: max(0, refused - result.conflicts.count))
    metrics.count(.express, "conflicting", by: result.conflicts.count)
    for conflict in result.conflicts {
      logger.error(
        "record in conflict",
        metadata: [
          "epoch": "\(conflict.epoch)", "sequence": "\(conflict.sequence)",
          "held_hash": "\(hexadecimal(Array(conflict.heldHash)))",
        ])
    }
    await audit(conflicts: result.conflicts, rejections: [], install: install, logger)
  }
}

extension ExpressResult {
  enum Verdict {
    case refused(String)
    case conflict(Digest)
  }

  fileprivate mutating func add(_ express: DeliveredExpress, _ verdict: Verdict?) {
    var answer = Printtrail_Dcam_V1_ExpressAnswer()
    (answer.epoch, answer.sequence) = (express.epoch, express.sequence)
    switch verdict {
    case nil: break
    case .refused(let reason)?: answer.refusal = reason
    case .conflict(let heldHash)?:
      answer.refusal = "The hub holds another record under \(express.epoch)/\(express.sequence)."
      conflicts.append(Delivery.conflict(express.epoch, express.sequence, heldHash))
    }
    answers.append(answer)
  }
}
