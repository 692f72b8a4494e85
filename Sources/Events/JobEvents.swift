// What happens to a job: something that the hub wants done, once. JobReceived holds all that is needed to run it, so that a job outlives the
// process that received it.
//
//     received ──> started ──> completed | failed | expired          refused: at once, instead of received, or while it waits
//         └──────> expired | refused

/// A job's lasting name: 16 bytes given by the hub.
package struct JobID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let byteCount = 16
  package let bytes: [UInt8]

  /// Returns nil unless there are exactly 16 bytes.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = Array(bytes)
  }

  /// Reads a UUID as it is written, in either case of letters.
  package init?(_ text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 36, [8, 13, 18, 23].allSatisfy({ digits[$0] == UInt8(ascii: "-") }) else { return nil }
    let numbers = digits.filter { $0 != UInt8(ascii: "-") }.map { Character(UnicodeScalar($0)).hexDigitValue }
    guard numbers.count == 2 * Self.byteCount, !numbers.contains(nil) else { return nil }
    let values = numbers.compactMap { $0 }
    bytes = (0..<Self.byteCount).map { UInt8(values[2 * $0] << 4 | values[2 * $0 + 1]) }
  }

  package static func < (left: JobID, right: JobID) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

  /// A UUID in lower case.
  package var description: String {
    let hex = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { hex[$0].joined() }.joined(separator: "-")
  }
}

/// What is to be done, in words; whether it may be done is for whoever does it to say.
package struct JobOrder: Equatable, Sendable {
  /// The predefined set.
  package enum Kind: String, CaseIterable, Sendable {
    case scan, upload, alerts, settings, restart, page, diagnostics
  }

  /// The words of `option` for a restart.
  package enum RestartMode: String, CaseIterable, Sendable {
    /// When what runs has ended.
    case queued
    /// At once.
    case standalone
  }

  /// Who wants to see a device's own pages.
  package struct Visit: Equatable, Sendable {
    /// As the hub knows him.
    package var user: String
    /// Why, in his words.
    package var reason: String
    /// The address that he is at.
    package var from: String
    /// How long at most.
    package var seconds: UInt32

    /// `anna from 198.51.100.7: paper jam`.
    package var summary: String { "\(user) from \(from): \(reason)" }

    package init(user: String, reason: String, from: String, seconds: UInt32) {
      self.user = user
      self.reason = reason
      self.from = from
      self.seconds = seconds
    }
  }

  /// A `Kind`, or a word of a newer release.
  package var kind: String
  /// scan: what to sweep; none: all that is configured.
  package var ranges: [String]
  /// upload, alerts: which; none: all. settings: the one whose; none: the install's. page: the one.
  package var devices: [DeviceID]
  /// restart: a `RestartMode`.
  package var option: String
  /// page: who wants to see it.
  package var visit: Visit?

  /// The device whose own pages somebody wants to see; nil where nobody does.
  package var visitedDevice: DeviceID? { visit == nil ? nil : devices.first }

  /// Its kind and its arguments, for people.
  package var summary: String {
    let words = ranges + (devices.count > 3 ? ["\(devices.count) devices"] : devices.map(\.short))
    return ([kind] + words + (option.isEmpty ? [] : [option])).joined(separator: " ")
  }

  package init(
    kind: String, ranges: [String] = [], devices: [DeviceID] = [], option: String = "", visit: Visit? = nil
  ) {
    self.kind = kind
    self.ranges = ranges
    self.devices = devices
    self.option = option
    self.visit = visit
  }

  package init(
    _ kind: Kind, ranges: [String] = [], devices: [DeviceID] = [], option: String = "", visit: Visit? = nil
  ) {
    self.init(kind: kind.rawValue, ranges: ranges, devices: devices, option: option, visit: visit)
  }
}

/// The agent took a job: it runs it or ends it, also after a restart.
package struct JobReceived: Equatable, Sendable {
  package var id: JobID
  package var order: JobOrder
  /// By the hub's clock, in milliseconds since 1970 UTC.
  package var created: Int64
  /// By the agent's clock, in milliseconds since 1970 UTC.
  package var deadline: Int64

  package init(id: JobID, order: JobOrder, created: Int64, deadline: Int64) {
    self.id = id
    self.order = order
    self.created = created
    self.deadline = deadline
  }
}

