// What is kept of a poll until the next one. The next poll builds on it (`PollMemory`) and is compared with it (`DeviceMonitor`); both share the
// same buffers, and what of it is needed is unpacked when it is needed: ten thousand devices rest while one is read.

package import MIB
package import PrinterModel

/// A walk and its meaning, in few bytes.
package struct ReadingAtRest: Equatable, Sendable {
  package var walk: PackedWalk
  /// What the walk means, without the findings of the poll.
  package var interpretation: PackedReading
  /// What was odd when the walk was read.
  package var pollFindings: [Finding]

  package init(_ walk: Walk, _ interpretation: Reading, pollFindings: [Finding] = []) {
    self.walk = PackedWalk(walk)
    self.interpretation = PackedReading(interpretation)
    self.pollFindings = pollFindings
  }

  /// The reading as it was told.
  package var reading: Reading {
    var reading = interpretation.reading
    reading.findings += pollFindings
    return reading
  }

  /// The same, of a device of which the clock alone has moved on.
  func moved(to uptime: ObjectValue, _ ticks: UInt64?) -> ReadingAtRest {
    var moved = self
    moved.walk = walk.replacing(VarBind(MIB2.sysUpTime, uptime))
    moved.interpretation.uptimeTicks = ticks
    return moved
  }

  /// Whether nothing differs but the clock. Told without unpacking, so that false may also mean that it rests in another way.
  func equalsButForUptime(_ other: ReadingAtRest) -> Bool {
    walk.equals(other.walk, butFor: MIB2.sysUpTime) && interpretation.equalsButForUptime(other.interpretation)
      && pollFindings == other.pollFindings
  }
}
