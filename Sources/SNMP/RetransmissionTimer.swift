// How long to wait for a device: RFC 6298's estimate, kept per device.
//
//     first sample R:   SRTT = R                              RTTVAR = R / 2
//     further ones:     SRTT = 7/8 SRTT + 1/8 R               RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|
//     RTO = SRTT + max(granularity, 4 RTTVAR), within the limits;  doubled after each timeout until the next sample
//
// Karn's rule (section 3) is the caller's: no sample from an answer that could belong to more than one send.

/// The retransmission timeout of one device.
package struct RetransmissionTimer: Hashable, Sendable {
  /// The clock's granularity: an event loop wakes up to this late.
  package static let granularity: Duration = .milliseconds(10)

  private let minimum: Duration
  private let maximum: Duration
  private var smoothed: Duration?
  private var variation: Duration = .zero
  /// The timeout to use for the next send.
  package private(set) var timeout: Duration

  package init(initial: Duration, minimum: Duration, maximum: Duration) {
    self.minimum = minimum
    self.maximum = max(minimum, maximum)
    timeout = min(max(initial, minimum), self.maximum)
  }

  /// Takes the time between a send and its answer.
  package mutating func measured(_ roundTrip: Duration) {
    let sample = max(roundTrip, .zero)
    if let previous = smoothed {
      let deviation = previous > sample ? previous - sample : sample - previous
      variation = variation * 3 / 4 + deviation / 4
      smoothed = previous * 7 / 8 + sample / 8
    } else {
      smoothed = sample
      variation = sample / 2
    }
    let estimate = (smoothed ?? sample) + max(Self.granularity, variation * 4)
    timeout = min(max(estimate, minimum), maximum)
  }

  /// Doubles the timeout after it ran out (section 5.5).
  package mutating func backOff() {
    timeout = min(timeout * 2, maximum)
  }
}