/// A job was begun: it may have effects from here on, and is not begun again.
package struct JobStarted: Equatable, Sendable {
  package var id: JobID
  package init(id: JobID) { self.id = id }
}

/// A job is done.
package struct JobCompleted: Equatable, Sendable {
  package var id: JobID
  /// A sentence.
  package var result: String
  /// How long it ran.
  package var milliseconds: UInt64
  /// What it was asked to bring, compressed with gzip; empty: nothing.
  package var attachment: [UInt8]
  /// Where the agent keeps a copy of that; empty: nowhere.
  package var path: String

  package init(id: JobID, result: String, milliseconds: UInt64, attachment: [UInt8] = [], path: String = "") {
    self.id = id
    self.result = result
    self.milliseconds = milliseconds
    self.attachment = attachment
    self.path = path
  }
}

/// A job was begun and did not do what was wanted, or not all of it.
package struct JobFailed: Equatable, Sendable {
  package enum Reason: String, Sendable, CaseIterable {
    /// What was tried did not succeed.
    case failed
    /// The agent's process ended while it ran.
    case interrupted
    /// The hub took it back while it ran.
    case cancelled
  }

  package var id: JobID
  /// A `Reason`, or a word of a newer release.
  package var reason: String
  /// A sentence.
  package var message: String
  /// Who wanted to see a device's own pages; nil: the job was another one, or the record is an earlier release's.
  package var visit: JobOrder.Visit?
  /// The device, as the order named it.
  package var device: DeviceID?

  package init(
    id: JobID, reason: String, message: String, visit: JobOrder.Visit? = nil, device: DeviceID? = nil
  ) {
    self.id = id
    self.reason = reason
    self.message = message
    self.visit = visit
    self.device = device
  }

  /// - Parameter order: what was wanted; of a page, who wanted it is told.
  package init(id: JobID, _ reason: Reason, _ message: String, of order: JobOrder? = nil) {
    self.init(
      id: id, reason: reason.rawValue, message: message, visit: order?.visit, device: order?.visitedDevice)
  }
}

/// A job's deadline passed before it was done.
package struct JobExpired: Equatable, Sendable {
  package var id: JobID
  package var hadStarted: Bool

  package init(id: JobID, hadStarted: Bool) {
    self.id = id
    self.hadStarted = hadStarted
  }
}

/// A job was not begun and never will be.
package struct JobRefused: Equatable, Sendable {
  package enum Reason: String, Sendable, CaseIterable {
    /// It is none that this release knows.
    case unknownKind
    /// It does not say what it must, or too much.
    case arguments
    /// This agent's configuration does not permit it.
    case notPermitted
    /// It is about a device that this agent does not have.
    case unknownDevice
    /// This agent has nothing that could do it.
    case unavailable
    /// Too many wait already.
    case busy
    /// The hub took it back before it was begun.
    case cancelled
  }

  package var id: JobID
  /// A `Reason`, or a word of a newer release.
  package var reason: String
  /// A sentence.
  package var message: String
  /// As in `JobOrder`; empty where it is none that this release knows.
  package var kind: String
  /// As in `JobReceived`.
  package var deadline: Int64
  /// Who wanted to see a device's own pages; nil: the job was another one, or the record is an earlier release's.
  package var visit: JobOrder.Visit?
  /// The device, as the order named it.
  package var device: DeviceID?

  package init(
    id: JobID, reason: String, message: String, kind: String, deadline: Int64, visit: JobOrder.Visit? = nil,
    device: DeviceID? = nil
  ) {
    self.id = id
    self.reason = reason
    self.message = message
    self.kind = kind
    self.deadline = deadline
    self.visit = visit
    self.device = device
  }

  package init(id: JobID, _ reason: Reason, _ message: String, kind: String, deadline: Int64) {
    self.init(id: id, reason: reason.rawValue, message: message, kind: kind, deadline: deadline)
  }

  /// - Parameter order: what was wanted; of a page, who wanted it is told. Nil: none that this release knows.
  package init(id: JobID, _ reason: Reason, _ message: String, of order: JobOrder?, deadline: Int64) {
    self.init(
      id: id, reason: reason.rawValue, message: message, kind: order?.kind ?? "", deadline: deadline,
      visit: order?.visit, device: order?.visitedDevice)
  }
}
