// A lane: one cursor of a walk, moving through neighbouring roots (the columns of a table) in the order of the MIB.
//
//     roots     |--- column 4 ---|--- column 5 ---|  (6)  |--- column 7 ---|
//     answers    r1 r2 r3         r1 r2 r3          r1..r3  r1 r2 r3         first name beyond: the lane has ended
//
// GetNext gives the name that follows, so of two names in a row the device has said that nothing lies between them: one answer that
// reaches into the next column tells that the former has ended. A column nobody wants (6) is walked through where that is cheaper than
// a cursor of its own.
//
// Some agents skip columns when they leave one. Roots that were skipped by the answer that left a root *with* values are
// therefore doubted, and asked for once more by a lane of their own.

package import MIB

/// One cursor over neighbouring roots.
struct WalkLane: Sendable {
  /// What the lane may be asked together with.
  enum Company: Hashable, Sendable {
    case any
    /// Alone and with few repetitions, since a larger request was answered with an error while this root was read.
    case alone(repetitionsMax: Int, root: Int)
    /// Alone and by GetNext, since a larger request was not answered.
    case isolated
  }

  /// What one binding meant.
  enum Step {
    case kept, passed, ended, notIncreasing, exception
  }

  /// Columns between two wanted ones that may be walked through.
  static let bridgedColumnsMax: UInt32 = 1
  /// Values of unwanted columns that cost less than another cursor.
  private static let bridgedBindingsMax = 4

  /// Ascending, none within another.
  private(set) var roots: [ObjectIdentifier]
  /// Values that each root is expected to have; nil if nobody knows.
  private(set) var expected: [Int?]
  /// Unwanted columns in front of each root.
  private var gaps: [Int]
  /// Lanes of one table have its number.
  let table: Int
  /// Index of the root being read; the number of roots once all have ended.
  private(set) var current = 0
  /// The last name given, or where reading begins.
  private(set) var cursor: ObjectIdentifier
  private(set) var bindings: [VarBind] = []
  /// The most values that a root which has ended had; 0 if none had any.
  private(set) var rows = 0
  /// Roots that an answer skipped.
  private var doubted: [Int] = []
  var company = Company.any
  private var countBefore = 0

  init(_ roots: [ObjectIdentifier], expected: [Int?], table: Int) {
    self.roots = roots
    self.expected = expected
    self.table = table
    gaps = Self.gaps(roots)
    cursor = roots.first ?? ObjectIdentifier([])
  }

  var hasEnded: Bool { current == roots.count }
  /// The root being read. There is one while the lane has not ended.
  var root: ObjectIdentifier { roots[current] }
  /// Values of the root being read.
  var countInRoot: Int { bindings.count - countBefore }

  /// Goes on behind a gap in which the last answer lay. Called before the lane is asked.
  mutating func leaveGap() {
    if cursor < roots[current] { cursor = roots[current] }
  }

  /// Takes the binding that follows the cursor.
  mutating func take(_ binding: VarBind) -> Step {
    if binding.value == .endOfMibView {
      leave(to: roots.count)
      return .ended
    }
    let name = binding.name
    guard name > cursor else { return binding.value.isException ? .exception : .notIncreasing }
    if !name.isWithin(roots[current]) {
      let index = roots[current...].firstIndex { name < $0 || name.isWithin($0) } ?? roots.count
      if index > current { leave(to: index) }
      guard !hasEnded else { return .ended }
    }
    guard !binding.value.isException else { return .exception }
    cursor = name
    guard name >= roots[current] else { return .passed }
    bindings.append(binding)
    return .kept
  }

  /// Whether nothing was given of the root being read, nor asked for behind its beginning.
  var isAtBeginning: Bool { !hasEnded && countInRoot == 0 && cursor == roots[current] }

  /// Whether it is one of a maker's, or of another organisation that makes MIBs of its own.
  var isPrivate: Bool { !hasEnded && roots[current].isWithin(Self.enterprises) }

  private static let enterprises: ObjectIdentifier = [1, 3, 6, 1, 4, 1]

  /// Leaves roots that have not begun and of which nothing can be there, since in the device one name follows the other.
  mutating func skip(from name: ObjectIdentifier, to following: ObjectIdentifier) {
    while isAtBeginning, name < root, root < following, !following.isWithin(root) { endRoot() }
  }

  /// Ends the root being read, whatever it still has, and goes on to the next.
  mutating func endRoot() {
    leave(to: current + 1)
    if !hasEnded { cursor = roots[current] }
  }

  private mutating func leave(to index: Int) {
    if countInRoot > 0, index > current + 1 { doubted += (current + 1)..<index }
    rows = max(rows, countInRoot)
    countBefore = bindings.count
    current = index
  }

