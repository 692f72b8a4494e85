// Reading objects that were there before, with fewer bytes than Get: a run of names that follow one another in the device costs one name
// in a GetBulk request instead of one each.
//
//     GetBulk  non-repeaters: before a, before b   repeaters: before c1, before d1   repetitions: 3
//     answer   a b   c1 d1   c2 d2   c3 d3
//
// Only what comes back under exactly the name that was expected is taken. Every other name is asked for by Get (`ScalarRead`), whose answer
// alone says that an object is gone. So is everything where GetBulk is not proven, or fails.
//
// A table may be *watched*: a further non-repeater stands before its first object, and what follows says whether it has any. An empty table is so
// read to its end with one name; of one that is not empty, nothing is taken. Of a table whose rows are known, a column is passed instead, from
// before its first row to beyond its last (`TableWatch`): a row that came, went or changed shows, and none of the other columns is read.
//
// Termination: each request settles its names or hands them to `ScalarRead`.

package import MIB

/// A reading of known objects.
package struct KnownRead: RequestSource {
  /// One request, and what is expected to answer it.
  fileprivate struct Batch: Sendable {
    /// The table whose first object is looked for, before everything else.
    var watched: ObjectIdentifier?
    var singles: [ObjectIdentifier] = []
    /// Names that one cursor passes.
    var pieces: [ArraySlice<ObjectIdentifier>] = []
    /// Cursors over the watched table's rows; they come last.
    var watch: [TableWatch.Piece] = []
    var repetitions: Int

    var cursorCount: Int { singles.count + repeaterCount }
    var bindingCount: Int { singles.count + repeaterCount * repetitions }
    var repeaterCount: Int { pieces.count + watch.count }
    /// Those that are wanted, and asked for in another way if they do not come.
    var names: [ObjectIdentifier] { singles + pieces.joined() }
    /// The names before those that the cursors begin with.
    var cursors: [ObjectIdentifier] = []

    /// What a position of the answer is about.
    func place(of position: Int) -> Place {
      if position < singles.count { return .wanted(singles[position]) }
      let (row, column) = (position - singles.count).quotientAndRemainder(dividingBy: repeaterCount)
      guard column < pieces.count else { return .watched(watch[column - pieces.count], row: row) }
      let piece = pieces[column]
      return row < piece.count ? .wanted(piece[piece.startIndex + row]) : .surplus
    }

    /// Where the answer has a name of a piece.
    func position(row: Int, column: Int) -> Int { singles.count + row * repeaterCount + column }
  }

  fileprivate enum Place {
    case wanted(ObjectIdentifier)
    case watched(TableWatch.Piece, row: Int)
    /// Nobody asked for it.
    case surplus
  }

  /// What a watched table turned out to be.
  package enum Watched: UInt8, Sendable {
    /// Nobody asked, or the answer does not say.
    case unknown
    case empty
    case hasObjects
    /// It has the rows that were expected, and no other.
    case hasKnownRows
    /// It has others.
    case hasOtherRows
  }

  /// How names are asked for. It serves as long as the device bears what it bore. Two plans are equal if both have the same runs, abilities and
  /// watched table, from which the rest follows.
  package struct Plan: Sendable {
    package let runs: [[ObjectIdentifier]]
    package let abilities: DeviceAbilities
    /// The table of which it is asked whether it is empty; never where everything is asked for by Get.
    package let watched: ObjectIdentifier?
    /// Empty if everything is asked for by Get.
    fileprivate let batches: [Batch]

    /// - Parameters:
    ///   - runs: names that are expected to follow one another without anything between them.
    ///   - abilities: what is known of the device.
    ///   - watched: the entry of a table that may be empty.
    package init(runs: [[ObjectIdentifier]], abilities: DeviceAbilities, watched: ObjectIdentifier? = nil) {
      self.runs = runs
      self.abilities = abilities
      self.watched = watched
      var batches = abilities.bulk == .proven ? KnownRead.plan(runs, abilities) : []
      if batches.isEmpty, watched != nil, abilities.bulk == .proven { batches = KnownRead.singly(runs, abilities) }
      if !batches.isEmpty { batches[0].watched = watched }
      for index in batches.indices {
        let firsts = batches[index].singles + batches[index].pieces.compactMap(\.first)
        batches[index].cursors = (batches[index].watched.map { [$0] } ?? []) + firsts.map(\.justBefore)
      }
      self.batches = batches
    }

    /// The same for a device that bears something else now.
    package func adapted(to abilities: DeviceAbilities) -> Plan {
      abilities == self.abilities ? self : Plan(runs: runs, abilities: abilities, watched: watched)
    }
  }

  /// About what one more name of a request costs, and one binding of an answer that nobody wants, in bytes.
  private static let nameBytes = 18
  private static let bindingBytes = 22
  /// Runs are cut into pieces of at most so many.
  private static let repetitionsMax = 8
  /// About what a request and its answer cost besides, headers included.
  private static let requestBytes = 120

  package private(set) var abilities: DeviceAbilities
  /// What the watched table is.
  package var watched: Watched { tally?.verdict ?? beginning }

  private let limits: ReadLimits
  private var read: [VarBind] = []
  private var bulkStatistics = ReadStatistics()
  private var waiting: ArraySlice<Batch> = []
  private var outstanding: Batch?
  /// What the first object of the watched table says.
  private var beginning = Watched.unknown
  /// What its rows say; nil where only its beginning is looked at.
  private var tally: TableWatch.Tally?
  /// To be asked by Get.
  private var rest: [ObjectIdentifier] = []
  private var scalars: ScalarRead?

  /// - Parameters:
  ///   - runs: names that are expected to follow one another without anything between them.
  ///   - abilities: what is known of the device; read it again afterwards.
  package init(runs: [[ObjectIdentifier]], abilities: DeviceAbilities, limits: ReadLimits = ReadLimits()) {
    self.init(Plan(runs: runs, abilities: abilities), limits: limits)
  }

  /// - Parameter watch: the rows that the plan's watched table had; nil where only its beginning is looked at.
  package init(_ plan: Plan, watch: TableWatch? = nil, limits: ReadLimits = ReadLimits()) {
    abilities = plan.abilities
    self.limits = limits
    guard var first = plan.batches.first else {
      rest = plan.runs.flatMap { $0 }
      return
    }
    waiting = plan.batches[...]
    guard let watch, first.watched != nil else { return }
    tally = TableWatch.Tally(expected: watch.bindingCount)
    first.watched = nil
    first.cursors.removeFirst()
    if first.bears(watch, abilities) { first.add(watch) } else { waiting.append(Batch(watch)) }
    waiting[waiting.startIndex] = first
  }

  package var bindings: [VarBind] { scalars.map { read + $0.bindings } ?? read }
  /// What the device says it does not have.
  package var absent: [ObjectIdentifier] { scalars?.absent ?? [] }
  package var findings: [ReadFinding] { scalars?.findings ?? [] }
  package var statistics: ReadStatistics { bulkStatistics + (scalars?.statistics ?? ReadStatistics()) }
  package var stopped: ReadStop? { scalars?.stopped }
  /// See `ScalarRead`.
  package var isTryingGetNext: Bool { scalars?.isTryingGetNext ?? false }

  package mutating func next() -> Request? {
    precondition(outstanding == nil, "the last request is still unanswered")
    if let batch = waiting.popFirst() {
      bulkStatistics.requests += 1
      outstanding = batch
      let nonRepeaters = batch.singles.count + (batch.watched == nil ? 0 : 1)
      return .getBulk(batch.cursors, nonRepeaters: nonRepeaters, maxRepetitions: batch.repetitions)
    }
    if scalars == nil, !rest.isEmpty { scalars = ScalarRead(names: rest, abilities: abilities, limits: limits) }
    return scalars?.next()
  }

  package mutating func received(_ response: Response) {
    guard let batch = outstanding else {
      scalars?.received(response)
      abilities = scalars?.abilities ?? abilities
      return
    }
    outstanding = nil
    bulkStatistics.count(response)
    if response.errorStatus == .tooBig { abilities.bindings.halve(used: batch.bindingCount) }
    if response.bindings.count >= batch.bindingCount { abilities.columns.grow(used: batch.cursors.count) }
    var answer = response.errorStatus == .noError ? response.bindings[...] : []
    if let table = batch.watched, let first = answer.popFirst() { beginning = Self.watched(table, followedBy: first) }
    take(Array(answer), batch)
  }

  /// What follows a table's name tells whether it has objects.
  private static func watched(_ table: ObjectIdentifier, followedBy binding: VarBind) -> Watched {
    if binding.value == .endOfMibView { return .empty }
    guard !binding.value.isException, binding.name > table else { return .unknown }
    return binding.name.isWithin(table) ? .hasObjects : .empty
  }

  package mutating func failed(_ failure: SessionFailure) {
    guard let batch = outstanding else {
      scalars?.failed(failure)
      abilities = scalars?.abilities ?? abilities
      return
    }
    outstanding = nil
    bulkStatistics.failures += 1
    // The next ones would be as large: a device that does not bear them is not made to fail again.
    rest += ([batch] + waiting).flatMap(\.names)
    waiting = []
  }

  private mutating func take(_ answer: [VarBind], _ batch: Batch) {
    read.reserveCapacity(read.count + batch.bindingCount)
    var isAnswered = [Bool](repeating: false, count: batch.bindingCount)
    for position in 0..<min(answer.count, batch.bindingCount) {
      let binding = answer[position]
      switch batch.place(of: position) {
      case .wanted(let name):
        guard !binding.value.isException, binding.name == name else { continue }
        read.append(binding)
        isAnswered[position] = true
      case .watched(let piece, let row):
        if tally?.count(binding, piece, row: row) == true { read.append(binding) }
      case .surplus: continue
      }
    }
    rest += batch.unanswered(isAnswered)
  }
}

