// What this agent does when the hub wants it, and what it will not do. Nothing here goes beyond what its own configuration permits: ranges lie in
// configured ones, devices are known ones.

internal import Collectors
internal import Discovery
internal import Events
internal import Evidence
internal import Journal
internal import Jobs
internal import OpenSSL
internal import Platform
internal import Projections
internal import ReadModels
internal import Replicator

/// Asks the hub for settings anew and applies them.
protocol SettingsUpdating: Sendable {
  /// - Parameter device: whose; nil: the install's.
  /// - Returns: a sentence that says what came of it.
  /// - Throws: why they were not applied; as text it is a sentence.
  func update(_ device: DeviceID?) async throws -> String
}

/// Lets a technician see a printer's own page.
protocol DevicePageOpening: Sendable {
  /// Why no session with it begins now; nil: one may.
  func obstacle(to device: DeviceID) -> JobRefusal?
  /// Returns when the session is over, with a sentence about it.
  /// - Throws: why there never was one; as text it is a sentence.
  func open(_ job: JobID, _ device: DeviceID, for visit: JobOrder.Visit) async throws -> String
}

struct JobExecution: JobExecutor {
  /// What an upload waits for the hub to have what was read. It has it later all the same.
  private static let deliveryMax: Duration = .seconds(60)
  /// What is waited for collecting to begin.
  private static let collectorMax: Duration = .seconds(30)
  private static let deliveryLook: Duration = .milliseconds(100)
  /// Copies of diagnostics that are kept beside the journal.
  static let diagnosticsKept = 5

  /// What the agent is configured for now.
  let configured: @Sendable () -> CollectorSettings
  let desk: CollectorDesk
  let fold: FleetFold
  let journal: Journal
  let replicator: Replicator
  let diagnostics: Diagnostics
  let stateDirectory: String
  let restart: RestartRequest
  /// Nil: this agent has no settings but its file's.
  var settingsUpdate: (any SettingsUpdating)?
  /// Nil: remote technician is not switched on.
  var devicePages: (any DevicePageOpening)?

  // MARK: What it will not do

  func refusal(of order: JobOrder) async -> JobRefusal? {
    if let unknown = order.devices.first(where: { !isKnown($0) }) {
      return JobRefusal(.unknownDevice, "This agent has no device \(unknown).")
    }
    switch JobOrder.Kind(rawValue: order.kind) {
    case .scan?:
      do { _ = try plan(order) } catch let refusal as JobRefusal { return refusal } catch {
        return JobRefusal(.arguments, "\(error)")
      }
      return nil
    case .settings? where settingsUpdate == nil:
      return JobRefusal(.unavailable, "This agent takes its settings from its own file alone.")
    case .page?:
      guard let devicePages else {
        return JobRefusal(.unavailable, "Remote technician is not switched on at this agent.")
      }
      return order.devices.first.flatMap { devicePages.obstacle(to: $0) }
    default: return nil
    }
  }

  private func isKnown(_ device: DeviceID) -> Bool {
    guard let state = fold.state.devices[device] else { return false }
    return state.discovered != nil && state.merged == nil
  }

  /// What is to be swept; nil: all that is configured.
  private func plan(_ order: JobOrder) throws -> SweepPlan? {
    guard !order.ranges.isEmpty else { return nil }
    var ranges: [AddressRange] = []
    for text in order.ranges {
      do throws(AddressRangeError) { ranges.append(try AddressRange(text)) } catch {
        throw JobRefusal(.arguments, "\(error)")
      }
    }
    guard let plan = configured().plan(for: ranges) else {
      throw JobRefusal(
        .notPermitted, "Not all of \(order.ranges.joined(separator: ", ")) is in this agent's discovery.ranges.")
    }
    return plan
  }

  // MARK: What it does

