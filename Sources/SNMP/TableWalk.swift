// Walking columns and subtrees of a device, kindly and with few bytes.
//
//   * Neighbouring columns form a lane (`WalkLane`): one cursor that GetNext and GetBulk move through all of them in the order of the MIB.
//     So a whole table costs one name in the request, and a row too many is the first row of the next column.
//   * GetNext first, for one name, then for two; GetBulk for few bindings once the device has shown that it walks. The number of
//     bindings asked for doubles while all goes well, up to one Ethernet frame.
//   * How much is asked for follows from what is known: where a column of a table has ended, or the last walk is remembered, the
//     rest of a lane can be counted. Lanes with about as much left share a request.
//   * GetNext into an empty root says that nothing lies before the name that it gives. Roots of other lanes that lie there are not asked for.
//   * Of a maker's tables nobody knows whether the device has any: the first of them is asked for alone, which mostly tells of all.
//   * A device without GetBulk is read a row at a time: each column is a lane, and lanes go side by side.
//   * Whatever goes wrong makes the next request smaller, and is pursued with the lanes concerned alone. Only when one name by GetNext
//     fails does a column end, with a finding; the columns behind it and the other lanes go on.
//
//     answer          several lanes or GetBulk               one lane, GetNext
//     --------------  -------------------------------------  -------------------------------------------
//     tooBig          half as many bindings                  finding, column ends
//     noSuchName      named lane: column ends (v1: of MIB)   column ends
//     other error     the named lane, or each, is asked      finding, column ends
//                     alone and for half as much
//     no answer       each is asked alone by GetNext         finding, column ends; stop after several in a row
//     misshapen       one name per request for good          nothing in it: finding, column ends
//     not increasing  GetBulk: never again                   finding, column ends
//
// A first GetBulk that fails in any of these ways was also the last one.
//
// Termination: each answer moves a lane on to a greater name, ends a column, or shrinks the request; requests are capped too.

package import MIB

/// A walk over several roots. Each root ends on its own; what was read stays.
package struct TableWalk: RequestSource {
  private struct Outstanding {
    /// Indices into `lanes`, in the order asked.
    let lanes: [Int]
    /// Nil for GetNext.
    let repetitions: Int?

    var count: Int { lanes.count * (repetitions ?? 1) }
  }

  /// Bindings asked for of a table nobody knows the rows of: most tables of a printer have no more rows.
  private static let scoutCount = 4
  /// Bindings beyond the ends of lanes that a request may ask for, so that one more lane shares it. About what a request of its own costs.
  private static let overshootMax = 6

  package private(set) var findings: [ReadFinding] = []
  package private(set) var statistics = ReadStatistics()
  package private(set) var stopped: ReadStop?
  package private(set) var abilities: DeviceAbilities

  private let limits: ReadLimits
  private var lanes: [WalkLane]
  /// By table: the most values that a column which has ended had; 0 if none has.
  private var rows: [Int]
  private var outstanding: Outstanding?
  private var failuresInARow = 0
  /// A device that stops answering teaches nothing about the size of requests.
  private var abilitiesBeforeFailures: DeviceAbilities?
  private var bindingsCount = 0
  /// Whether any of a maker's tables was asked for.
  private var hasHeardPrivate = false

  /// - Parameters:
  ///   - roots: columns or whole subtrees.
  ///   - abilities: what is known of the device; read it again afterwards.
  ///   - expected: how many values a root is expected to have, from an earlier walk; nil if nobody knows.
  package init(
    roots: [ObjectIdentifier], abilities: DeviceAbilities, limits: ReadLimits = ReadLimits(),
    expected: (ObjectIdentifier) -> Int? = { _ in nil }
  ) {
    self.init(WalkPlan(roots, expected: expected), abilities: abilities, limits: limits)
  }

  /// - Parameters:
  ///   - abilities: what is known of the device; read it again afterwards.
  ///   - expected: how many values a root is expected to have, from an earlier walk; nil: as the plan has it.
  package init(
    _ plan: WalkPlan, abilities: DeviceAbilities, limits: ReadLimits = ReadLimits(),
    expected: ((ObjectIdentifier) -> Int?)? = nil
  ) {
    self.abilities = abilities
    self.limits = limits
    lanes = plan.lanes(expected: expected)
    rows = Array(repeating: 0, count: lanes.count)
    if abilities.bulk == .refused { lanes = lanes.flatMap { $0.split() } }
  }

  /// Every binding read, lane by lane.
  package var bindings: [VarBind] { lanes.flatMap(\.bindings) }

  package mutating func next() -> Request? {
    precondition(outstanding == nil, "the last request is still unanswered")
    guard stopped == nil, let asked = nextBatch() else { return nil }
    guard statistics.requests < limits.requestsMax else {
      stopped = .requestsExhausted(limits.requestsMax)
      return nil
    }
    statistics.requests += 1
    outstanding = asked
    for index in asked.lanes { lanes[index].leaveGap() }
    let names = asked.lanes.map { lanes[$0].cursor }
    guard let repetitions = asked.repetitions else { return .getNext(names) }
    return .getBulk(names, nonRepeaters: 0, maxRepetitions: repetitions)
  }

  package mutating func received(_ response: Response) {
    guard let asked = outstanding else { return }
    outstanding = nil
    failuresInARow = 0
    abilitiesBeforeFailures = nil
    statistics.count(response)
    if asked.lanes.contains(where: { lanes[$0].isPrivate }) { hasHeardPrivate = true }
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
    } else if asked.count > 1 {
      if asked.repetitions == nil || abilities.bulk == .proven {
        abilities.bindings.halve(used: asked.count)
        abilities.columns.halve(used: asked.lanes.count)
      }
      keepApart(asked.lanes, after: asked, .failure(failure)) { _ in .isolated }
    } else {
      end(asked.lanes) { .noAnswer(failure, $0.cursor) }
    }
  }
}

