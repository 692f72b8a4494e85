// The command responder: a request PDU in, a response PDU out (RFC 3416, section 4.2; RFC 1157, section 4.1 for SNMPv1).
//
//   GET      v1: a missing object is noSuchName. v2c and v3: noSuchObject or noSuchInstance in its binding.
//   GETNEXT  v1: noSuchName at the end of the MIB; a Counter64 is passed over (RFC 3584, section 4.2.2.1).
//   GETBULK  not in v1. Stops where the response would outgrow the message, or at endOfMibView.
//   SET      refused: noAccess or notWritable; v1: noSuchName (RFC 3584, section 4.4).
//
// A GET or GETNEXT whose response outgrows the message is answered with tooBig. The responder is pure: the MIB is handed in.

package import MIB
package import SNMP

package struct Responder {
  /// Bindings of one GETBULK response; 128 of the smallest fill a datagram of 1,472 bytes.
  static let bulkBindingsMax = 128
  /// Bindings of one request; more do not fit a datagram either.
  static let requestBindingsMax = 256

  package enum Version: Sendable {
    case v1
    /// SNMPv2c and SNMPv3, which answer alike.
    case v2
  }

  let walk: Walk
  let version: Version
  let quirks: Quirks
  let faults: [Fault]
  /// Bytes that the variable bindings of the response may have.
  let bindingBytesMax: Int
  private let manyRows: ManyRows?
  /// Bindings of one response, beyond which this device says tooBig.
  private let bindingsMax: Int

  package init(walk: Walk, version: Version, quirks: Quirks = Quirks(), faults: [Fault] = [], bindingBytesMax: Int) {
    self.walk = walk
    self.version = version
    self.quirks = quirks
    self.faults = faults
    self.bindingBytesMax = bindingBytesMax
    manyRows =
      faults.lazy.compactMap { if case .millionRows(let column) = $0 { ManyRows(column, walk) } else { nil } }
      .first
    bindingsMax = faults.lazy.compactMap { if case .tooBigAbove(let count) = $0 { count } else { nil } }.first ?? .max
  }

  /// The response, or nil when this device does not answer such a request.
  package func respond(to request: PDU) -> PDU? {
    guard request.bindings.count <= Self.requestBindingsMax else { return nil }
    if faults.contains(.tooBig) { return tooBig(request) }
    switch request.type {
    case .get:
      guard !quirks.getNextOnly, !(quirks.singleGetsOnly && request.bindings.count > 1) else { return nil }
      return fitted(request, answer(request, get))
    case .getNext:
      guard !(quirks.singleGetsOnly && request.bindings.count > 1) else { return nil }
      return fitted(request, answer(request, getNext))
    case .getBulk:
      guard version == .v2, !quirks.noBulk else { return nil }
      let response = bulk(request)
      return response.bindings.count <= bindingsMax ? response : tooBig(request)
    case .set:
      return refuseSet(request)
    case .response, .trapV1, .inform, .trapV2, .report:
      return nil
    }
  }

  // MARK: One name

  private enum Outcome {
    case binding(VarBind)
    case failure(ErrorStatus)
  }

  private func get(_ name: ObjectIdentifier) -> Outcome {
    if isBroken(name) { return .failure(.genErr) }
    if let row = manyRows?.binding(name) { return .binding(row) }
    if let value = walk[name], !isHidden(value) { return .binding(VarBind(name, value)) }
    guard version == .v2 else { return .failure(.noSuchName) }
    return .binding(VarBind(name, isKnownObject(name) ? .noSuchInstance : .noSuchObject))
  }

  private func getNext(_ name: ObjectIdentifier) -> Outcome {
    for fault in faults {
      switch fault {
      case .nonIncreasing(let start) where name >= start: return .binding(VarBind(name, walk[name] ?? .integer(0)))
      case .cycle(let start) where name >= start:
        return walk.bindings.first.map(Outcome.binding) ?? .failure(.genErr)
      default: break
      }
    }
    var next = walk.next(after: name)
    while let found = next, isHidden(found.value) || manyRows?.holds(found.name) ?? false {
      next = walk.next(after: found.name)
    }
    if let row = manyRows?.next(after: name), next.map({ row.name < $0.name }) ?? true { next = row }
    guard let next else {
      if quirks.genErrAtEnd { return .failure(.genErr) }
      return version == .v1 ? .failure(.noSuchName) : .binding(VarBind(name, .endOfMibView))
    }
    return isBroken(next.name) ? .failure(.genErr) : .binding(next)
  }

  /// SNMPv1 has no Counter64.
  private func isHidden(_ value: ObjectValue) -> Bool {
    if case .counter64 = value { version == .v1 } else { false }
  }

  private func isBroken(_ name: ObjectIdentifier) -> Bool {
    faults.contains { if case .genErr(let start) = $0 { name >= start } else { false } }
  }

  /// Whether some instance of the same object exists: the name less its index has something below it.
  private func isKnownObject(_ name: ObjectIdentifier) -> Bool {
    (1...2).contains { count in
      guard name.count > 8 + count else { return false }
      let object = name.dropLast(count)
      return walk.next(after: object)?.name.isWithin(object) ?? false
    }
  }

  // MARK: Requests

  private func answer(_ request: PDU, _ one: (ObjectIdentifier) -> Outcome) -> PDU {
    var bindings: [VarBind] = []
    for (position, binding) in request.bindings.enumerated() {
      switch one(binding.name) {
      case .binding(let found): bindings.append(found)
      case .failure(let status):
        return request.response(request.bindings, errorStatus: status, errorIndex: Int32(position + 1))
      }
    }
    return request.response(bindings)
  }

  private func bulk(_ request: PDU) -> PDU {
    let once = min(max(0, Int(request.nonRepeaters)), request.bindings.count)
    var bindings: [VarBind] = []
    var bytes = 0
    /// Adds what follows a name; false when the response is full.
    func add(_ binding: VarBind) -> Bool {
      bytes += binding.encodedByteCount
      guard bytes <= bindingBytesMax, bindings.count < Self.bulkBindingsMax else { return false }
      bindings.append(binding)
      return true
    }
    for (position, binding) in request.bindings.prefix(once).enumerated() {
      switch getNext(binding.name) {
      case .binding(let found): if !add(found) { return request.response(bindings) }
      case .failure(let status):
        return request.response(request.bindings, errorStatus: status, errorIndex: Int32(position + 1))
      }
    }
    var names = request.bindings.dropFirst(once).map(\.name)
    for _ in 0..<max(0, Int(request.maxRepetitions)) where !names.isEmpty {
      var ended = 0
      for column in names.indices {
        switch getNext(names[column]) {
        case .binding(let found):
          guard add(found) else { return request.response(bindings) }
          names[column] = found.name
          if found.value == .endOfMibView { ended += 1 }
        case .failure(let status):
          // RFC 3416, section 4.2.3: the error concerns the binding of the request.
          return request.response(request.bindings, errorStatus: status, errorIndex: Int32(once + column + 1))
        }
      }
      if ended == names.count { break }
    }
    return request.response(bindings)
  }

  private func refuseSet(_ request: PDU) -> PDU {
    let exists = request.bindings.first.map { walk[$0.name] != nil } ?? false
    let status: ErrorStatus = version == .v1 ? .noSuchName : exists ? .notWritable : .noAccess
    return request.response(request.bindings, errorStatus: status, errorIndex: request.bindings.isEmpty ? 0 : 1)
  }

  private func fitted(_ request: PDU, _ response: PDU) -> PDU {
    let bytes = response.bindings.reduce(0) { $0 + $1.encodedByteCount }
    return bytes <= bindingBytesMax && response.bindings.count <= bindingsMax ? response : tooBig(request)
  }

  /// RFC 3416, section 4.2.1: tooBig comes without bindings; RFC 1157, section 4.1.2: with those of the request.
  private func tooBig(_ request: PDU) -> PDU {
    request.response(version == .v1 ? request.bindings : [], errorStatus: .tooBig)
  }
}

