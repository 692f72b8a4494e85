// Walking columns and subtrees of a device, kindly.
//
//   * Neighbours (roots with the same parent: the columns of one table) are read side by side, a row per request.
//   * GetNext first, for few columns; GetBulk with few repetitions once the device has shown that it walks; both grow by
//     doubling while all goes well.
//   * Whatever goes wrong makes the next request smaller: the columns concerned are isolated, that is, each is read alone
//     and by GetNext from then on, and at once. Only when an isolated column fails does its subtree end, with a finding;
//     the others go on.
//
//     answer          several columns or GetBulk             one column, GetNext
//     --------------  -------------------------------------  -------------------------------------------
//     tooBig          halve repetitions, then columns        finding, subtree ends
//     noSuchName      named column ends (v1: end of the MIB) subtree ends
//     other error     isolate the named one, or all          finding, subtree ends
//     no answer       isolate, smaller requests              finding, subtree ends; stop after several in a row
//     misshapen       one column per request for good        nothing in it: finding, subtree ends
//     not increasing  GetBulk: never again                   finding, subtree ends
//
// A first GetBulk that fails in any of these ways was also the last one.
//
// Termination: each answer moves a column on to a greater name, ends one, or shrinks the request; requests are capped too.

package import MIB

/// A walk over several roots. Each root ends on its own; what was read stays.
package struct TableWalk: RequestSource {
  private struct Column {
    let root: ObjectIdentifier
    /// The last name given, or the root.
    var cursor: ObjectIdentifier
    var bindings: [VarBind] = []
    var hasEnded = false
    /// Read alone and by GetNext, since in company something went wrong.
    var isIsolated = false

    init(_ root: ObjectIdentifier) {
      self.root = root
      cursor = root
    }
  }

  private struct Outstanding {
    /// Indices into `columns`, in the order asked.
    let columns: [Int]
    /// Nil for GetNext.
    let repetitions: Int?
  }

  package private(set) var findings: [ReadFinding] = []
  package private(set) var statistics = ReadStatistics()
  package private(set) var stopped: ReadStop?
  package private(set) var abilities: DeviceAbilities

  private let limits: ReadLimits
  private var columns: [Column]
  /// Ranges of `columns` that are read side by side.
  private var groups: ArraySlice<Range<Int>>
  private var outstanding: Outstanding?
  private var failuresInARow = 0
  /// A device that stops answering teaches nothing about the size of requests.
  private var abilitiesBeforeFailures: DeviceAbilities?
  private var bindingsCount = 0

  /// - Parameters:
  ///   - roots: columns or whole subtrees. Neighbours in this list with the same parent are read side by side.
  ///   - abilities: what is known of the device; read it again afterwards.
  package init(roots: [ObjectIdentifier], abilities: DeviceAbilities, limits: ReadLimits = ReadLimits()) {
    self.abilities = abilities
    self.limits = limits
    columns = roots.map(Column.init)
    groups = Self.groups(roots)[...]
  }

  /// Every binding read, root by root.
  package var bindings: [VarBind] { columns.flatMap(\.bindings) }

  package mutating func next() -> Request? {
    precondition(outstanding == nil, "the last request is still unanswered")
    guard stopped == nil else { return nil }
    guard let batch = nextBatch() else { return nil }
    guard statistics.requests < limits.requestsMax else {
      stopped = .requestsExhausted(limits.requestsMax)
      return nil
    }
    statistics.requests += 1
    let names = batch.map { columns[$0].cursor }
    let repetitions = min(abilities.repetitions.current, max(limits.bindingsPerResponseMax / batch.count, 1))
    guard abilities.mayUseBulk, repetitions > 1, !columns[batch[0]].isIsolated else {
      outstanding = Outstanding(columns: batch, repetitions: nil)
      return .getNext(names)
    }
    outstanding = Outstanding(columns: batch, repetitions: repetitions)
    return .getBulk(names, nonRepeaters: 0, maxRepetitions: repetitions)
  }

  package mutating func received(_ response: Response) {
    guard let asked = outstanding else { return }
    outstanding = nil
    failuresInARow = 0
    abilitiesBeforeFailures = nil
    statistics.count(response)
    switch response.errorStatus {
    case .noError: take(response.bindings, asked)
    case .tooBig: tooBig(asked)
    case .noSuchName: noSuchName(response, asked)
    default: deviceError(response, asked)
    }
    guard stopped == nil, bindingsCount > limits.bindingsMax else { return }
    stopped = .bindingsExhausted(limits.bindingsMax)
  }

  package mutating func failed(_ failure: SessionFailure) {
    guard let asked = outstanding else { return }
    outstanding = nil
    statistics.failures += 1
    failuresInARow += 1
    let former = abilitiesBeforeFailures ?? abilities
    abilitiesBeforeFailures = former
    if failure.isAuthentication || failuresInARow >= limits.failuresInARowMax {
      stopped = .unreachable(failure)
      abilities = former
    } else if asked.columns.count > 1 || asked.repetitions != nil {
      if let repetitions = asked.repetitions { abilities.repetitions.halve(used: repetitions) }
      abilities.columns.halve(used: asked.columns.count)
      isolate(asked.columns, after: asked, .failure(failure))
    } else {
      end(asked.columns) { .noAnswer(failure, $0.cursor) }
    }
  }
}

// MARK: - What to ask