// MARK: - What to ask

extension TableWalk {
  private func nextBatch() -> Outstanding? {
    var open: [Int] = []
    open.reserveCapacity(lanes.count)
    for lane in lanes.indices where !lanes[lane].hasEnded {
      if lanes[lane].company != .any { return alone(lane) }
      open.append(lane)
    }
    guard !open.isEmpty else { return nil }
    let width = min(abilities.columns.current, abilities.bindings.current)
    guard abilities.mayUseBulk, abilities.bindings.current > 1 else {
      return Outstanding(lanes: Array(open.prefix(width)), repetitions: nil)
    }
    return together(open, width: width)
  }

  private func alone(_ lane: Int) -> Outstanding {
    var count = 1
    if case .alone(let most, _) = lanes[lane].company, abilities.mayUseBulk {
      count = min(most, abilities.bindings.current, size(lane))
    }
    return Outstanding(lanes: [lane], repetitions: count > 1 ? count : nil)
  }

  /// The lane with the least left, and those that fit beside it.
  private func together(_ open: [Int], width: Int) -> Outstanding {
    let most = abilities.bindings.current
    var batch: [Int] = []
    var repetitions = 0
    var overshoot = 0
    for (size, lane) in sized(open).prefix(width) {
      overshoot += batch.count * (size - repetitions)
      guard batch.isEmpty || ((batch.count + 1) * size <= most && overshoot <= Self.overshootMax) else { break }
      batch.append(lane)
      repetitions = min(size, most)
    }
    return Outstanding(lanes: batch, repetitions: repetitions > 1 ? repetitions : nil)
  }

  /// Lanes with what is left of them, ascending. A lane waits while another one of its table finds out how many rows there are.
  private func sized(_ open: [Int]) -> [(size: Int, lane: Int)] {
    var scouted: Set<Int> = []
    var hasPrivate = false
    return open.compactMap { lane in
      if let left = left(lane) { return (left, lane) }
      if lanes[lane].isPrivate, !hasHeardPrivate {
        guard !hasPrivate else { return nil }
        hasPrivate = true
      }
      return scouted.insert(lanes[lane].table).inserted ? (size(lane), lane) : nil
    }.sorted { $0 < $1 }
  }

  /// Bindings to ask for, if nothing else limits them.
  private func size(_ lane: Int) -> Int { left(lane) ?? max(Self.scoutCount, lanes[lane].countInRoot) }

  private func left(_ lane: Int) -> Int? {
    let known = rows[lanes[lane].table]
    return lanes[lane].remaining(rows: known > 0 ? known : nil)
  }
}

// MARK: - What was answered

extension TableWalk {
  private mutating func take(_ bindings: [VarBind], _ asked: Outstanding) {
    let width = asked.lanes.count
    let isMisshapen = asked.repetitions == nil ? bindings.count != width : bindings.count < width
    guard !isMisshapen else { return misshapen(bindings, asked) }
    // The rest of an answer is void for a lane whose column was ended by it.
    var isVoid = Array(repeating: false, count: width)
    for (position, binding) in bindings.enumerated() {
      let column = position % width
      let lane = asked.lanes[column]
      if isVoid[column] || lanes[lane].hasEnded { continue }
      if lanes[lane].cursor >= binding.name, asked.repetitions != nil, !binding.value.isException {
        return refuseBulk(.notIncreasing, asked)
      }
      isVoid[column] = !take(binding, lane, asked)
    }
    learn(rows: bindings.count / width, asked)
    for lane in asked.lanes {
      rows[lanes[lane].table] = max(rows[lanes[lane].table], lanes[lane].rows)
      lanes[lane].answeredWell()
      doubt(lane)
    }
  }

