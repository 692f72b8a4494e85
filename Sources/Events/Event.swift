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
  package static let byteCount = 16

  /// The bytes as two numbers, the first byte most significant: compared and hashed without looking into memory.
  private let high: UInt64
  private let low: UInt64

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Returns nil unless there are exactly 16 bytes.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    func number(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(high: number(bytes.prefix(8)), low: number(bytes.suffix(8)))
  }

  /// Reads 16 bytes at an offset, where as many must be.
  init(loading bytes: UnsafeRawBufferPointer, at offset: Int) {
    precondition(offset + Self.byteCount <= bytes.count)
    high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
  }

  /// A new name from 128 random bits.
  package init(using generator: inout some RandomNumberGenerator) {
    high = generator.next()
    low = generator.next()
  }

  /// Reads 32 hexadecimal digits.
  package init?(hex: some StringProtocol) {
    let digits = Array(hex.utf8)
    func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
      digits.first == UInt8(ascii: "+") ? nil : UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }
    guard digits.count == 2 * Self.byteCount, let high = number(digits[..<16]), let low = number(digits[16...]) else {
      return nil
    }
    self.init(high: high, low: low)
  }

  /// Sixteen zero bytes stand for no device at all.
  var isZero: Bool { high == 0 && low == 0 }

  package var bytes: [UInt8] {
    withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
  }

  package static func < (left: DeviceID, right: DeviceID) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  /// The first eight digits, by which people tell devices apart.
  package var short: String { String(description.prefix(8)) }

  /// 32 lower-case hexadecimal digits.
  package var description: String {
    [high, low].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