/// A column of a million rows, made as they are asked for.
private struct ManyRows {
  let column: ObjectIdentifier
  let value: ObjectValue

  init(_ column: ObjectIdentifier, _ walk: Walk) {
    self.column = column
    value = walk.subtree(column).first?.value ?? .integer(1)
  }

  func holds(_ name: ObjectIdentifier) -> Bool { name.isWithin(column) }

  func binding(_ name: ObjectIdentifier) -> VarBind? { row(of: name).map { _ in VarBind(name, value) } }

  func next(after name: ObjectIdentifier) -> VarBind? {
    if name < column.appending(1, 1) { return VarBind(column.appending(1, 1), value) }
    guard let index = name.suffix(below: column).map(Array.init), index.count > 1, index[0] == 1,
      index[1] < Fault.rows
    else { return nil }
    return VarBind(column.appending(1, index[1] + 1), value)
  }

  private func row(of name: ObjectIdentifier) -> UInt32? {
    guard let index = name.suffix(below: column).map(Array.init), index.count == 2, index[0] == 1,
      (1...Fault.rows).contains(index[1])
    else { return nil }
    return index[1]
  }
}

extension VarBind {
  /// Bytes of this binding in BER, or a few more.
  var encodedByteCount: Int {
    // Tag and length octets: 1 + up to 3 each for the sequence, the name and the value.
    12 + name.encodedByteCount + value.encodedByteCount
  }
}

extension ObjectIdentifier {
  fileprivate var encodedByteCount: Int {
    reduce(0) { $0 + Swift.max(1, (38 - Int($1.leadingZeroBitCount)) / 7) }
  }
}

extension ObjectValue {
  fileprivate var encodedByteCount: Int {
    switch self {
    case .integer, .counter32, .gauge32, .timeTicks: 9
    case .counter64: 9
    case .octets(let bytes), .opaque(let bytes), .ipAddress(let bytes): bytes.count
    case .objectIdentifier(let name): name.encodedByteCount
    case .null, .noSuchObject, .noSuchInstance, .endOfMibView: 0
    }
  }
}
