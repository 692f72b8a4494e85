// What a device has proved to bear, learnt while reading it and worth keeping for the next poll.
//
// Everything begins small and doubles after success; what failed once becomes the ceiling, so that a device is not made to
// fail again and again.

/// A number of things per request that adapts to the device.
package struct Capacity: Hashable, Sendable {
  /// At least 1.
  package private(set) var current: Int
  /// At least `current`.
  package private(set) var ceiling: Int

  package init(initial: Int, ceiling: Int) {
    self.ceiling = max(ceiling, 1)
    current = min(max(initial, 1), self.ceiling)
  }

  /// Twice as many as went well, up to the ceiling; never fewer than before.
  package mutating func grow(used: Int) { current = max(current, min(used * 2, ceiling)) }

  /// Halves, and never grows beyond that again. `used` is how many failed, if fewer than allowed.
  package mutating func halve(used: Int? = nil) { limit(to: min(used ?? current, current) / 2) }

  /// Never more than `count` again.
  package mutating func limit(to count: Int) {
    ceiling = max(min(ceiling, count), 1)
    current = min(current, ceiling)
  }
}

/// What a device bears.
package struct DeviceAbilities: Hashable, Sendable {
  /// Whether GetBulk works.
  package enum Bulk: Hashable, Sendable {
    /// Not tried; this many GetNext requests were answered well so far.
    case unproven(goodAnswers: Int)
    case proven
    /// It failed, or the version has none.
    case refused
  }

  /// Whether Get works.
  package enum Get: Hashable, Sendable {
    /// Not answered yet.
    case unproven
    case proven
    /// A Get of one name stayed silent where GetNext was answered: GetNext reads single objects too.
    case refused
  }

  /// GetNext answers before the first GetBulk: some devices hang on it, and a device should first show that it walks.
  package static let goodAnswersBeforeBulk = 2
  /// Names of one GetNext or GetBulk: what moves on most devices, and what tells of their alerts, in one request.
  package static let columnsMax = 20
  /// Names of one Get. Old printers hang on larger ones.
  package static let namesMax = 16
  /// Bindings asked for in one answer to GetNext or GetBulk: at 20 to 30 bytes each they fit one Ethernet frame.
  package static let bindingsMax = 48
  /// "Few varbinds first."
  package static let namesInitial = 4

  package var bulk: Bulk
  package var get = Get.unproven
  /// One name first: some devices hang on several.
  package var columns = Capacity(initial: 1, ceiling: columnsMax)
  package var names = Capacity(initial: namesInitial, ceiling: namesMax)
  package var bindings = Capacity(initial: 1, ceiling: bindingsMax)

  /// What is assumed of a device nothing is known of.
  package init(version: SNMPVersion) {
    bulk = version == .v1 ? .refused : .unproven(goodAnswers: 0)
  }

  /// Whether GetBulk may be sent: it was proven, or is worth its first trial.
  package var mayUseBulk: Bool {
    switch bulk {
    case .unproven(let goodAnswers): goodAnswers >= Self.goodAnswersBeforeBulk
    case .proven: true
    case .refused: false
    }
  }

  /// A device that answered requests of several names by GetNext or GetBulk bears as many in a Get.
  package mutating func columnsWorked() { names.grow(used: columns.current / 2) }

  mutating func getNextWorked() {
    if case .unproven(let goodAnswers) = bulk {
      bulk = .unproven(goodAnswers: min(goodAnswers + 1, Self.goodAnswersBeforeBulk))
    }
  }
}