  /// Behind the root that had the error, each good answer allows a larger request again.
  mutating func answeredWell() {
    guard case .alone(let repetitions, let root) = company, current > root else { return }
    company = .alone(repetitionsMax: min(repetitions * 2, DeviceAbilities.bindingsMax), root: root)
  }

  /// The roots that were doubted, as a lane of their own.
  mutating func takeDoubted() -> WalkLane? {
    guard !doubted.isEmpty else { return nil }
    defer { doubted = [] }
    var lane = WalkLane(doubted.map { roots[$0] }, expected: doubted.map { _ in 0 }, table: table)
    lane.company = inherited
    return lane
  }

  /// What a lane made of this one's roots begins with.
  private var inherited: Company {
    if case .alone(let repetitions, _) = company { .alone(repetitionsMax: repetitions, root: 0) } else { company }
  }

  /// This lane as one lane per root, for devices that are read a row at a time. The first keeps what was read.
  func split() -> [WalkLane] {
    guard current + 1 < roots.count else { return [self] }
    var first = self
    first.roots = [roots[current]]
    first.expected = [expected[current]]
    first.gaps = [0]
    first.current = 0
    first.company = inherited
    return [first]
      + roots.indices.dropFirst(current + 1).map { index in
        var lane = WalkLane([roots[index]], expected: [expected[index]], table: table)
        lane.company = inherited
        return lane
      }
  }
}

// MARK: - How much is left

extension WalkLane {
  /// Answers still to come, the one that shows the end included; nil if nobody knows.
  ///
  /// - Parameter rows: rows of the lane's table as this walk has seen them; nil if no column has ended yet.
  func remaining(rows: Int?) -> Int? {
    guard let here = count(current, rows), countInRoot <= here else { return nil }
    var sum = here - countInRoot
    for index in roots.indices.dropFirst(current + 1) {
      guard let count = count(index, rows) else { return nil }
      let bridged = gaps[index] * (rows ?? count)
      if bridged > Self.bridgedBindingsMax { break }
      sum += bridged + count
    }
    return sum + 1
  }

  /// Values that a root has, as far as anybody knows. A column that was missing the last time is taken to be missing still.
  private func count(_ index: Int, _ rows: Int?) -> Int? {
    expected[index] == 0 ? 0 : rows ?? expected[index]
  }

}

// MARK: - Lanes out of roots

/// Roots as lanes, in the order of the MIB; a root within another is left out. What follows from the names alone, so that it is done once for
/// the walks of many devices.
package struct WalkPlan: Sendable {
  private var lanes: [WalkLane] = []

  /// - Parameter expected: how many values a root usually has; nil if devices differ.
  package init(_ roots: [ObjectIdentifier], expected: (ObjectIdentifier) -> Int? = { _ in nil }) {
    var runs: [[ObjectIdentifier]] = []
    for root in roots.sorted() {
      guard let last = runs.last?.last else {
        runs.append([root])
        continue
      }
      if root.isWithin(last) { continue }
      if Self.isNeighbour(root, of: last) { runs[runs.count - 1].append(root) } else { runs.append([root]) }
    }
    var tables: [ObjectIdentifier: Int] = [:]
    for run in runs {
      let parent = run[0].dropLast()
      let table = tables[parent, default: tables.count]
      tables[parent] = table
      lanes.append(WalkLane(run, expected: run.map(expected), table: table))
    }
  }

  /// - Parameter expected: how many values a root is expected to have; nil: as usual.
  func lanes(expected: ((ObjectIdentifier) -> Int?)?) -> [WalkLane] {
    guard let expected else { return lanes }
    var lanes = lanes
    for index in lanes.indices { lanes[index].expect(expected) }
    return lanes
  }

  private static func isNeighbour(_ root: ObjectIdentifier, of last: ObjectIdentifier) -> Bool {
    guard let right = root.last, let left = last.last, right > left,
      right - left <= WalkLane.bridgedColumnsMax + 1
    else { return false }
    return root.dropLast() == last.dropLast()
  }
}

extension WalkLane {
  /// Sets how many values each root is expected to have.
  fileprivate mutating func expect(_ count: (ObjectIdentifier) -> Int?) {
    for index in roots.indices { expected[index] = count(roots[index]) }
  }

  /// Unwanted columns in front of each root.
  fileprivate static func gaps(_ roots: [ObjectIdentifier]) -> [Int] {
    roots.indices.map { index in
      guard index > 0, let left = roots[index - 1].last, let right = roots[index].last, right > left else { return 0 }
      return Int(right - left) - 1
    }
  }
}
