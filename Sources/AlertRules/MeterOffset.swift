// What is added to a counter, for example after a board swap, so that the panel's count goes on. Set by people, told as an event, and kept
// apart from the raw value, which stays what the device said.

package import PrinterModel

package struct MeterOffset: Equatable, Sendable {
  package var device: DeviceSelector
  package var meter: MeterName
  package var offset: Int64
  /// In the words of whoever set it.
  package var reason: String

  package init(device: DeviceSelector, meter: MeterName, offset: Int64, reason: String) {
    self.device = device
    self.meter = meter
    self.offset = offset
    self.reason = reason
  }
}
