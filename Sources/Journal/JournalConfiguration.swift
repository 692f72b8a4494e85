// What a journal is opened with.

package import Evidence
internal import Glibc

package struct JournalConfiguration: Sendable {
  /// The directory; its last component is made when missing.
  package var directory: String
  /// Disk space the records and all else may use, in bytes. Appends are refused beyond; freed space is used again.
  package var sizeLimit = JournalLimits.sizeBytesDefault
  /// Address space to map, in bytes: the hard limit, above `sizeLimit` so that deleting still works when that is reached.
  package var mapBytes = JournalLimits.mapBytesDefault
  package var checkpointRecords = JournalLimits.checkpointRecords
  package var checkpointInterval = JournalLimits.checkpointInterval
  /// How often to look for readers that died, while nothing is committed.
  package var readerCheckInterval = JournalLimits.readerCheckInterval
  package var clock = JournalClock.system
  /// Told of each record that the fold refused, on the thread that commits; and of stored rows that are not those that were
  /// written, which are then made again (`JournalError.damaged`).
  package var foldFailed: @Sendable (RecordPosition, any Error) -> Void = { _, _ in }

  /// How damage is dealt with; nil refuses a damaged journal.
  package var recovery: JournalRecovery?

  package init(directory: String) { self.directory = directory }
}

/// The two clocks of a journal.
package struct JournalClock: Sendable {
  /// Nanoseconds since 1970 UTC: what records bear. It may be set back.
  package var now: @Sendable () -> Int64
  /// Nanoseconds of a clock that only goes forward: what intervals are measured with.
  package var uptime: @Sendable () -> UInt64

  package init(now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> UInt64) {
    self.now = now
    self.uptime = uptime
  }

  package static let system = JournalClock(
    now: { Int64(bitPattern: nanoseconds(CLOCK_REALTIME)) }, uptime: { nanoseconds(CLOCK_MONOTONIC) })

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// When a checkpoint is due: after so many records, or after so long when there is any new record. A checkpoint says nothing
/// new when no record was appended since the last.
struct CheckpointPolicy {
  let records: UInt64
  let interval: UInt64
  /// The size of the tree at the last checkpoint.
  var lastSize: UInt64
  /// The uptime at the last checkpoint, or when the journal was opened.
  var lastUptime: UInt64

  func isDue(size: UInt64, uptime: UInt64) -> Bool {
    guard size > lastSize else { return false }
    return size - lastSize >= records || uptime &- lastUptime >= interval
  }

  /// How long until one is due, in nanoseconds, if nothing is appended; nil when none will be.
  func nanosecondsUntilDue(size: UInt64, uptime: UInt64) -> UInt64? {
    guard size > lastSize else { return nil }
    let passed = uptime &- lastUptime
    return passed >= interval ? 0 : interval - passed
  }
}
