// Durations as numbers of milliseconds and as people say them.

extension Duration {
  /// Whole milliseconds; what does not fit becomes the nearest that does.
  package var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    if overflow { return seconds < 0 ? .min : .max }
    return product + attoseconds / 1_000_000_000_000_000
  }

  /// The two largest units that matter: `350 ms`, `12 s`, `4 min 10 s`, `3 h 5 min`, `12 d 4 h`.
  package var spoken: String {
    let total = milliseconds
    if total < 0 { return "0 s" }
    if total < 1000 { return "\(total) ms" }
    let seconds = total / 1000
    switch seconds {
    case ..<60: return "\(seconds) s"
    case ..<3600: return join(seconds / 60, "min", seconds % 60, "s")
    case ..<86_400: return join(seconds / 3600, "h", seconds / 60 % 60, "min")
    default: return join(seconds / 86_400, "d", seconds / 3600 % 24, "h")
    }
  }

  private func join(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
    small == 0 ? "\(large) \(largeUnit)" : "\(large) \(largeUnit) \(small) \(smallUnit)"
  }
}