  func run(_ id: JobID, _ order: JobOrder) async throws -> JobResult {
    switch JobOrder.Kind(rawValue: order.kind) {
    case .scan?: return try await scan(order)
    case .upload?: return try await read(order, alerts: false)
    case .alerts?: return try await read(order, alerts: true)
    case .settings?:
      guard let settingsUpdate else { throw JobRefusal(.unavailable, "There is nothing that could do it.") }
      return JobResult(try await settingsUpdate.update(order.devices.first))
    case .page?:
      guard let devicePages, let device = order.devices.first else {
        throw JobRefusal(.unavailable, "There is nothing that could do it.")
      }
      let visit = order.visit ?? JobOrder.Visit(user: "", reason: "", from: "", seconds: 0)
      return JobResult(try await devicePages.open(id, device, for: visit))
    case .restart?: return try await restartAgent()
    case .diagnostics?: return try captureDiagnostics(id)
    case nil: throw JobRefusal(.unknownKind, "This release of the agent does not know this kind of job.")
    }
  }

  /// After a start it takes a moment until there is one.
  private func collector() async throws -> Collector {
    let end = ContinuousClock.now.advanced(by: Self.collectorMax)
    while ContinuousClock.now < end {
      if let collector = desk.collector, await collector.isCollecting { return collector }
      try await Task.sleep(for: Self.deliveryLook)
    }
    throw CollectorStopped()
  }

  private func scan(_ order: JobOrder) async throws -> JobResult {
    let result = try await collector().scan(try plan(order))
    let outcomes = result.outcomes.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
    return JobResult(
      "\(counted(result.addresses, "address", plural: "addresses")): \(outcomes.joined(separator: ", ")).")
  }

  private func read(_ order: JobOrder, alerts: Bool) async throws -> JobResult {
    let wanted = order.devices.isEmpty ? nil : Set(order.devices)
    let result = try await collector().poll(wanted, alerts: alerts)
    var words = ["\(counted(result.read, "device")) read"]
    if result.failed > 0 { words.append("\(result.failed) did not answer") }
    if result.notAsked > 0 { words.append("\(result.notAsked) not asked (no address, or retired)") }
    let isDelivered = try await deliver()
    words.append(isDelivered ? "delivered" : "not delivered yet")
    return JobResult(words.joined(separator: ", ") + ".")
  }

  /// Waits until the hub has what the journal has now.
  private func deliver() async throws -> Bool {
    let head = try journal.reader.head()
    let end = ContinuousClock.now.advanced(by: Self.deliveryMax)
    var hasHurried = false
    while ContinuousClock.now < end {
      let status = replicator.status
      if status.acknowledged ?? .start >= head { return true }
      if !hasHurried, status.state == .checkedIn {
        replicator.hurry()
        hasHurried = true
      }
      try await Task.sleep(for: Self.deliveryLook)
    }
    return false
  }

  /// Does not return in order: the process ends, and the job with the next start.
  private func restartAgent() async throws -> JobResult {
    await restart.make()
    while true { try await Task.sleep(for: .seconds(3_600)) }
  }

  private func captureDiagnostics(_ id: JobID) throws -> JobResult {
    let bytes = try diagnostics.bundle(of: fold.state)
    let directory = stateDirectory + "/diagnostics"
    try Files.makeDirectory(directory, mode: 0o700)
    let path = "\(directory)/\(id).json.gz"
    try Files.replace(path, with: bytes, mode: 0o600)
    try removeOld(in: directory, but: path)
    let digest = bytes.withUnsafeBytes { SHA256.hash($0) }.hex
    return JobResult("\(bytes.count) bytes, SHA-256 \(digest).", attachment: bytes, path: path)
  }

  /// Keeps the newest copies.
  private func removeOld(in directory: String, but newest: String) throws {
    let others = try Files.names(in: directory).map { "\(directory)/\($0)" }
      .filter { $0.hasSuffix(".json.gz") && $0 != newest }
      .compactMap { path in Files.modified(path).map { (path, $0) } }
      .sorted { $0.1 > $1.1 }
    for (path, _) in others.dropFirst(Self.diagnosticsKept - 1) { try Files.remove(path) }
  }
}

extension JobRefusal: CustomStringConvertible {
  package var description: String { message }
}
