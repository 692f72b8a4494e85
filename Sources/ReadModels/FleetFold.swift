// The fleet's projection, wired into the journal: folded on the writer's thread, stored in the transaction of the append.

internal import Events
package import Evidence
package import Journal
package import OpenSSL
package import Projections
internal import Synchronization

/// Folds each record into a `FleetState` and hands the rows that it moved to the journal.
///
/// A payload that is not an event (or of a newer version) stays in the journal and moves nothing; it is counted in `unreadable`.
package final class FleetFold: JournalFold {
  /// Raised whenever the same events give other rows: the journal then folds again from its start.
  package static let currentVersion: UInt32 = 3

  private struct Folded {
    var decoder = EventDecoder(.withoutRaw)
    var state = FleetState()
    var touched: Set<StateKey> = []
    var unreadable: UInt64 = 0
  }
  private let folded = Mutex(Folded())

  package init() {}

  package var version: UInt32 { Self.currentVersion }

  /// The state after the last record that was folded; while a commit is under way it may be ahead of the disk.
  package var state: FleetState { folded.withLock { $0.state } }

  /// Records whose payload could not be read as an event.
  package var unreadable: UInt64 { folded.withLock { $0.unreadable } }

  package func reset() {
    folded.withLock { $0 = Folded() }
  }

  package func makeEmpty() -> any JournalFold { FleetFold() }

  /// A row is an event, and events are read for ever.
  package func canLoad(version: UInt32) -> Bool { version <= Self.currentVersion }

  package func allRows() -> [StateChange] {
    folded.withLock { folded in
      folded.state.rows.map { StateChange(key: $0.key, value: Self.payload($0.event)) }
    }
  }

  package func load(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws {
    let event = try Event(payload: value)
    folded.withLock { folded in
      folded.state.apply(event)
      if let device = event.device { folded.state.rest(device) }
    }
  }

  package func apply(_ record: Record) throws {
    try folded.withLock { folded in
      do throws(EventCodingError) {
        let event = try folded.decoder.event(record.payload)
        folded.state.apply(event) { folded.touched.insert($0) }
      } catch {
        folded.unreadable += 1
        throw error
      }
    }
  }

  package func drainChanges() -> [StateChange] {
    folded.withLock { folded in
      // Until the next commit: a fleet may be large, and few of its devices are read at one time.
      defer {
        for key in folded.touched { if let device = key.device { folded.state.rest(device) } }
        folded.touched.removeAll(keepingCapacity: true)
      }
      return folded.touched.map { key in
        StateChange(key: key.bytes, value: folded.state.row(key).map(Self.payload))
      }
    }
  }

  /// The bytes of a row. Encoding fails only for messages beyond 2 GiB, which no row can be.
  static func payload(_ event: Event) -> [UInt8] {
    do throws(EventCodingError) {
      return try event.encoded()
    } catch {
      preconditionFailure("A state row cannot be encoded: \(error)")
    }
  }
}

extension FleetState {
  /// SHA-256 over all rows (docs/formats/events.md, "State rows"): equal for the same events, whoever folded them.
  package var digest: Digest {
    var digest = StateDigest()
    for row in rows { digest.add(key: row.key, value: FleetFold.payload(row.event)) }
    return digest.digest
  }
}
