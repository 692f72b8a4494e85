// What the collector does when it is asked to, besides what it does by itself: a sweep, or polls, now. Both go the usual way: what is found or
// read is told through the sink, and no device is asked twice at one time.

package import Discovery
package import Events

package import PrinterModel

/// The collector ends, or has ended: what was asked of it is not done.
package struct CollectorStopped: Error, CustomStringConvertible {
  package init() {}
  package var description: String { "Collecting began anew meanwhile, or has stopped. Try again." }
}

/// What a sweep that was asked for came to.
package struct ScanResult: Equatable, Sendable {
  package var addresses = 0
  /// Addresses where a printer answers, known ones among them.
  package var found = 0
  package var outcomes: [SweepReason: Int] = [:]
}

/// What polls that were asked for came to.
package struct PollResult: Equatable, Sendable {
  /// Devices that answered.
  package var read = 0
  /// Devices that were asked and did not answer.
  package var failed = 0
  /// Devices that have no address any more, are retired, or lie in no range.
  package var notAsked = 0

  package init(read: Int = 0, failed: Int = 0, notAsked: Int = 0) {
    (self.read, self.failed, self.notAsked) = (read, failed, notAsked)
  }
}

extension CollectorSettings {
  /// The part of what is configured that lies in these ranges: nothing else is ever asked.
  /// - Returns: nil where an address of one of them is not configured.
  package func plan(for wanted: [AddressRange]) -> SweepPlan? {
    let addresses = AddressSet(wanted)
    var part = self
    part.ranges = ranges.filter { !$0.credentials.isEmpty }
    let configured = part.ranges.reduce(AddressSet()) { $0.union($1.addresses) }
    guard !addresses.isEmpty, addresses.subtracting(configured).isEmpty else { return nil }
    for index in part.ranges.indices {
      part.ranges[index].addresses = part.ranges[index].addresses.intersection(addresses)
      part.ranges[index].name = wanted.map(\.description).joined(separator: ", ")
    }
    part.ranges.removeAll { $0.addresses.isEmpty }
    return part.plan
  }
}

extension Collector {

  /// Sweeps now, after a sweep that is under way, and waits until what was found is read.
  /// - Parameter plan: of `CollectorSettings.plan(for:)`; nil: all that is configured.
  /// - Throws: `CollectorStopped`, `CancellationError`, or what the sink throws.
  package func scan(_ plan: SweepPlan? = nil) async throws -> ScanResult {
    guard isCollecting else { throw CollectorStopped() }
    let counts = try await sweepOnce(plan)
    while schedule.slots.values.contains(where: { $0.device == nil }) {
      guard isCollecting else { throw CollectorStopped() }
      try await Task.sleep(for: Self.tick)
    }
    return ScanResult(
      addresses: counts.values.reduce(0, +), found: counts[.found] ?? 0, outcomes: counts)
  }

  /// When the device is polled next, in milliseconds since 1970 UTC: at once where that time has passed. Nil where none is planned.
  package func nextPoll(of device: DeviceID) -> Int64? {
    guard isCollecting, let endpoint = monitors[device]?.value.known.endpoint,
      schedule.slots[endpoint]?.device == device
    else { return nil }
    guard let due = schedule.due(endpoint) else { return schedule.isBeingPolled(endpoint) ? clock() : nil }
    return clock() + max(0, Int64(ContinuousClock.now.duration(to: due) / .milliseconds(1)))
  }

  /// Who answers where a device was last seen, asked now and recorded nowhere. Its serial number is asked for alone where it is known by that.
  /// - Returns: nil where it has no address any more, is retired, or lies in no range.
  /// - Throws: `PollFailure` where nobody tells; `CancellationError` or `EngineError`.
  package func whoAnswers(for device: DeviceID) async throws -> (address: IPv4Address, identity: DeviceIdentity)? {
    guard let known = monitors[device]?.value.known, let address = known.endpoint?.address, !known.isRetired else {
      return nil
    }
    let credentials = settings.credentials(for: address)
    guard !credentials.isEmpty else { return nil }
    if known.identity.comparableSerial != nil,
      let identity = try await serialTold(at: address, credentials.filter { $0.name == known.credential } + credentials)
    {
      return (address, identity)
    }
    switch try await readNow(Endpoint(address, port: settings.port)).result {
    case .reading(let poll): return (address, poll.reading.identity)
    case .failed(let failure): throw failure
    }
  }

  /// By a few requests; nil where they do not tell.
  private func serialTold(
    at address: IPv4Address, _ credentials: [NamedCredential]
  ) async throws -> DeviceIdentity? {
    let attempt = SweepAttempt(
      address: address, range: 0, pass: 1, patience: settings.sweep.secondPatience,
      furtherPatience: settings.sweep.firstPatience)
    let probe = try await reader.probe(
      attempt, port: settings.port, credentials: Array(credentials.prefix(1)), isIdentifying: true)
    let identity = Interpretation.read(probe.walk, profiles: reader.profiles).identity
    return identity.comparableSerial == nil ? nil : identity
  }

  /// Polls devices now and waits until they are read, or do not answer.
  /// - Parameters:
  ///   - devices: nil: all.
  ///   - alerts: whether their alerts are read whatever their detectors say.
  /// - Throws: `CollectorStopped` or `CancellationError`; what was read by then is told.
  package func poll(_ devices: Set<DeviceID>? = nil, alerts: Bool) async throws -> PollResult {
    guard isCollecting else { throw CollectorStopped() }
    let start = ContinuousClock.now
    var result = PollResult()
    var asked: [DeviceID: Endpoint] = [:]
    for id in (devices ?? Set(monitors.keys)).sorted() {
      guard let endpoint = monitors[id]?.value.known.endpoint, schedule.slots[endpoint]?.device == id,
        schedule.demand(endpoint, alerts: alerts, now: start)
      else {
        result.notAsked += 1
        continue
      }
      asked[id] = endpoint
    }
    while !asked.values.allSatisfy({ schedule.hasPolled($0, since: start) }) {
      guard isCollecting else { throw CollectorStopped() }
      try await Task.sleep(for: Self.tick)
    }
    for (id, _) in asked {
      if monitors[id]?.value.reachability.isReachable ?? false { result.read += 1 } else { result.failed += 1 }
    }
    return result
  }
}
