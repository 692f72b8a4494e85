// The raw objects behind each device's last reading: those of the last whole reading with the differences since applied
// (docs/formats/events.md). Uptime and the alert table are as the whole reading had them, because differences leave them out.
//
// Holds one walk a device: some 50 KB each. A device whose chain is broken, because its records before are not there or one cannot be
// read, has none until its next whole reading.

package import Events
package import MIB

package struct RawObjects: Equatable, Sendable {
  private var walks: [DeviceID: Walk] = [:]

  package init() {}

  /// The objects of the device's last reading; nil where they are not known.
  package subscript(device: DeviceID) -> Walk? { walks[device] }

  package mutating func apply(_ event: Event) {
    guard let device = event.device else { return }
    switch event.body {
    case .readingTaken(let taken): walks[device] = taken.raw
    case .readingChanged(let changed):
      for name in changed.removed { walks[device]?.remove(name) }
      for binding in changed.raw { walks[device]?.set(binding.name, binding.value) }
    default: break
    }
  }

  /// A record could not be read: it may have changed anything of this device, or, where not even that can be read, of any.
  package mutating func forget(_ device: DeviceID?) {
    if let device { walks[device] = nil } else { walks.removeAll() }
  }
}
