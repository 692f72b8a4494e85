// Points in time as RFC 3339 text in UTC, from counts since 1970, and back. Only what exports and the command line need; dates are computed with the
// proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").

package enum UTCTime {
  /// `2026-11-23T08:15:30.123Z`, from milliseconds since 1970.
  package static func text(milliseconds: Int64) -> String {
    text(count: milliseconds, perSecond: 1000, digits: 3)
  }

  /// `2026-11-23T08:15:30.123456789Z`, from nanoseconds since 1970.
  package static func text(nanoseconds: Int64) -> String {
    text(count: nanoseconds, perSecond: 1_000_000_000, digits: 9)
  }

  /// Put together in place: exports write two of these for each of millions of records.
  private static func text(count: Int64, perSecond: Int64, digits: Int) -> String {
    let seconds = count.floorDivided(by: perSecond)
    let days = seconds.floorDivided(by: 86_400)
    let (year, month, day) = civilFromDays(days)
    let rest = seconds - days * 86_400
    // Years of 64-bit counts have at most nine digits.
    return String(unsafeUninitializedCapacity: 32 + digits) { buffer in
      var length = 0
      func put(_ number: Int64, _ width: Int, _ mark: UInt8) {
        var width = width
        while width < 9, number >= powersOfTen[width] { width += 1 }
        var left = number
        for place in (0..<width).reversed() {
          buffer[length + place] = UInt8(ascii: "0") + UInt8(left % 10)
          left /= 10
        }
        buffer[length + width] = mark
        length += width + 1
      }
      put(year, 4, UInt8(ascii: "-"))
      put(month, 2, UInt8(ascii: "-"))
      put(day, 2, UInt8(ascii: "T"))
      put(rest / 3600, 2, UInt8(ascii: ":"))
      put(rest / 60 % 60, 2, UInt8(ascii: ":"))
      put(rest % 60, 2, UInt8(ascii: "."))
      put(count - seconds * perSecond, digits, UInt8(ascii: "Z"))
      return length
    }
  }

  private static let powersOfTen: [Int64] = (0...9).map { (0..<$0).reduce(1) { power, _ in power * 10 } }

  /// Reads `2026-11-23`, `2026-11-23T08:15`, `...:30`, `...:30.5`, each with an optional `Z`: nanoseconds since 1970 UTC. Nil if it is none of these.
  package static func nanoseconds(_ text: String) -> Int64? {
    var body = text[...]
    if body.last == "Z" || body.last == "z" { body = body.dropLast() }
    let halves = body.split(whereSeparator: { $0 == "T" || $0 == "t" || $0 == " " })
    guard (1...2).contains(halves.count) else { return nil }
    let date = halves[0].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
    guard date.count == 3, let year = date[0], let month = date[1], let day = date[2],
      (1970...2200).contains(year), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let days = daysFromCivil(year, month, day)
    guard halves.count == 2 else { return days * 86_400 * 1_000_000_000 }
    guard let clock = clock(halves[1]) else { return nil }
    return days * 86_400 * 1_000_000_000 + clock
  }

  private static func clock(_ text: Substring) -> Int64? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let hour = Int64(parts[0]), let minute = Int64(parts[1]),
      (0...23).contains(hour), (0...59).contains(minute)
    else { return nil }
    let whole = (hour * 3600 + minute * 60) * 1_000_000_000
    guard parts.count == 3 else { return whole }
    let seconds = parts[2].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let second = Int64(seconds[0]), (0...60).contains(second) else { return nil }
    guard seconds.count == 2 else { return whole + second * 1_000_000_000 }
    let digits = seconds[1].prefix(9)
    guard !digits.isEmpty, let fraction = Int64(digits + String(repeating: "0", count: 9 - digits.count)) else {
      return nil
    }
    return whole + second * 1_000_000_000 + fraction
  }

  private static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = y.floorDivided(by: 400)
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func civilFromDays(_ days: Int64) -> (Int64, Int64, Int64) {
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}

extension Int64 {
  /// Division that rounds towards negative infinity.
  fileprivate func floorDivided(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
