// An event: one thing that happened, told in the past tense, appended before anyone acts on it or hears of it.
//
// Events are the only thing this system writes. Everything shown anywhere - current meters, open alerts, the device list - is a
// fold over them. `EventCoding` makes the bytes (docs/formats/events.md); this file and `EventBody` are what the rest sees.

/// One event with the time it was observed and, where it is about a device, that device.
package struct Event: Equatable, Sendable {
  /// When it was observed, in milliseconds since 1970 UTC by the agent's clock.
  package var time: Int64
  /// The device that it is about; nil for events of the agent itself.
  package var device: DeviceID?
  package var body: EventBody

  package init(time: Int64, device: DeviceID? = nil, _ body: EventBody) {
    self.time = time
    self.device = device
    self.body = body
  }
}

/// A device's lasting name: 16 bytes given when it was first seen. Its address, host name and even its serial number may change.
package struct DeviceID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// Returns nil unless there are exactly 16 bytes.
  package init?(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
    guard self.bytes.count == 16 else { return nil }
  }

  /// A new name from 128 random bits.
  package init(using generator: inout some RandomNumberGenerator) {
    bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// Reads 32 hexadecimal digits.
  package init?(hex: some StringProtocol) {
    let digits = Array(hex.utf8)
    guard digits.count == 32 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 32, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    self.init(bytes)
  }

  package static func < (left: DeviceID, right: DeviceID) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

  /// 32 lower-case hexadecimal digits.
  package var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