extension KnownRead.Batch {
  /// The names at positions that were not answered.
  fileprivate func unanswered(_ isAnswered: [Bool]) -> [ObjectIdentifier] {
    var names: [ObjectIdentifier] = []
    for position in singles.indices where !isAnswered[position] { names.append(singles[position]) }
    for (column, piece) in pieces.enumerated() {
      for (row, name) in piece.enumerated() where !isAnswered[position(row: row, column: column)] {
        names.append(name)
      }
    }
    return names
  }

  /// A request for the rows alone, as deep as they are many.
  fileprivate init(_ watch: TableWatch) {
    self.init(repetitions: watch.depth)
    add(watch)
  }

  fileprivate mutating func add(_ watch: TableWatch) {
    self.watch = watch.pieces(of: repetitions)
    cursors += self.watch.map(\.start)
  }

  /// Whether the rows fit into this request as well.
  fileprivate func bears(_ watch: TableWatch, _ abilities: DeviceAbilities) -> Bool {
    let pieces = watch.pieceCount(of: repetitions)
    return cursorCount + pieces <= abilities.columns.current
      && bindingCount + pieces * repetitions <= abilities.bindings.current
  }
}

extension KnownRead.Plan: Hashable {
  package static func == (left: Self, right: Self) -> Bool {
    left.abilities == right.abilities && left.runs == right.runs && left.watched == right.watched
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(abilities)
    hasher.combine(runs)
    hasher.combine(watched)
  }
}

