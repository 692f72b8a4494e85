// The devices of a fleet, by their ids. A state is hundreds of bytes: a dictionary of them keeps room for half as many more as there are, and is
// copied whole when it changes while somebody looks at a former one. Here a row is a pointer, and what is copied is the device that changes.

package import Events

package struct DeviceTable: Equatable, Sendable {
  /// `@unchecked Sendable`: it changes only while one table alone has it.
  private final class Row: @unchecked Sendable {
    var state: DeviceState
    init(_ state: DeviceState) { self.state = state }
  }

  private var rows: [DeviceID: Row] = [:]

  package init() {}

  package var count: Int { rows.count }
  /// In no order.
  package var values: some Collection<DeviceState> { rows.values.lazy.map(\.state) }

  package subscript(id: DeviceID) -> DeviceState? {
    get { rows[id]?.state }
    set { rows[id] = newValue.map { Row($0) } }
  }

  /// Changes a device, which is made where there is none.
  mutating func change(_ id: DeviceID, _ body: (inout DeviceState) -> Void) {
    guard let index = rows.index(forKey: id) else {
      var state = DeviceState(id: id)
      body(&state)
      rows[id] = Row(state)
      return
    }
    if !isKnownUniquelyReferenced(&rows.values[index]) { rows.values[index] = Row(rows.values[index].state) }
    body(&rows.values[index].state)
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.rows.count == right.rows.count && left.rows.allSatisfy { id, row in right[id] == row.state }
  }
}
