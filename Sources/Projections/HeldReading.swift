// A device's reading as its state holds it: whole while events change it, packed while it rests. Behind a reference in both forms, because a
// dictionary keeps room for more devices than it has.

internal import PrinterModel

/// A reading in either form; both forms of one reading are equal.
indirect enum HeldReading: Sendable {
  case whole(Timed<Reading>)
  case packed(Timed<PackedReading>)

  var reading: Timed<Reading> {
    switch self {
    case .whole(let reading): reading
    case .packed(let packed): Timed(packed.time, packed.fact.reading)
    }
  }

  var resting: HeldReading {
    switch self {
    case .whole(let reading): .packed(Timed(reading.time, PackedReading(reading.fact)))
    case .packed: self
    }
  }
}

extension HeldReading: Equatable {
  static func == (left: HeldReading, right: HeldReading) -> Bool { left.reading == right.reading }
}
