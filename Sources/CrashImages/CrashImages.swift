// The states that power cuts leave behind, made of a trace: one moment after the other, and for each moment the ways in which what was on its
// way may have come.
//
//     moments      after each entry of the trace: every prefix
//     ways         nothing came; all came; all but one; one alone; torn: all came but sectors of one; selections of sectors by chance

internal import Simulation

/// One way in which a power cut at one moment leaves the disk.
package struct CrashImage: Sendable {
  package enum Way: Equatable, Sendable, CustomStringConvertible {
    case nothing
    case all
    case without(Int)
    case only(Int)
    /// All came, but of this change only the sectors before.
    case torn(Int, sectors: Int)
    /// Sectors by chance.
    case chance(seed: UInt64)

    package var description: String {
      switch self {
      case .nothing: "nothing came"
      case .all: "all came"
      case .without(let change): "all but change \(change) came"
      case .only(let change): "only change \(change) came"
      case .torn(let change, let sectors): "of change \(change) only \(sectors) sectors came"
      case .chance(let seed): "sectors came by chance, seed \(seed)"
      }
    }
  }

  /// Entries of the trace that came before the cut.
  package let moment: Int
  package let way: Way
  /// Changes of names that made it.
  package let names: Int
  package let files: [String: [UInt8]]
  /// What the program had said by then.
  package let notes: [String]

  package var name: String { "cut after entry \(moment), \(names) names, \(way)" }
}

/// Goes over all images of a trace.
package struct CrashImages: Sendable {
  package let trace: [TraceEntry]
  /// Selections by chance for each moment at which more than one change is on its way.
  package var chancesPerMoment = 2
  package var seed: UInt64

  package init(_ trace: [TraceEntry], seed: UInt64) {
    self.trace = trace
    self.seed = seed
  }

  /// Calls `body` with each image, until it throws.
  package func forEach(_ body: (CrashImage) async throws -> Void) async throws {
    var disk = Disk()
    var notes: [String] = []
    var random = SplitMix64(seed: seed)
    for (index, entry) in trace.enumerated() {
      disk.follow(entry)
      if case .note(let note) = entry.action {
        notes.append(note)
        // Nothing on the disk has changed, but what must be there has grown.
        if index + 1 < trace.count, case .note = trace[index + 1].action { continue }
      }
      for way in ways(disk, &random) {
        for names in Set([0, disk.nameChanges.count, Int(random.next() % UInt64(disk.nameChanges.count + 1))]).sorted()
        {
          let files = disk.image(names: names, keeping: Self.selection(way, disk))
          try await body(CrashImage(moment: index + 1, way: way, names: names, files: files, notes: notes))
        }
      }
    }
  }

  private func ways(_ disk: Disk, _ random: inout SplitMix64) -> [CrashImage.Way] {
    let count = disk.changes.count
    guard count > 0 else { return [.all] }
    var ways: [CrashImage.Way] = [.nothing, .all]
    let last = count - 1
    if disk.changes[last].change.sectorCount > 1 {
      let sectors = disk.changes[last].change.sectorCount
      ways.append(.torn(last, sectors: 1 + Int(random.next() % UInt64(sectors - 1))))
    }
    guard count > 1 else { return ways }
    ways += [.without(Int(random.next() % UInt64(count))), .only(last)]
    return ways + (0..<chancesPerMoment).map { _ in .chance(seed: random.next()) }
  }

  private static func selection(_ way: CrashImage.Way, _ disk: Disk) -> (Int, Int) -> Bool {
    switch way {
    case .nothing: return { _, _ in false }
    case .all: return { _, _ in true }
    case .without(let left): return { change, _ in change != left }
    case .only(let kept): return { change, _ in change == kept }
    case .torn(let torn, let sectors): return { change, sector in change != torn || sector < sectors }
    case .chance(let seed):
      // Of the change and the sector alone, so that the image can be made again.
      return { change, sector in
        var random = SplitMix64(seed: seed ^ UInt64(change) << 32 ^ UInt64(sector))
        return random.next() & 1 == 0
      }
    }
  }
}
