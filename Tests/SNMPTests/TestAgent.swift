internal import MIB
internal import SNMP

/// A device in memory: answers requests from a walk, with the habits a test gives it.
struct TestAgent {
  enum Habit: Hashable {
    /// SNMPv1: noSuchName where nothing follows, no exceptions.
    case v1
    /// GetBulk is not answered at all.
    case silentToBulk
    /// GetBulk is answered with genErr.
    case genErrToBulk
    /// Get is not answered at all.
    case silentToGet
    /// More than one name is not answered at all.
    case silentToSeveralNames
    /// genErr instead of leaving this subtree.
    case genErrAtEndOf(ObjectIdentifier)
    /// genErr, with the right index, for whatever would be answered with this name.
    case genErrAt(ObjectIdentifier)
    /// As `genErrAt`, without an index.
    case genErrWithoutIndexAt(ObjectIdentifier)
    /// After the first name comes the second.
    case jump(from: ObjectIdentifier, to: ObjectIdentifier)
    /// More bindings than this are tooBig.
    case answersAtMost(Int)
    /// The last binding of an answer to several names is left out.
    case forgetsLastOfSeveral
    /// The value is an exception of Get though a next name was asked.
    case exceptionAt(ObjectIdentifier)
    /// Nothing is answered any more after this many requests.
    case diesAfter(Int)
  }

  let walk: Walk
  var habits: Set<Habit> = []
  private(set) var requests: [Request] = []

  /// What the first GetBulk asked after.
  var firstBulkName: ObjectIdentifier {
    for case .getBulk(let names, _, _) in requests { return names[0] }
    return []
  }

  init(_ walk: Walk, _ habits: Habit...) {
    self.walk = walk
    self.habits = Set(habits)
  }

  /// Runs a source to its end against this device.
  mutating func run(_ source: inout some RequestSource) {
    while let request = source.next() {
      switch answer(request) {
      case .success(let response): source.received(response)
      case .failure(let failure): source.failed(failure)
      }
    }
  }

  private mutating func answer(_ request: Request) -> Result<Response, SessionFailure> {
    requests.append(request)
    for case .diesAfter(let count) in habits where requests.count > count { return .failure(.timeout(sends: 3)) }
    if habits.contains(.silentToSeveralNames), request.names.count > 1 { return .failure(.timeout(sends: 3)) }
    switch request {
    case .get(let names):
      if habits.contains(.silentToGet) { return .failure(.timeout(sends: 3)) }
      return .success(rows([names.map { .success(VarBind($0, walk[$0] ?? .noSuchInstance)) }], names.count))
    case .getNext(let names):
      return .success(rows([names.map(next)], names.count))
    case .getBulk(let names, let nonRepeaters, let repetitions):
      if habits.contains(.silentToBulk) { return .failure(.timeout(sends: 3)) }
      if habits.contains(.genErrToBulk) { return .success(Response([], errorStatus: .genErr)) }
      var cursors = names.dropFirst(nonRepeaters)
      var table = nonRepeaters > 0 ? [names.prefix(nonRepeaters).map(next)] : []
      table += (0..<repetitions).map { _ in
        let row = cursors.map(next)
        cursors = zip(cursors, row).map { cursor, cell in (try? cell.get().name) ?? cursor }[...]
        return row
      }
      return .success(rows(table, names.count))
    }
  }

  private struct Refusal: Error {
    let status: ErrorStatus
    let hasIndex: Bool
  }

  private func next(_ name: ObjectIdentifier) -> Result<VarBind, Refusal> {
    for case .jump(let from, let to) in habits where from == name {
      return .success(VarBind(to, walk[to] ?? .integer(0)))
    }
    for case .genErrAtEndOf(let root) in habits where name.isWithin(root) {
      if walk.next(after: name)?.name.isWithin(root) != true {
        return .failure(Refusal(status: .genErr, hasIndex: true))
      }
    }
    guard let following = walk.next(after: name) else { return .success(VarBind(name, .endOfMibView)) }
    if habits.contains(.genErrAt(following.name)) { return .failure(Refusal(status: .genErr, hasIndex: true)) }
    if habits.contains(.genErrWithoutIndexAt(following.name)) {
      return .failure(Refusal(status: .genErr, hasIndex: false))
    }
    if habits.contains(.exceptionAt(following.name)) { return .success(VarBind(following.name, .noSuchInstance)) }
    return .success(following)
  }

  private func rows(_ table: [[Result<VarBind, Refusal>]], _ width: Int) -> Response {
    var bindings: [VarBind] = []
    for row in table {
      for (column, cell) in row.enumerated() {
        switch cell {
        case .success(let binding):
          if habits.contains(.v1), binding.value.isException {
            return Response([], errorStatus: .noSuchName, errorIndex: column + 1)
          }
          if habits.contains(.genErrAt(binding.name)), table.count == 1, walk[binding.name] == binding.value {
            return Response([], errorStatus: .genErr, errorIndex: column + 1)
          }
          bindings.append(binding)
        case .failure(let refusal):
          return Response([], errorStatus: refusal.status, errorIndex: refusal.hasIndex ? column + 1 : 0)
        }
      }
    }
    for case .answersAtMost(let most) in habits where bindings.count > most {
      return Response([], errorStatus: .tooBig)
    }
    if habits.contains(.forgetsLastOfSeveral), width > 1 { bindings.removeLast() }
    return Response(bindings, requestBytes: 40, responseBytes: 20 * bindings.count)
  }
}

/// A printer's tables, small.
enum SamplePrinter {
  static let marker: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 10, 2, 1]
  static let supplies: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 11, 1, 1]
  static let system: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1]
  static let supplyColumns = (2...9).map { supplies.appending(UInt32($0)) }
  static let supplyRows = 12

  static let walk: Walk = {
    var bindings = (1...6).map { VarBind(system.appending(UInt32($0), 0), .integer(Int64($0))) }
    bindings += (2...15).map { VarBind(marker.appending(UInt32($0), 1, 1), .counter32(UInt32($0))) }
    for column in supplyColumns {
      bindings += (1...supplyRows).map { VarBind(column.appending(1, UInt32($0)), .integer(Int64($0))) }
    }
    bindings.append(VarBind([1, 3, 6, 1, 4, 1, 11, 2, 1, 0], .integer(1)))
    return Walk(bindings)
  }()

  static var allSupplies: [VarBind] { Array(walk.subtree(supplies)) }
}
