// Which endpoint is polled when. Pure: the collector asks what is due and tells what came out.

internal import Discovery
internal import Events

/// The polls to come.
struct PollSchedule: Sendable {
  /// One endpoint that is polled.
  struct Slot: Sendable {
    /// Nil for what a sweep found and no poll has identified yet.
    var device: DeviceID?
    var access: DeviceAccess
    /// When its last poll began.
    var polledAt: Instant?
    /// Whether something was heard of it since its last poll began.
    var isHinted = false
    /// Whether something had been heard of it when its last poll began.
    var isPolledForHint = false
    /// Whether somebody waits for a poll that begins now.
    var isDemanded = false
  }

  /// Polls are moved by up to this part of the interval, so that a fleet does not stay in step.
  private static let jitter = 0.05
  /// Known devices are polled anew after a start this far apart: 20 in a second.
  private static let startSpacing: Duration = .milliseconds(50)
  /// A hint brings the next poll no closer to the last than this: whoever sends traps without end causes two polls a minute.
  static let hintSpacing: Duration = .seconds(30)

  private(set) var slots: [Endpoint: Slot] = [:]
  /// When each slot is due that is not being polled. Looked through several times a second, which would be felt if whole slots were copied.
  private var dueAt: [Endpoint: Instant] = [:]
  private(set) var pollingCount = 0

  /// When the endpoint is polled next; nil while it is being polled, or where none is planned.
  func due(_ endpoint: Endpoint) -> Instant? { dueAt[endpoint] }

  private var interval: Duration
  private var parallelMax: Int
  private var started = 0

  init(interval: Duration, parallelMax: Int) {
    self.interval = interval
    self.parallelMax = max(parallelMax, 1)
  }

  /// From now on polls are so far apart, and so many go on at one time. What would be due later than that comes within one interval, spread.
  mutating func change(
    interval: Duration, parallelMax: Int, now: Instant, random: inout some RandomNumberGenerator
  ) {
    self.parallelMax = max(parallelMax, 1)
    guard interval != self.interval else { return }
    self.interval = interval
    for (endpoint, due) in dueAt where due > now.advanced(by: interval) {
      dueAt[endpoint] = now.advanced(by: interval * Double.random(in: 0...1, using: &random))
    }
  }

  /// A known device at a start of the service: its turn comes after those before it, within one interval.
  mutating func resume(
    _ device: DeviceID, at endpoint: Endpoint, access: DeviceAccess, now: Instant
  ) {
    let wait = min(Self.startSpacing * started, interval)
    started += 1
    slots[endpoint] = Slot(device: device, access: access)
    dueAt[endpoint] = now.advanced(by: wait)
  }

  /// Something a sweep found: polled at once, in the way that works there now. At a known endpoint the last poll failed, and
  /// another device may answer there now: what was learnt of the one before is forgotten.
  mutating func found(at endpoint: Endpoint, access: DeviceAccess, now: Instant) {
    guard var slot = slots[endpoint] else {
      slots[endpoint] = Slot(device: nil, access: access)
      dueAt[endpoint] = now
      return
    }
    slot.access = access
    slots[endpoint] = slot
    if let due = dueAt[endpoint] { dueAt[endpoint] = min(due, now) }
  }

  /// The endpoints to poll now, longest due first; they count as being polled from here on.
  mutating func takeDue(now: Instant) -> [Endpoint] {
    let room = parallelMax - pollingCount
    guard room > 0 else { return [] }
    let due = dueAt.filter { $0.value <= now }
      .sorted { ($0.value, $0.key) < ($1.value, $1.key) }
      .prefix(room).map(\.key)
    for endpoint in due {
      dueAt[endpoint] = nil
      slots[endpoint]?.polledAt = now
      let isHinted = slots[endpoint]?.isHinted ?? false
      slots[endpoint]?.isPolledForHint = isHinted
      slots[endpoint]?.isHinted = false
      slots[endpoint]?.isDemanded = false
    }
    pollingCount += due.count
    return due
  }

  /// Something happened at this endpoint, says a hint: polled soon; false when it is not one that is polled.
  mutating func hint(_ endpoint: Endpoint, now: Instant) -> Bool {
    guard let slot = slots[endpoint] else { return false }
    slots[endpoint]?.isHinted = true
    // What is being read now may have been read before it happened: asked again when that poll ends.
    guard let due = dueAt[endpoint] else { return true }
    dueAt[endpoint] = min(due, max(now, slot.polledAt?.advanced(by: Self.hintSpacing) ?? now))
    return true
  }

  /// Somebody wants to know now: polled at once, or once more when the poll ends that is under way.
  /// - Parameter alerts: whether it is about the alerts, whatever the detectors say.
  /// - Returns: false when this is no endpoint that is polled.
  mutating func demand(_ endpoint: Endpoint, alerts: Bool, now: Instant) -> Bool {
    guard slots[endpoint] != nil else { return false }
    slots[endpoint]?.isDemanded = true
    if alerts { slots[endpoint]?.isHinted = true }
    if let due = dueAt[endpoint] { dueAt[endpoint] = min(due, now) }
    return true
  }

  /// Whether a poll of this endpoint that began at `start` or later has ended, or nothing is polled there any more.
  func hasPolled(_ endpoint: Endpoint, since start: Instant) -> Bool {
    guard let slot = slots[endpoint] else { return true }
    return dueAt[endpoint] != nil && !slot.isDemanded && slot.polledAt.map { $0 >= start } ?? false
  }

  /// A poll ended. The slot stays for the device, due again after `pause`, which is moved a little.
  mutating func polled(
    _ endpoint: Endpoint, device: DeviceID, access: DeviceAccess, pause: Duration, now: Instant,
    random: inout some RandomNumberGenerator
  ) {
    pollingCount -= 1
    guard var slot = slots[endpoint] else { return }
    slot.device = device
    // A sweep may have found another way meanwhile; then that one stays.
    if slot.access.isSNMP == access.isSNMP { slot.access = access }
    slots[endpoint] = slot
    defer { if slot.isHinted { _ = hint(endpoint, now: now) } }
    let usual = now.advanced(by: pause * Double.random(in: 1 - Self.jitter...1 + Self.jitter, using: &random))
    dueAt[endpoint] = slot.isDemanded ? now : usual
  }

  /// A poll ended, and nothing is to be polled there until a sweep finds something again.
  mutating func abandoned(_ endpoint: Endpoint) {
    pollingCount -= 1
    slots[endpoint] = nil
  }

  /// What is under way.
  func step(now: Instant) -> CollectorStep {
    guard pollingCount > 0 else { return CollectorStep() }
    let began = slots.lazy.filter { dueAt[$0.key] == nil }.compactMap(\.value.polledAt).min()
    return CollectorStep(polling: pollingCount, oldest: began.map { $0.duration(to: now) })
  }

  /// Whether a poll of this endpoint is under way.
  func isBeingPolled(_ endpoint: Endpoint) -> Bool { slots[endpoint] != nil && dueAt[endpoint] == nil }

  /// No device is at this endpoint any more.
  mutating func remove(_ endpoint: Endpoint) {
    // Being polled: that poll's end decides.
    guard dueAt.removeValue(forKey: endpoint) != nil else { return }
    slots[endpoint] = nil
  }
}