  /// Moves one lane on. Returns false when a column was ended in the middle.
  private mutating func take(_ binding: VarBind, _ lane: Int, _ asked: Outstanding) -> Bool {
    let before = lanes[lane].isAtBeginning ? lanes[lane].cursor : nil
    let step = lanes[lane].take(binding)
    if let before, step == .passed || step == .kept || step == .ended {
      skip(from: before, to: binding, asked)
    }
    switch step {
    case .passed, .ended: return true
    case .exception:
      end([lane]) { _ in .unexpectedException(binding.value, binding.name) }
      return false
    case .notIncreasing:
      end([lane]) { lane in
        lane.bindings.contains { $0.name == binding.name }
          ? .cycle(root: lane.root, after: lane.cursor, received: binding.name)
          : .notIncreasing(root: lane.root, after: lane.cursor, received: binding.name)
      }
      return false
    case .kept:
      bindingsCount += 1
      guard lanes[lane].countInRoot >= limits.bindingsPerRootMax else { return true }
      end([lane]) { .rootExhausted($0.root) }
      return false
    }
  }

  /// Ends the roots of other lanes between a name and the one that follows it in the device. Not where the first was a value's: some agents
  /// skip columns when they leave one. Nor where nothing follows, which agents also say of what they do not know.
  private mutating func skip(from name: ObjectIdentifier, to following: VarBind, _ asked: Outstanding) {
    guard !following.value.isException, name < following.name else { return }
    for lane in lanes.indices where lanes[lane].isAtBeginning && lanes[lane].company == .any {
      // Those that were asked have an answer of their own.
      if !asked.lanes.contains(lane) { lanes[lane].skip(from: name, to: following.name) }
    }
  }

  /// Asks once more for columns that an answer skipped.
  private mutating func doubt(_ lane: Int) {
    guard let doubted = lanes[lane].takeDoubted() else { return }
    lanes += abilities.bulk == .refused ? doubted.split() : [doubted]
  }

  /// A good answer allows a larger request next.
  private mutating func learn(rows: Int, _ asked: Outstanding) {
    if let repetitions = asked.repetitions {
      abilities.bulk = .proven
      // An answer cut short shows where the device's limit is.
      guard rows >= repetitions else { return }
    } else {
      abilities.getNextWorked()
    }
    abilities.columns.grow(used: asked.lanes.count)
    abilities.bindings.grow(used: asked.count)
  }

  /// An answer whose bindings cannot be assigned to what was asked.
  private mutating func misshapen(_ bindings: [VarBind], _ asked: Outstanding) {
    findings.append(
      .misshapen(asked: asked.lanes.count, received: bindings.count, at: lanes[asked.lanes[0]].cursor))
    if asked.count > 1 {
      if asked.repetitions == nil { abilities.columns.limit(to: 1) }
      keepApart(asked.lanes, after: asked, .misshapen) { _ in .isolated }
    } else if let first = bindings.first {
      // One column and more than one binding: the first one answers it.
      _ = take(first, asked.lanes[0], asked)
    } else {
      findings.removeLast()
      end(asked.lanes) { .missing($0.cursor) }
    }
  }

  private mutating func tooBig(_ asked: Outstanding) {
    if asked.count > 1 {
      abilities.bindings.halve(used: asked.count)
    } else {
      end(asked.lanes) { .tooBig($0.cursor) }
    }
  }

  /// SNMPv1 has no other way to say that nothing follows (RFC 1157, section 4.1.3), and some later agents keep to it.
  private mutating func noSuchName(_ response: Response, _ asked: Outstanding) {
    let position = response.errorIndex - 1
    if asked.repetitions == nil, asked.lanes.indices.contains(position) {
      lanes[asked.lanes[position]].endRoot()
    } else if asked.count > 1 {
      deviceError(response, asked)
    } else {
      lanes[asked.lanes[0]].endRoot()
    }
  }

  private mutating func deviceError(_ response: Response, _ asked: Outstanding) {
    guard asked.count > 1 else {
      return end(asked.lanes) { .error(response.errorStatus, root: $0.root, after: $0.cursor) }
    }
    let position = response.errorIndex - 1
    let named = asked.lanes.indices.contains(position) ? [asked.lanes[position]] : asked.lanes
    let half = max((asked.repetitions ?? 1) / 2, 1)
    keepApart(named, after: asked, .error(response.errorStatus)) {
      .alone(repetitionsMax: half, root: $0.current)
    }
  }

  /// Asks these lanes alone from here on. A first GetBulk that failed was the reason itself: it is refused, and nothing else changes.
  private mutating func keepApart(
    _ indices: [Int], after asked: Outstanding, _ refusal: BulkRefusal, _ company: (WalkLane) -> WalkLane.Company
  ) {
    if asked.repetitions != nil, abilities.bulk != .proven { return refuseBulk(refusal, asked) }
    for index in indices { lanes[index].company = company(lanes[index]) }
  }

  /// Reads a row at a time from here on.
  private mutating func refuseBulk(_ refusal: BulkRefusal, _ asked: Outstanding) {
    abilities.bulk = .refused
    findings.append(.bulkRefused(refusal, at: lanes[asked.lanes[0]].cursor))
    lanes = lanes.flatMap { $0.split() }
  }

  private mutating func end(_ indices: [Int], _ finding: (WalkLane) -> ReadFinding) {
    for index in indices {
      findings.append(finding(lanes[index]))
      lanes[index].endRoot()
    }
  }
}
