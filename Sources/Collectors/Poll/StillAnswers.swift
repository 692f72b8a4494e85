// What a light poll was answered, told by digests, so that the next one sees that it is answered the same without unpacking what is known.
//
//     poll n     what moves ── digest ──┐   in use ── digest ──┐
//     poll n+1   what moves ── digest ──┴── equal? ─ in use ───┴── equal?   yes -> the reading stands, with another uptime
//                                                                           no  -> compare with the walk as it was
//
// A device that stands still answers as it did before, but for sysUpTime. What a poll decides by comparing its answers with what is known is then
// decided without it, and what the answers mean was told before. A digest takes the place of the answers, which are half a kilobyte of each of ten
// thousand devices; it is SHA-256 (FIPS 180-4), by which the journal knows its records.

internal import MIB
internal import OpenSSL
internal import PrinterModel

/// The answers of the last light poll, and what it knew of the device beside them.
package struct StillAnswers: Equatable, Sendable {
  /// What decides about the next step, as long as nothing moves.
  struct Facts: Equatable, Sendable {
    /// Whether all three change detectors were answered.
    var hasDetectors: Bool
    /// prtAlertAllEvents; nil where the device has none.
    var alertEvents: UInt64?
    /// Whether prtAlertTable had rows.
    var hasAlertRows: Bool

    /// - Parameters:
    ///   - read: what was answered.
    ///   - walk: all objects as of this poll.
    init(read: Walk, walk: Walk) {
      hasDetectors = LightPoll.hasDetectors(read)
      alertEvents = AlertCounting.events(read)
      hasAlertRows = walk.hasAlertRows
    }
  }

  /// Of each step.
  let steps: [Digest]
  let facts: Facts
}

/// Follows a light poll step by step, beside the one before.
struct StillTrace: Sendable {
  private let before: StillAnswers?
  /// As in `ChangeDetectors`, of the poll before.
  private let ticksBefore: UInt64?
  /// Of the steps so far.
  private(set) var steps: [Digest] = []
  /// sysUpTime of this poll, once it was answered.
  private(set) var ticks: UInt32?
  private var isSame: Bool
  /// Whether all was answered as it was asked.
  private(set) var isWhole = true

  /// - Parameter ticks: sysUpTime as of the poll before.
  init(_ before: StillAnswers?, ticks: UInt64?) {
    self.before = before
    ticksBefore = ticks
    isSame = before != nil && ticks != nil
  }

  /// What is known without comparing, while everything was answered as by the poll before and the clock moved on.
  var facts: StillAnswers.Facts? {
    guard isSame, isWhole, let ticks, let ticksBefore, ticks >= ticksBefore else { return nil }
    return before?.facts
  }

  /// Takes what a step was answered.
  ///
  /// - Parameters:
  ///   - read: in order.
  ///   - watched: what the step told of prtAlertTable.
  mutating func answered(_ read: Walk, watched: UInt8) {
    let digest = digest(read, watched)
    isSame = isSame && before?.steps.dropFirst(steps.count).first == digest
    steps.append(digest)
  }

  /// Something was not answered, or not in the way it was asked for.
  mutating func fell() { isWhole = false }

  /// Over all bindings, packed, but for the value of sysUpTime.
  private mutating func digest(_ read: Walk, _ watched: UInt8) -> Digest {
    var writer = PackedWriter(byteCount: read.bindings.count * 16)
    writer.append(byte: watched)
    for binding in read.bindings {
      if binding.name == MIB2.sysUpTime, case .timeTicks(let ticks) = binding.value {
        self.ticks = ticks
        writer.append(binding.name)
      } else {
        writer.append(binding)
      }
    }
    return writer.digest
  }
}

extension PackedWriter {
  fileprivate var digest: Digest { withBytes { SHA256.hash($0) } }
}

extension Walk {
  /// Whether prtAlertTable has rows.
  var hasAlertRows: Bool { !subtree(PrinterMIB.Alert.entry).isEmpty }
}
