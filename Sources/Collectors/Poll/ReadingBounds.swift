// What of a device's objects is kept. A record of the journal has at most 256 KiB, and what a device tells must not be able to end the service: a
// text of 64 KB is cut, and of a table without end the first rows of each column stay, among them whatever is really there.
//
// The largest poll of a real device has 8 KB, the longest text 300 bytes. An event holds the objects, what was read from them, and the findings: with
// these bounds about 200 KB at the worst.

internal import MIB
internal import PrinterModel

enum ReadingBounds {
  /// Bytes of one OCTET STRING; the Printer MIB allows 255.
  static let octetsMax = 1_024
  /// Bytes of all objects of a device, with their names.
  static let walkBytesMax = 49_152
  /// What a device is odd in, told one by one: of its objects, and of the poll.
  static let findingsMax = 50
  /// About what the name and the type of an object take, packed (docs/formats/events.md).
  fileprivate static let nameBytes = 12
}

extension [VarBind] {
  /// With long texts cut, each with a finding.
  func shortened() -> (bindings: [VarBind], findings: [Finding]) {
    guard contains(where: { $0.octetCount > ReadingBounds.octetsMax }) else { return (self, []) }
    var findings: [Finding] = []
    let bindings = map { binding in
      guard binding.octetCount > ReadingBounds.octetsMax else { return binding }
      findings.append(
        Finding(
          binding.name,
          "its text has \(binding.octetCount) bytes, of which the first \(ReadingBounds.octetsMax) are kept"))
      return VarBind(binding.name, binding.value.prefix(ReadingBounds.octetsMax))
    }
    return (bindings, findings)
  }
}

extension Walk {
  /// At most `ReadingBounds.walkBytesMax`: so many rows of each column as fit, the first ones.
  func bounded() -> (walk: Walk, finding: Finding?) {
    let whole = bindings.keptBytes
    guard whole > ReadingBounds.walkBytesMax else { return (self, nil) }
    var rowsMax = Walk.tableRowsMax
    var kept = bindings
    while rowsMax > 1, kept.keptBytes > ReadingBounds.walkBytesMax {
      rowsMax /= 2
      kept = kept.firstRows(rowsMax)
    }
    var bytes = 0
    kept = Array(
      kept.prefix { binding in
        bytes += binding.keptBytes
        return bytes <= ReadingBounds.walkBytesMax
      })
    let message =
      "the device tells \(bindings.count) objects in \(whole) bytes, more than are kept: of each column the first "
      + (rowsMax == 1 ? "row" : "\(rowsMax) rows")
    return (Walk(kept), Finding(nil, message))
  }
}

extension [Finding] {
  /// The first ones, and one that counts the others.
  func bounded() -> [Finding] {
    guard count > ReadingBounds.findingsMax else { return self }
    let kept = prefix(ReadingBounds.findingsMax - 1)
    return kept + [Finding(nil, "\(count - kept.count) findings more")]
  }
}

extension [VarBind] {
  fileprivate var keptBytes: Int { reduce(0) { $0 + $1.keptBytes } }

  /// Of neighbours whose names differ in the last part alone the first ones.
  fileprivate func firstRows(_ rowsMax: Int) -> [VarBind] {
    var column: ObjectIdentifier?
    var rows = 0
    return filter { binding in
      let own = binding.name.dropLast(1)
      rows = own == column ? rows + 1 : 1
      column = own
      return rows <= rowsMax
    }
  }
}

extension VarBind {
  fileprivate var octetCount: Int {
    switch value {
    case .octets(let bytes), .opaque(let bytes), .ipAddress(let bytes): bytes.count
    default: 0
    }
  }

  fileprivate var keptBytes: Int { ReadingBounds.nameBytes + octetCount }
}

extension ObjectValue {
  fileprivate func prefix(_ count: Int) -> ObjectValue {
    switch self {
    case .octets(let bytes): .octets(Octets(bytes.prefix(count)))
    case .opaque(let bytes): .opaque(Octets(bytes.prefix(count)))
    case .ipAddress(let bytes): .ipAddress(Octets(bytes.prefix(count)))
    default: self
    }
  }
}
