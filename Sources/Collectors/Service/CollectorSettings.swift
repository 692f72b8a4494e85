// What the collector is to do, and the seams to the rest of the agent.

package import AlertRules
package import Discovery
package import Events
package import PrinterModel

/// One configured range of addresses.
package struct CollectorRange: Equatable, Sendable {
  /// As configured, for people.
  package var name: String
  package var addresses: AddressSet
  /// Tried in this order. A range without credentials is not swept.
  package var credentials: [NamedCredential]

  package init(name: String, addresses: AddressSet, credentials: [NamedCredential]) {
    self.name = name
    self.addresses = addresses
    self.credentials = credentials
  }
}

/// The collector's settings.
package struct CollectorSettings: Equatable, Sendable {
  package var ranges: [CollectorRange]
  /// Left out of every range.
  package var exclusions = AddressSet()
  /// Never sent a packet, whatever else is configured.
  package var doNotTouch = AddressSet()
  package var port: UInt16 = Endpoint.snmpPort
  /// Half an hour: light polls are a few hundred bytes, and a toner that runs out is noticed in time to ship another.
  package var pollInterval: Duration = .seconds(30 * 60)
  /// Twice a day: new printers show up before anyone asks, and a /16 is through long before the next sweep.
  package var sweepInterval: Duration = .seconds(12 * 3_600)
  /// When sweeps begin, instead of after the interval; then there is none at a start of the service either, once a device is known.
  package var sweepTimetable: SweepTimetable?
  /// Whether printers are asked to announce themselves (DNS-SD) during a sweep.
  package var browsesAnnouncements = true
  /// The UDP port that traps are heard on; nil: none.
  package var trapPort: UInt16?
  /// Devices polled at one time.
  package var parallelMax = 256
  package var sweep = SweepParameters()
  /// What readings are made with.
  package var profiles = ProfileSet.shipped
  /// Whether what does not answer SNMP is asked over IPP.
  package var usesIPP = true
  /// The TCP port of IPP. Not configurable: nothing else is asked without encryption.
  package var ippPort: UInt16 = IPPAsker.port
  /// A device that was not read for so long is asked no more. Six weeks: longer than a works holiday, shorter than a lease.
  package var retireAfter: Duration = Self.retireAfterDefault
  package static let retireAfterDefault: Duration = .seconds(42 * 86_400)
  package var rules = RuleSettings()
  package var offsets: [MeterOffset] = []

  package init(ranges: [CollectorRange]) {
    self.ranges = ranges
  }

  /// Whether a collector can go on with the other ones: how often devices are asked, how many at one time, by which rules, and when they retire.
  func differsOnlyInManner(from other: CollectorSettings) -> Bool {
    var same = other
    (same.pollInterval, same.parallelMax) = (pollInterval, parallelMax)
    (same.retireAfter, same.rules, same.offsets) = (retireAfter, rules, offsets)
    return same == self
  }

  /// The addresses of a sweep. Ranges without credentials are left out: there is nothing to ask with.
  package var plan: SweepPlan {
    let usable = ranges.filter { !$0.credentials.isEmpty }
    return SweepPlan(
      ranges: usable.map {
        SweepRange(
          name: $0.name, addresses: $0.addresses, credentialCount: $0.credentials.count,
          lastResortCount: ProbeAsk.lastResorts($0.credentials).count)
      }, excluding: exclusions, doNotTouch: doNotTouch)
  }

  /// The credentials for an address in their order; empty if it may not be asked.
  package func credentials(for address: IPv4Address) -> [NamedCredential] {
    if exclusions.contains(address) || doNotTouch.contains(address) { return [] }
    return ranges.first { !$0.credentials.isEmpty && $0.addresses.contains(address) }?.credentials ?? []
  }
}

/// Where events go. `append` returns when they are durable; when it throws, none of them counts and the collector stops.
package protocol EventSink: Sendable {
  func append(_ events: [Event]) async throws
}

/// What one address came to in a sweep.
package struct AddressResult: Equatable, Sendable {
  package var address: IPv4Address
  package var reason: SweepReason
  /// A sentence for people: what answered, or which credential was refused how.
  package var detail: String
  /// Name of the credential that worked, or `IPPAsker.accessName`.
  package var credential: String?
  /// Where it answered over IPP, if not at the configured port: as it announced.
  package var announcedWay: AnnouncedWay?
  /// Whether anything came back, readable or not.
  package var hasAnswered = false
  /// What the device said of itself, for `found` and `not a printer`.
  package var identity: DeviceIdentity? {
    get { identities.first }
    set { identities = newValue.map { [$0] } ?? [] }
  }
  /// One or none. An array, because it is held aside: a result with room for an identity takes a kilobyte, a /16 has 65,534 of them, and most
  /// have none.
  private var identities: [DeviceIdentity] = []

  package init(address: IPv4Address, reason: SweepReason, detail: String) {
    self.address = address
    self.reason = reason
    self.detail = detail
  }
}

/// Hears what the collector does, for consoles and health. Called after the events in question are durable; must return soon.
package protocol CollectorObserver: Sendable {
  func sweepStarted(addresses: Int)
  func sweepProgressed(_ progress: SweepProgress)
  func addressSettled(_ result: AddressResult)
  func devicePolled(_ device: DeviceID, _ outcome: PollOutcome)
  /// What a sweep found there could not be read; it is no device yet.
  func discoveryFailed(at endpoint: Endpoint, _ failure: PollFailure)
  /// A device has a second address, or another one the same serial number; told once for each address.
  func deviceSeenAlso(_ device: DeviceID, _ seen: DeviceSeenAlso)
  /// A printer announced itself at an address that is in no range: it is not asked. Told once for each address.
  func announcedElsewhere(_ printer: AnnouncedPrinter)
  /// Traps cannot be heard.
  func trapsUnheard(_ reason: String)
  /// Traps are heard, after they could not be.
  func trapsHeard()
  /// Something moved: a packet came, a poll ended, or there was nothing to do. Milliseconds since 1970 UTC.
  func progressed(at time: Int64)
  /// The loop that begins polls went round, as it does several times a second.
  func stepped(_ step: CollectorStep)
}

/// One round of the loop that begins polls.
package struct CollectorStep: Equatable, Sendable {
  /// Polls under way.
  package var polling: Int
  /// How long the oldest of them has been under way; nil: none is.
  package var oldest: Duration?

  package init(polling: Int = 0, oldest: Duration? = nil) { (self.polling, self.oldest) = (polling, oldest) }
}

extension CollectorObserver {
  package func sweepStarted(addresses: Int) {}
  package func sweepProgressed(_ progress: SweepProgress) {}
  package func addressSettled(_ result: AddressResult) {}
  package func devicePolled(_ device: DeviceID, _ outcome: PollOutcome) {}
  package func discoveryFailed(at endpoint: Endpoint, _ failure: PollFailure) {}
  package func deviceSeenAlso(_ device: DeviceID, _ seen: DeviceSeenAlso) {}
  package func announcedElsewhere(_ printer: AnnouncedPrinter) {}
  package func trapsUnheard(_ reason: String) {}
  package func trapsHeard() {}
  package func progressed(at time: Int64) {}
  package func stepped(_ step: CollectorStep) {}
}

/// Hears nothing.
package struct NoObserver: CollectorObserver {
  package init() {}
}