// MARK: - The plan

extension KnownRead {
  /// The cheapest way to cut the runs into pieces; empty if Get is as cheap.
  fileprivate static func plan(_ runs: [[ObjectIdentifier]], _ abilities: DeviceAbilities) -> [Batch] {
    let byGet = runs.joined().count
    let getCost = byGet * nameBytes + requests(byGet, abilities.names.current) * requestBytes
    var best = (cost: getCost, batches: [Batch]())
    for repetitions in 2...repetitionsMax {
      let batches = batches(cut(runs, repetitions), abilities)
      let cost = batches.reduce(0) { sum, batch in
        let surplus = batch.bindingCount - batch.names.count
        return sum + requestBytes + batch.cursorCount * nameBytes + surplus * bindingBytes
      }
      if cost < best.cost { best = (cost, batches) }
    }
    return best.batches
  }

  /// Each name on its own, which costs as much as by Get.
  fileprivate static func singly(_ runs: [[ObjectIdentifier]], _ abilities: DeviceAbilities) -> [Batch] {
    var all = Batch(repetitions: 1)
    all.singles = runs.flatMap { $0 }
    return batches(all, abilities)
  }

  private static func requests(_ names: Int, _ most: Int) -> Int { (names + most - 1) / most }

  /// Pieces of exactly so many names, and what is cheaper to ask for singly.
  private static func cut(_ runs: [[ObjectIdentifier]], _ repetitions: Int) -> Batch {
    var all = Batch(repetitions: repetitions)
    for run in runs {
      var left = run[...]
      while left.count >= repetitions {
        all.pieces.append(left.prefix(repetitions))
        left = left.dropFirst(repetitions)
      }
      let asPiece = nameBytes + (repetitions - left.count) * bindingBytes
      if left.count > 1, asPiece < left.count * nameBytes { all.pieces.append(left) } else { all.singles += left }
    }
    return all
  }

  /// The same in requests that the device bears.
  private static func batches(_ all: Batch, _ abilities: DeviceAbilities) -> [Batch] {
    var batches = [Batch(repetitions: all.repetitions)]
    func makeRoom(for bindings: Int) {
      let last = batches[batches.count - 1]
      let isFull =
        last.cursorCount >= abilities.columns.current || last.bindingCount + bindings > abilities.bindings.current
      if isFull, last.cursorCount > 0 { batches.append(Batch(repetitions: all.repetitions)) }
    }
    for piece in all.pieces {
      makeRoom(for: all.repetitions)
      batches[batches.count - 1].pieces.append(piece)
    }
    for single in all.singles {
      makeRoom(for: 1)
      batches[batches.count - 1].singles.append(single)
    }
    return batches
  }
}
