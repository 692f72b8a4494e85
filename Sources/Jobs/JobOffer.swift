// What the hub wants done, as it came, and what may be wrong with it whatever the agent has and is allowed.

package import Events

/// A job as the hub sent it.
package struct JobOffer: Equatable, Sendable {
  /// Ranges and devices of one job: as many as an operator names. Who means all names none.
  package static let rangesMax = 64
  package static let devicesMax = 1_024
  /// Characters of one range: two addresses have 31.
  package static let rangeCharactersMax = 64
  /// Characters of what a job's order says of who asked for it, and why.
  package static let wordsMax = 500
  /// A job that waits longer than this was meant for another week.
  package static let timeLeftMax: Duration = .seconds(7 * 86_400)

  package var id: JobID
  /// Nil for a kind that this release does not know.
  package var order: JobOrder?
  /// By the hub's clock, in milliseconds since 1970 UTC.
  package var created: Int64
  /// When it was sent.
  package var timeLeft: Duration
  /// The hub takes it back.
  package var isCancelled: Bool
  /// What of its arguments is no argument at all; nil: nothing.
  package var malformed: String?

  package init(
    id: JobID, order: JobOrder?, created: Int64, timeLeft: Duration, isCancelled: Bool = false,
    malformed: String? = nil
  ) {
    self.id = id
    self.order = order
    self.created = created
    self.timeLeft = timeLeft
    self.isCancelled = isCancelled
    self.malformed = malformed
  }

  /// Words of the hub as they are kept: of one line, and not longer than they may be.
  package static func text(_ words: String) -> String {
    String(words.prefix(wordsMax).map { $0.isNewline ? " " : $0 })
  }

  /// Why it is refused by its form alone; nil: it is well-formed.
  var fault: JobRefusal? {
    guard let order, let kind = JobOrder.Kind(rawValue: order.kind) else {
      return JobRefusal(.unknownKind, "This agent does not know this kind of job. A newer release may.")
    }
    if let malformed { return JobRefusal(.arguments, malformed) }
    if timeLeft > Self.timeLeftMax {
      return JobRefusal(.arguments, "Its deadline is more than seven days away.")
    }
    guard order.ranges.count <= Self.rangesMax else {
      return JobRefusal(.arguments, "It names \(order.ranges.count) ranges; \(Self.rangesMax) are taken at most.")
    }
    guard order.ranges.allSatisfy({ $0.utf8.count <= Self.rangeCharactersMax }) else {
      return JobRefusal(.arguments, "One of its ranges is longer than a range can be.")
    }
    guard order.devices.count <= Self.devicesMax else {
      return JobRefusal(.arguments, "It names \(order.devices.count) devices; \(Self.devicesMax) are taken at most.")
    }
    return Self.fault(of: kind, order)
  }

  private static func fault(of kind: JobOrder.Kind, _ order: JobOrder) -> JobRefusal? {
    switch kind {
    case .page where order.devices.count != 1: JobRefusal(.arguments, "It names no device whose page is to be opened.")
    case .settings where order.devices.count > 1: JobRefusal(.arguments, "It names more than one device.")
    case .restart where JobOrder.RestartMode(rawValue: order.option) == nil:
      JobRefusal(.arguments, "It does not say whether to restart at once or when what runs has ended.")
    default: nil
    }
  }
}

/// Why a job is not begun.
package struct JobRefusal: Error, Equatable, Sendable {
  package var reason: JobRefused.Reason
  /// A sentence.
  package var message: String

  package init(_ reason: JobRefused.Reason, _ message: String) {
    self.reason = reason
    self.message = message
  }
}

/// What a job came to that was begun.
package enum JobOutcome: Equatable, Sendable {
  case completed(JobResult)
  /// - message: a sentence.
  case failed(message: String)
}

package struct JobResult: Equatable, Sendable {
  /// A sentence.
  package var text: String
  /// Compressed with gzip; empty: nothing was to be brought.
  package var attachment: [UInt8]
  /// Where a copy is kept; empty: nowhere.
  package var path: String

  package init(_ text: String, attachment: [UInt8] = [], path: String = "") {
    self.text = text
    self.attachment = attachment
    self.path = path
  }
}
