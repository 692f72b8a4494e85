// What one poll came to.
//
// Which values count as read: those whose names are in `read`. A light poll carries others over. What says what a number is a number of (the unit of
// a counter, a supply's description and capacity) is read with each number that moved, and of all rows once an hour; other names and capacities
// change with the device's structure, of which its own detectors (prtGeneralConfigChanges, sysUpTime, sysObjectID, serial number) tell, or else the
// next full poll. The state of trays, bins and covers is left out while the device stands still, for an hour at
// most (docs/decisions/0005-what-a-light-poll-leaves-out.md); what is carried is then an older value and not one of this poll. Meters,
// levels of supplies and states are always asked for. A poll that the device broke off by falling silent is *interrupted*: `read` names what came,
// a finding says where it ended, and whoever uses the reading must not show an unread number as one of this poll.

package import Discovery
package import Events
package import MIB
package import PrinterModel

/// What a poll goes for.
package enum PollKind: Equatable, Sendable {
  /// Everything.
  case full
  /// What moves, and whatever the change detectors then ask for.
  case light
}

/// One step of a poll: so many requests in a row that belong together.
package struct PollStep: Equatable, Sendable {
  /// For people: `standard tables`.
  package var name: String
  package var milliseconds: UInt32
  package var requests: UInt32
  /// Values that were read.
  package var objects: Int
  /// Why it ended before its end.
  package var failure: PollFailure?

  package init(name: String, milliseconds: UInt32, requests: UInt32, objects: Int, failure: PollFailure? = nil) {
    self.name = name
    self.milliseconds = milliseconds
    self.requests = requests
    self.objects = objects
    self.failure = failure
  }
}

/// What one poll of one device came to, and what it cost.
package struct PollOutcome: Equatable, Sendable {
  package enum Result: Equatable, Sendable {
    case reading(PollReading)
    case failed(PollFailure)
  }

  package var endpoint: Endpoint
  /// Name of the credential used.
  package var credential: String
  package var cost: PollCost
  /// What was done, in order; over IPP it is one step.
  package var steps: [PollStep]
  package var result: Result

  package init(endpoint: Endpoint, credential: String, cost: PollCost, steps: [PollStep] = [], result: Result) {
    self.endpoint = endpoint
    self.credential = credential
    self.cost = cost
    self.steps = steps
    self.result = result
  }
}

/// How the names that a poll found compare with those of the poll before, but for the alerts'. A printer that was just switched on answers before it
/// has its counters and supplies, so that names are settled only when two polls in a row agree.
package enum NamesStep: Equatable, Sendable {
  /// There was none before.
  case first
  case same
  /// All of them and others.
  case more
  /// Some are gone.
  case fewer

  init(from former: Walk?, to walk: Walk) {
    guard let former else {
      self = .first
      return
    }
    func isStructure(_ binding: VarBind) -> Bool { !binding.name.isWithin(PrinterMIB.Alert.entry) }
    var (before, now) = (former.bindings.filter(isStructure)[...], walk.bindings.filter(isStructure)[...])
    var hasMore = false
    while let name = before.first?.name {
      guard let found = now.popFirst()?.name, found <= name else {
        self = .fewer
        return
      }
      if found == name { before.removeFirst() } else { hasMore = true }
    }
    self = hasMore || !now.isEmpty ? .more : .same
  }
}

/// What a device told in one poll.
package struct PollReading: Equatable, Sendable {
  package var kind: PollKind
  /// All objects: those read now, and those carried over as the header says. Unpacked when asked for.
  package var walk: Walk { rest.walk.walk }
  /// The walk's meaning. Its findings include those of the poll.
  package let reading: Reading
  /// Both, as they are kept until the next poll.
  package let rest: ReadingAtRest
  package var alerts: AlertReport
  /// The names that were answered in this poll.
  package var read: NameSet
  /// Why the poll ended before all was read.
  package var interruption: PollFailure?
  /// `same` for a light poll, which finds what it asks for or becomes a full one.
  package var step = NamesStep.same
  /// Objects and subtrees that the device answered with an error, or not at all: nothing is known of them.
  package var unanswered: [ObjectIdentifier] = []

  package init(
    kind: PollKind, walk: Walk, reading: Reading, alerts: AlertReport, read: NameSet,
    interruption: PollFailure? = nil
  ) {
    self.init(
      kind: kind, rest: ReadingAtRest(walk, reading), reading: reading, alerts: alerts, read: read,
      interruption: interruption)
  }

  /// - Parameter reading: that of `rest`, unpacked.
  init(
    kind: PollKind, rest: ReadingAtRest, reading: Reading, alerts: AlertReport, read: NameSet,
    interruption: PollFailure? = nil
  ) {
    self.kind = kind
    self.rest = rest
    self.reading = reading
    self.alerts = alerts
    self.read = read
    self.interruption = interruption
  }
}

/// Why a poll has no reading, or not a whole one.
package struct PollFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The stable words of `PollFailed.reason`.
  package enum Reason: String, CaseIterable, Sendable {
    case timeout, authentication, malformed, deviceError, notAPrinter
  }

  package var reason: Reason
  /// A sentence for the operator.
  package var message: String
  /// What whoever waits for the reading can look at, as a sentence without its full stop; nil where the message says it all.
  package var remedy: String?

  package init(_ reason: Reason, _ message: String, remedy: String? = nil) {
    self.reason = reason
    self.message = message
    self.remedy = remedy
  }

  /// What the host says for a port that nobody listens on.
  static let portClosed = PollFailure(
    .timeout, "the host answers that nothing listens on the port",
    remedy: "Check the address and the port, and that SNMP is enabled at the device")

  package var description: String { message }
}
