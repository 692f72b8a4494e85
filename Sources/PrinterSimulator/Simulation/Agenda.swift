// What will happen to a printer, and when. Time is the printer's own, in milliseconds since it was switched on.

/// Something that happens at a moment.
enum Happening: Equatable, Sendable {
  case jobArrives
  case pageComesOut
  case someoneOpensCover(Int)
  case coverCloses(Int)
  case jamIsCleared
  case trayIsFilled(Int)
  case binIsEmptied(Int)
  case supplyIsReplaced(Int)
}

/// The appointments of one printer, few enough for a linear search. Of two at the same moment the one made first comes first.
struct Agenda: Equatable, Sendable {
  private var appointments: [(at: Int64, order: UInt64, happening: Happening)] = []
  private var order: UInt64 = 0

  static func == (left: Agenda, right: Agenda) -> Bool {
    left.order == right.order
      && left.appointments.elementsEqual(right.appointments) { $0.at == $1.at && $0.happening == $1.happening }
  }

  mutating func add(_ happening: Happening, at time: Int64) {
    appointments.append((time, order, happening))
    order += 1
  }

  func contains(_ happening: Happening) -> Bool { appointments.contains { $0.happening == happening } }

  mutating func remove(_ happening: Happening) { appointments.removeAll { $0.happening == happening } }

  /// Takes the earliest appointment if it is due at `time` or before.
  mutating func next(until time: Int64) -> (at: Int64, happening: Happening)? {
    guard let first = appointments.indices.min(by: { Self.key(appointments[$0]) < Self.key(appointments[$1]) }),
      appointments[first].at <= time
    else { return nil }
    let taken = appointments.remove(at: first)
    return (taken.at, taken.happening)
  }

  private static func key(_ appointment: (at: Int64, order: UInt64, happening: Happening)) -> (Int64, UInt64) {
    (appointment.at, appointment.order)
  }
}
