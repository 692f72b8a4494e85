// The fleet as the journal's projection has it, read from another process.

package import Journal
package import Projections

internal import ReadModels

package enum FleetView {
  /// The state that the journal's rows hold at this moment.
  /// - Throws: `JournalError`, or what a row that cannot be read says.
  package static func load(_ reader: JournalReader) throws -> FleetState {
    let fold = FleetFold()
    try reader.scanState { try fold.load(key: $0, value: $1) }
    return fold.state
  }
}
