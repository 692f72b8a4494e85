// Where a fold over the journal begins: at the first record, or where retention removed some, with the fleet as it was behind them.

package import Evidence
package import Journal
package import Projections

internal import Events

package struct FleetBase: Sendable {
  package let state: FleetState
  /// The last record that was removed; nil where none was.
  package let removed: RecordPosition?
  /// Where reading goes on.
  package var first: RecordPosition { removed.flatMap(\.next) ?? .start }

  package init(_ reader: JournalReader) throws {
    var state = FleetState()
    var decoder = EventDecoder(.withoutRaw)
    removed = try reader.scanSnapshot { _, value in state.apply(try decoder.event(value)) }?.position
    self.state = state
  }

  /// Says that what is asked for lay before the base.
  func expect(_ position: RecordPosition) throws(JournalError) {
    if let removed, position < removed { throw .removed(through: removed) }
  }
}
