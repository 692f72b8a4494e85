// From a wire batch to an append: shape checked, every leaf hash computed again. Pure; nothing here knows what is held.
//
// What breaks the protocol (INVALID_ARGUMENT, nothing of the batch is stored) and what is merely wrong with one record
// (a rejection) are different things: the first means the agent and the hub do not speak alike, the second is one bad
// record of a good journal.

internal import Evidence
internal import FoundationEssentials
internal import HubProtocol
internal import OpenSSL

enum BatchCheck {
  /// What a record costs beside its payload while it waits.
  static let recordOverheadBytes = 96

  /// Why a batch breaks the protocol.
  struct Violation: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// - Returns: nil for an empty batch.
  static func append(_ batch: Printtrail_Dcam_V1_Batch, install: InstallNumber) throws(Violation) -> Append? {
    guard !batch.records.isEmpty else { return nil }
    guard batch.epoch >= 1 else { throw Violation(description: "a batch names epoch 0; epochs begin at 1") }
    guard batch.firstSequence >= 1 else {
      throw Violation(description: "a batch begins at sequence 0; sequences begin at 1")
    }
    guard batch.records.count <= HubLimits.batchRecordsMax else {
      throw Violation(
        description: "a batch has \(batch.records.count) records; at most \(HubLimits.batchRecordsMax) are taken")
    }
    guard batch.firstSequence <= HubLimits.sequenceMax - UInt64(batch.records.count) else {
      throw Violation(description: "a batch reaches beyond sequence \(HubLimits.sequenceMax)")
    }
    // One record may be larger than a batch should be: it is rejected by itself, so that the stream goes on behind it.
    let payloadBytes = batch.records.reduce(0) { $0 + $1.payload.count }
    guard payloadBytes <= HubLimits.batchBytesMax || batch.records.count == 1 else {
      throw Violation(
        description: "a batch has \(payloadBytes) payload bytes; at most \(HubLimits.batchBytesMax) are taken")
    }
    var records: [DeliveredRecord] = []
    records.reserveCapacity(batch.records.count)
    for (index, record) in batch.records.enumerated() {
      let position = RecordPosition(epoch: batch.epoch, sequence: batch.firstSequence + UInt64(index))
      records.append(check(record, at: position))
    }
    return Append(
      install: install, epoch: batch.epoch, firstSequence: batch.firstSequence, records: records,
      byteCount: payloadBytes + records.count * recordOverheadBytes)
  }

  /// What an agent says that it lost.
  static func append(_ lost: Printtrail_Dcam_V1_Lost, install: InstallNumber) throws(Violation) -> Append {
    guard lost.epoch >= 1, lost.firstSequence >= 1, lost.firstSequence <= lost.lastSequence,
      lost.lastSequence <= HubLimits.sequenceMax
    else { throw Violation(description: "a loss names no range of records") }
    var append = Append(
      install: install, epoch: lost.epoch, firstSequence: lost.firstSequence, records: [],
      byteCount: recordOverheadBytes)
    append.lostThrough = lost.lastSequence
    return append
  }

  static func check(_ record: Printtrail_Dcam_V1_Record, at position: RecordPosition) -> DeliveredRecord {
    let computed = record.payload.withUnsafeBytes {
      Record.leafHash(position: position, time: record.time, payload: $0)
    }
    guard let claimed = Digest(bytes: record.hash) else {
      return DeliveredRecord(
        time: record.time, leaf: computed, payload: record.payload,
        fault: "The record's hash has \(record.hash.count) bytes, not \(Digest.byteCount).")
    }
    var fault: String?
    if claimed != computed {
      fault = "The record's hash is \(claimed), but its bytes have the hash \(computed)."
    } else if record.payload.count > HubLimits.payloadBytesMax {
      fault = "The record's payload has \(record.payload.count) bytes; at most \(HubLimits.payloadBytesMax) are taken."
    }
    return DeliveredRecord(time: record.time, leaf: claimed, payload: record.payload, fault: fault)
  }
}
