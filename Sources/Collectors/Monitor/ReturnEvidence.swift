// Whether a device of which nothing but the address was known is back where another one took it. Make and model are the same already (`DeviceRegistry`);
// what tells it from another of its kind is its count, and when it was started:
//
//     the total is read at the same object, and is not below the last one known     else another device
//     it was started at the moment that was known                                   -> it is back
//     it was started at another moment, while the known one was still read          -> another device
//     the total is hardly above the last one known: by no more than a tenth of it
//       and no more than a day's printing                                            -> it is back
//     else                                                                           -> nobody knows: another device
//
// Joining two devices wrongly bills one's pages to the other; parting one wrongly only loses its history. So a count that is nought tells nothing.

internal import AlertRules
internal import PrinterModel

package enum ReturnEvidence {
  /// As `Sign` has it: sysUpTime runs by the device's clock.
  private static let startTolerance: Int64 = 10_000
  private static let startsApart: Int64 = 60_000
  /// Within this part of its former count.
  private static let nearer: UInt64 = 10

  /// The words for it; nil: it is not known to be back.
  /// - Parameters:
  ///   - total: the last one of the device that was known here.
  ///   - started: when that was started, in milliseconds since 1970 UTC; nil: not known.
  ///   - lastRead: when it was last read.
  ///   - sign: of what answers now.
  package static func words(total: MeterState?, started: Int64?, lastRead: Int64?, _ sign: Sign) -> String? {
    guard let total, total.value > 0, let now = sign.total, sign.totalSource == total.source, now >= total.value else {
      return nil
    }
    let goesOn = "a total of \(now), which goes on from \(total.value)"
    let kind = sign.identity?.model.map { "make and model (\($0.text))" } ?? "make and model"
    if let started, let startedNow = sign.started {
      let apart = (started - startedNow).magnitude
      if apart <= Self.startTolerance { return "the same address, \(kind), moment of starting, and \(goesOn)" }
      if apart > Self.startsApart, let lastRead, startedNow < lastRead { return nil }
    }
    guard now - total.value <= min(total.value / Self.nearer, MeterRules.slackPages) else { return nil }
    return "the same address, \(kind), and \(goesOn)"
  }
}
