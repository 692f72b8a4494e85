// What can be wrong with a simulated printer, and how prtAlertTable and hrPrinterDetectedErrorState tell it.
//
// Codes, groups and severities: IANA-PRINTER-MIB (PrtAlertCodeTC, PrtAlertGroupTC) and RFC 3805. Error bits: RFC 2790,
// hrPrinterDetectedErrorState, bit 0 being the most significant one of the first byte.

/// A condition; the index is the row of the tray, bin, supply or cover it concerns.
package enum Condition: Hashable, Sendable {
  case paperLow(UInt32)
  /// `last`: no other tray has paper, so the printer stops.
  case paperOut(UInt32, last: Bool)
  case outputFull(UInt32)
  case coverOpen(UInt32)
  case jam
  case supplyLow(UInt32, SupplyType)
  case supplyOut(UInt32, SupplyType)
}

extension Condition {
  /// prtAlertSeverityLevel: 3 critical, 4 warning.
  var severity: Int64 {
    switch self {
    case .paperLow, .supplyLow, .paperOut(_, last: false): 4
    case .paperOut, .outputFull, .coverOpen, .jam, .supplyOut: 3
    }
  }

  /// A critical condition stops the printer (RFC 3805, section 2.2.13).
  var isCritical: Bool { severity == 3 }

  /// prtAlertTrainingLevel: 3 untrained, 4 trained, 5 fieldService.
  var training: Int64 {
    switch self {
    case .supplyLow(_, let type), .supplyOut(_, let type):
      switch type {
      case .fuser, .transferUnit, .cleanerUnit, .developer: 5
      case .opc, .wasteToner, .wasteInk: 4
      default: 3
      }
    default: 3
    }
  }

  /// prtAlertGroup.
  var group: Int64 {
    switch self {
    case .coverOpen: 6
    case .paperLow, .paperOut: 8
    case .outputFull: 9
    case .supplyLow, .supplyOut: 11
    case .jam: 13
    }
  }

  /// prtAlertGroupIndex.
  var groupIndex: Int64 {
    switch self {
    case .paperLow(let index), .paperOut(let index, _), .outputFull(let index), .coverOpen(let index),
      .supplyLow(let index, _), .supplyOut(let index, _):
      Int64(index)
    case .jam: 1
    }
  }

  /// prtAlertCode.
  var code: Int64 {
    switch self {
    case .paperLow: 807
    case .paperOut: 808
    case .outputFull: 903
    case .coverOpen: 3
    case .jam: 8
    case .supplyLow(_, let type): type.almostCode
    case .supplyOut(_, let type): type.overCode
    }
  }

  /// The bits of hrPrinterDetectedErrorState, as the mask of a 16-bit word whose most significant bit is bit 0.
  var errorBits: UInt16 {
    func bit(_ number: UInt16) -> UInt16 { 0x8000 >> number }
    switch self {
    case .paperLow: return bit(0)
    case .paperOut(_, last: true): return bit(1) | bit(13)
    case .paperOut(_, last: false): return bit(13)
    case .supplyLow(_, let type): return type.isColourant ? bit(2) : 0
    case .supplyOut(_, let type): return type.isColourant ? bit(3) : bit(7)
    case .coverOpen: return bit(4)
    case .jam: return bit(5)
    case .outputFull: return bit(12)
    }
  }
}

extension SupplyType {
  /// Toner or ink: what lowToner and noToner are about.
  var isColourant: Bool {
    switch self {
    case .toner, .tonerCartridge, .ink, .inkCartridge: true
    default: false
    }
  }

  fileprivate var almostCode: Int64 {
    switch self {
    case .toner, .tonerCartridge: 1104
    case .ink, .inkCartridge: 1105
    case .wasteToner: 1107
    case .wasteInk: 1108
    case .opc: 1111
    case .developer: 1113
    case .staples: 12
    case .fuser, .cleanerUnit, .transferUnit: 10
    }
  }

  fileprivate var overCode: Int64 {
    switch self {
    case .toner, .tonerCartridge: 1101
    case .ink, .inkCartridge: 1102
    case .wasteToner: 1109
    case .wasteInk: 1110
    case .opc: 1112
    case .developer: 1114
    case .staples: 13
    case .fuser, .cleanerUnit, .transferUnit: 11
    }
  }
}

/// A row of prtAlertTable.
package struct ActiveAlert: Equatable, Sendable {
  /// prtAlertIndex: never used again by this printer.
  package var index: UInt32
  package var condition: Condition
  /// prtAlertDescription.
  package var description: String
  /// Milliseconds of uptime at which it was raised.
  package var raisedAt: Int64
}
