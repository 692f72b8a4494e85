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

  /// Reads a time of RFC 3339 (`2026-11-23T08:15:30.5+01:00`), also without seconds, and without an offset, which then is UTC; or a day
  /// (`2026-11-23`), which is its first moment in UTC: nanoseconds since 1970 UTC. Nil if it is none of these.
  package static func nanoseconds(_ text: String) -> Int64? {
    let halves = text.split(omittingEmptySubsequences: false) { $0 == "T" || $0 == "t" || $0 == " " }
    guard (1...2).contains(halves.count), let days = days(halves[0]) else { return nil }
    guard halves.count == 2 else { return days * 86_400 * nanosecondsPerSecond }
    let (time, offset) = splitOffset(halves[1])
    guard let clock = clock(time), let minutes = minutesEast(offset) else { return nil }
    return (days * 86_400 - minutes * 60) * nanosecondsPerSecond + clock
  }

  private static let nanosecondsPerSecond: Int64 = 1_000_000_000

  /// Since 1970. Two centuries of nanoseconds fit 64 bits, with every offset.
  private static func days(_ text: Substring) -> Int64? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let year = number(parts[0], digits: 4), let month = number(parts[1], digits: 2),
      let day = number(parts[2], digits: 2), (1970...2200).contains(year), (1...12).contains(month)
    else { return nil }
    let days = daysFromCivil(year, month, day)
    // 30 February would be a day of March.
    return civilFromDays(days) == (year, month, day) ? days : nil
  }

  /// `08:15`, `08:15:30`, `08:15:30.5`: nanoseconds. Digits behind the ninth are left out.
  private static func clock(_ text: Substring) -> Int64? {
    let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false).map { number($0, digits: 2) }
    guard (2...3).contains(parts.count), let hour = parts[0], let minute = parts[1],
      let second = parts.count == 3 ? parts[2] : 0, hour <= 23, minute <= 59, second <= 60
    else { return nil }
    let whole = (hour * 3600 + minute * 60 + second) * nanosecondsPerSecond
    guard halves.count == 2 else { return whole }
    let digits = halves[1].prefix(9)
    guard parts.count == 3, halves[1].utf8.allSatisfy(isDigit), let fraction = number(digits, digits: digits.count)
    else { return nil }
    return whole + fraction * powersOfTen[9 - digits.count]
  }

  /// The time, and its offset with its sign.
  private static func splitOffset(_ text: Substring) -> (time: Substring, offset: Substring) {
    let sign = text.firstIndex { "Zz+-".contains($0) } ?? text.endIndex
    return (text[..<sign], text[sign...])
  }

  /// How many minutes `Z`, `+01:00` or nothing is ahead of UTC.
  private static func minutesEast(_ text: Substring) -> Int64? {
    if ["", "Z", "z"].contains(text) { return 0 }
    let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let hours = number(parts[0], digits: 2), let minutes = number(parts[1], digits: 2),
      hours <= 23, minutes <= 59
    else { return nil }
    return (hours * 60 + minutes) * (text.first == "-" ? -1 : 1)
  }

  private static func number(_ text: Substring, digits: Int) -> Int64? {
    text.utf8.count == digits && text.utf8.allSatisfy(isDigit) ? Int64(text) : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

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
