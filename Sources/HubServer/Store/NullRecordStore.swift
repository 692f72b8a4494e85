// A record store that forgets every payload, to measure the way to the store without the store. It keeps heads in
// memory, so that gaps and positions behave; what it acknowledges is lost with the process. Never a default.

internal import Evidence
internal import OpenSSL
internal import Synchronization

package final class NullRecordStore: RecordStore {
  private struct Key: Hashable {
    let install: InstallNumber
    let epoch: UInt32
  }

  private let frontiers = Mutex<[Key: MerkleFrontier]>([:])

  package init() {}

  package func append(_ appends: [Append], now: Int64) async throws -> [AppendOutcome] {
    frontiers.withLock { frontiers in
      appends.map { append in
        let key = Key(install: append.install, epoch: append.epoch)
        var frontier = frontiers[key] ?? MerkleFrontier()
        guard case .store(let overlap) = AppendPlan.of(append, held: frontier.size) else {
          return .gap(held: frontier.size)
        }
        for record in append.records[overlap...] { frontier.append(record.leaf) }
        if let last = append.lostThrough { frontier.appendZeros(through: last) }
        frontiers[key] = frontier
        var stored = StoredAppend(held: frontier.size)
        stored.appended = append.records.count - overlap
        stored.duplicates = overlap
        return .stored(stored)
      }
    }
  }

  package func holdings(of install: InstallNumber) async throws -> [Holding] {
    frontiers.withLock { frontiers in
      frontiers.filter { $0.key.install == install }
        .map { Holding(epoch: $0.key.epoch, sequence: $0.value.size) }
        .sorted { $0.epoch < $1.epoch }
    }
  }

  package func keep(_ checkpoint: DeliveredCheckpoint, now: Int64) async throws -> CheckpointOutcome {
    let key = Key(install: checkpoint.install.number, epoch: checkpoint.epoch)
    let frontier = frontiers.withLock { $0[key] } ?? MerkleFrontier()
    guard checkpoint.sequence <= frontier.size else { return .ahead(held: frontier.size) }
    // Only the newest root is known.
    guard checkpoint.sequence == frontier.size else { return .verified }
    return CheckpointCheck.fault(in: checkpoint, root: frontier.root).map { .refused(reason: $0) } ?? .verified
  }

  package func summaries(of install: InstallNumber) async throws -> [EpochSummary] { [] }

  package func keepExpress(
    _ records: [DeliveredExpress], of install: InstallNumber, now: Int64
  ) async throws -> [ExpressOutcome] { records.map { _ in .kept } }

  package func listed(
    _ kind: HeldRecord.Kind, of install: InstallNumber, after place: Holding, limit: Int
  ) async throws -> [ListedRecord] { [] }

  package func listed(_ kind: HeldRecord.Kind, of install: InstallNumber, limit: Int) async throws -> [ListedRecord] {
    []
  }

  package func records(of install: InstallNumber, epoch: UInt32, sequence: UInt64) async throws -> [HeldRecord] { [] }
}
