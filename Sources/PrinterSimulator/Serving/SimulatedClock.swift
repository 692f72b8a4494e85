// Simulated time: a multiple of the wall's, which can be stopped and pushed forward, and never goes back.

struct SimulatedClock: Equatable, Sendable {
  /// Simulated seconds for each second of the wall.
  let speed: Double
  private(set) var isRunning = true
  /// Simulated milliseconds at `mark`.
  private var base: Int64 = 0
  /// Wall time since the start.
  private var mark: Duration = .zero

  init(speed: Double) { self.speed = max(0, speed) }

  /// Simulated milliseconds since the start, at a wall time since the start.
  func milliseconds(at wall: Duration) -> Int64 {
    guard isRunning, wall > mark else { return base }
    let (seconds, attoseconds) = (wall - mark).components
    return base + Int64((Double(seconds) * 1000 + Double(attoseconds) / 1e15) * speed)
  }

  /// Stops the clock, or lets it go on from where it stood.
  mutating func toggle(at wall: Duration) {
    base = milliseconds(at: wall)
    mark = wall
    isRunning.toggle()
  }

  /// Pushes the clock forward. A negative time is none.
  mutating func advance(by duration: Duration) {
    let (seconds, attoseconds) = duration.components
    base += max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
  }
}
