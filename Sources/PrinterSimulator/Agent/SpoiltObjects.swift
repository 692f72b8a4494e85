// Objects that say what they should not: the device's walk as its faults show it. Names stay, so the order of the MIB does too.

internal import MIB

/// What faults make of a device's objects. Keeps what they began from.
struct SpoiltObjects: Sendable {
  /// Bytes that a text of `nul-padding` is filled up to.
  private static let paddedBytes = 64
  /// Bytes that stand in front of the line break of `hex-tails`.
  private static let headBytes = 16
  /// IANA's number of ISO 8859-1 (PrtLocalizationCharacterSet).
  private static let latin1: Int64 = 4

  private let faults: [Fault]
  private let lifeCountAtStart: UInt64
  /// The life count that was told when it dropped.
  private var lifeCountAtDrop: UInt64?

  /// - Parameter walk: the objects when the device starts.
  init(_ faults: [Fault], _ walk: Walk) {
    self.faults = faults.filter(Self.concernsObjects)
    lifeCountAtStart = Self.lifeCount(walk)
  }

  /// Whether a walk goes through unchanged.
  var isEmpty: Bool { faults.isEmpty }

  private static func concernsObjects(_ fault: Fault) -> Bool {
    switch fault {
    case .longStrings, .hugeNumbers, .nulPadding, .hexTails, .latin1, .levels, .capacities, .countDrops, .rollsOver,
      .swapped, .serialZeros:
      true
    default: false
    }
  }

  private static func lifeCount(_ walk: Walk) -> UInt64 {
    walk.subtree(PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount)).first?.value.unsigned ?? 0
  }

  /// The walk as it is shown after so many answers.
  mutating func spoilt(_ walk: Walk, replies: Int) -> Walk {
    var walk = walk
    for fault in faults {
      switch fault {
      case .countDrops(let count) where replies >= count:
        let base = lifeCountAtDrop ?? Self.lifeCount(walk)
        lifeCountAtDrop = base
        walk = walk.mapping { Self.recounted($0) { $0 - min(base, $0) } }
      case .rollsOver(let pages):
        let base = UInt64(UInt32.max) + 1 - UInt64(pages) - lifeCountAtStart
        walk = walk.mapping { Self.recounted($0) { ($0 &+ base) & UInt64(UInt32.max) } }
      case .swapped(let count) where replies >= count: walk = Self.swapped(walk)
      case .serialZeros(let count) where replies >= count: walk = Self.padded(walk)
      case .countDrops, .swapped, .serialZeros: break
      default: walk = walk.mapping { Self.spoilt($0, fault) }
      }
    }
    return walk
  }

  // MARK: One object

  private static func spoilt(_ binding: VarBind, _ fault: Fault) -> ObjectValue {
    let (name, value) = (binding.name, binding.value)
    switch fault {
    case .longStrings(let root) where name.isWithin(root):
      return text(value).map {
        .octets(Array($0.prefix(1)) + [UInt8](repeating: 0x41, count: Fault.longStringBytes - 1))
      }
        ?? value
    case .hugeNumbers(let root) where name.isWithin(root):
      if case .integer = value { return .integer(.max) }
      return value.isNumeric ? .counter64(1 << 63) : value
    case .nulPadding:
      return text(value).map { .octets($0 + [UInt8](repeating: 0, count: max(0, paddedBytes - $0.count))) } ?? value
    case .hexTails: return text(value).map { .octets(withHexTail($0)) } ?? value
    case .latin1 where name.isWithin(PrinterMIB.Localization.entry.appending(PrinterMIB.Localization.characterSet)):
      return .integer(latin1)
    case .latin1 where isLocalized(name): return text(value).map { .octets($0 + [0x20, 0xFC]) } ?? value
    case .levels(let level) where name.isWithin(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level)):
      return .integer(Int64(level))
    case .capacities(let capacity)
    where name.isWithin(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.maxCapacity)):
      return .integer(Int64(capacity))
    default: return value
    }
  }

  /// Columns whose texts are in the device's character set.
  private static func isLocalized(_ name: ObjectIdentifier) -> Bool {
    let columns = [
      PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.description),
      PrinterMIB.Input.entry.appending(PrinterMIB.Input.name),
      PrinterMIB.Console.entry.appending(PrinterMIB.Console.text),
    ]
    return columns.contains { name.isWithin($0) }
  }

  /// The bytes of a text in ASCII; nil for everything else, also for addresses and states.
  private static func text(_ value: ObjectValue) -> [UInt8]? {
    guard let bytes = value.octets?.array, !bytes.isEmpty, bytes.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
      return nil
    }
    return bytes
  }

  private static func withHexTail(_ text: [UInt8]) -> [UInt8] {
    guard text.count > headBytes else { return text }
    // With the string's NUL, as the recordings have it.
    let pairs = (text.dropFirst(headBytes) + [0]).map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
    return text.prefix(headBytes) + Array(("\n" + pairs.joined(separator: " ") + " ").utf8)
  }

  private static func recounted(_ binding: VarBind, _ change: (UInt64) -> UInt64) -> ObjectValue {
    guard binding.name.isWithin(PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount)),
      let value = binding.value.unsigned
    else { return binding.value }
    return .counter32(UInt32(truncatingIfNeeded: change(value)))
  }

  // MARK: Who it is

  private static func serial(_ walk: Walk) -> [UInt8] {
    let column = PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber)
    return walk.subtree(column).first?.value.octets?.array ?? []
  }

  /// Another serial number wherever the first one stands, and another hardware address.
  private static func swapped(_ walk: Walk) -> Walk {
    let serial = serial(walk)
    let other = serial.reversed().map { $0 == 0x39 ? 0x30 : (0x30..<0x39).contains($0) ? $0 + 1 : $0 }
    let addresses = MIB2.Interface.entry.appending(MIB2.Interface.physicalAddress)
    return walk.mapping { binding in
      guard var bytes = binding.value.octets?.array, !bytes.isEmpty else { return binding.value }
      if binding.name.isWithin(addresses) {
        bytes[bytes.count - 1] ^= 0x55
        return .octets(bytes)
      }
      return .octets(bytes.replacing(serial, with: other))
    }
  }

  private static func padded(_ walk: Walk) -> Walk {
    let serial = serial(walk)
    return walk.mapping { binding in
      guard let bytes = binding.value.octets?.array else { return binding.value }
      return .octets(bytes.replacing(serial, with: [0x30, 0x30] + serial))
    }
  }
}

extension Walk {
  fileprivate func mapping(_ change: (VarBind) -> ObjectValue) -> Walk {
    Walk(bindings.map { VarBind($0.name, change($0)) })
  }
}

extension [UInt8] {
  /// With each occurrence of `part` replaced.
  fileprivate func replacing(_ part: [UInt8], with other: [UInt8]) -> [UInt8] {
    guard !part.isEmpty, count >= part.count else { return self }
    var result: [UInt8] = []
    var position = 0
    while position < count {
      if self[position...].starts(with: part) {
        result += other
        position += part.count
      } else {
        result.append(self[position])
        position += 1
      }
    }
    return result
  }
}