extension TableWalk {
  /// Ranges of consecutive roots with the same parent.
  private static func groups(_ roots: [ObjectIdentifier]) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    for (index, root) in roots.enumerated() {
      let parent = root.components.dropLast()
      if let last = groups.last, roots[last.lowerBound].components.dropLast() == parent {
        groups[groups.count - 1] = last.lowerBound..<(index + 1)
      } else {
        groups.append(index..<(index + 1))
      }
    }
    return groups
  }

  /// Columns of the first group that has any left: an isolated one, or as many as the device bears.
  private mutating func nextBatch() -> [Int]? {
    while let group = groups.first {
      let left = group.filter { !columns[$0].hasEnded }
      if let isolated = left.first(where: { columns[$0].isIsolated }) { return [isolated] }
      if !left.isEmpty { return Array(left.prefix(abilities.columns.current)) }
      groups.removeFirst()
    }
    return nil
  }
}

// MARK: - What was answered

extension TableWalk {
  private mutating func take(_ bindings: [VarBind], _ asked: Outstanding) {
    let width = asked.columns.count
    let isMisshapen = asked.repetitions == nil ? bindings.count != width : bindings.count < width
    guard !isMisshapen else { return misshapen(bindings, asked) }
    var went = true
    for (position, binding) in bindings.enumerated() {
      let column = asked.columns[position % width]
      if columns[column].hasEnded { continue }
      went = take(binding, column, asked)
      if !went { break }
    }
    if went { learn(rows: bindings.count / width, asked) }
  }

  /// Moves one column on. Returns false when the rest of the answer is not to be trusted.
  private mutating func take(_ binding: VarBind, _ index: Int, _ asked: Outstanding) -> Bool {
    let root = columns[index].root
    if binding.value == .endOfMibView || (binding.name > root && !binding.name.isWithin(root)) {
      columns[index].hasEnded = true
      return true
    }
    guard !binding.value.isException else {
      end([index]) { _ in .unexpectedException(binding.value, binding.name) }
      return true
    }
    guard binding.name > columns[index].cursor else {
      if asked.repetitions != nil {
        refuseBulk(.notIncreasing)
        return false
      }
      end([index]) { column in
        column.bindings.contains { $0.name == binding.name }
          ? .cycle(root: root, after: column.cursor, received: binding.name)
          : .notIncreasing(root: root, after: column.cursor, received: binding.name)
      }
      return true
    }
    columns[index].cursor = binding.name
    columns[index].bindings.append(binding)
    bindingsCount += 1
    if columns[index].bindings.count >= limits.bindingsPerRootMax { end([index]) { .rootExhausted($0.root) } }
    return true
  }

  /// A good answer allows a larger request next.
  private mutating func learn(rows: Int, _ asked: Outstanding) {
    if asked.columns.count == abilities.columns.current { abilities.columns.grow() }
    guard let repetitions = asked.repetitions else { return abilities.getNextWorked() }
    abilities.bulk = .proven
    let isFull = rows >= repetitions && !asked.columns.contains { columns[$0].hasEnded }
    if isFull { abilities.repetitions.grow() }
  }

  /// An answer whose bindings cannot be assigned to what was asked.
  private mutating func misshapen(_ bindings: [VarBind], _ asked: Outstanding) {
    if asked.columns.count > 1 || asked.repetitions != nil {
      findings.append(.misshapen(asked: asked.columns.count, received: bindings.count))
      if asked.repetitions == nil { abilities.columns.limit(to: 1) }
      isolate(asked.columns, after: asked, .misshapen)
    } else if let first = bindings.first {
      // One column and more than one binding: the first one answers it.
      findings.append(.misshapen(asked: 1, received: bindings.count))
      _ = take(first, asked.columns[0], asked)
    } else {
      end(asked.columns) { .missing($0.cursor) }
    }
  }

  private mutating func tooBig(_ asked: Outstanding) {
    if let repetitions = asked.repetitions, repetitions > 2 {
      abilities.repetitions.halve(used: repetitions)
    } else if asked.columns.count > 1 {
      abilities.columns.halve(used: asked.columns.count)
    } else if asked.repetitions != nil {
      refuseBulk(.error(.tooBig))
    } else {
      end(asked.columns) { .tooBig($0.cursor) }
    }
  }

  /// SNMPv1 has no other way to say that nothing follows (RFC 1157, section 4.1.3), and some later agents keep to it.
  private mutating func noSuchName(_ response: Response, _ asked: Outstanding) {
    if asked.repetitions != nil {
      deviceError(response, asked)
    } else if asked.columns.indices.contains(response.errorIndex - 1) {
      columns[asked.columns[response.errorIndex - 1]].hasEnded = true
    } else if asked.columns.count > 1 {
      deviceError(response, asked)
    } else {
      columns[asked.columns[0]].hasEnded = true
    }
  }

  private mutating func deviceError(_ response: Response, _ asked: Outstanding) {
    let position = response.errorIndex - 1
    let names = asked.columns.indices.contains(position) ? [asked.columns[position]] : asked.columns
    if asked.columns.count > 1 || asked.repetitions != nil {
      isolate(names, after: asked, .error(response.errorStatus))
    } else {
      end(asked.columns) { .error(response.errorStatus, root: $0.root, after: $0.cursor) }
    }
  }

  /// Reads these columns alone and by GetNext from here on. GetBulk that had not worked before is refused altogether.
  private mutating func isolate(_ indices: [Int], after asked: Outstanding, _ refusal: BulkRefusal) {
    for index in indices { columns[index].isIsolated = true }
    if asked.repetitions != nil, abilities.bulk != .proven { refuseBulk(refusal) }
  }

  private mutating func refuseBulk(_ refusal: BulkRefusal) {
    abilities.bulk = .refused
    findings.append(.bulkRefused(refusal))
  }

  private mutating func end(_ indices: [Int], _ finding: (Column) -> ReadFinding) {
    for index in indices {
      columns[index].hasEnded = true
      findings.append(finding(columns[index]))
    }
  }
}
