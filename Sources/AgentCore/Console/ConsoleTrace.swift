// What the console shows of collecting that is no event and in no journal: the outcome of each address, and how polls went step by step. In memory, since
// the start, and bounded.

internal import Collectors
internal import Console
internal import Discovery
internal import Events
internal import PrinterModel
internal import ReadModels
internal import Synchronization
internal import WebServing

final class ConsoleTrace: Sendable {
  /// Two /16 networks; an address takes some 100 bytes.
  static let addressesMax = 131_072
  /// Of one device.
  static let pollsMax = 10
  /// Of all devices: each keeps fewer where there are many.
  static let pollsOfAllMax = 5_000
  private static let announcedMax = 256

  struct Poll: Sendable {
    let time: Int64
    let kind: String
    let address: String
    let credential: String
    let outcome: String
    let failure: String?
    let cost: PollCost
    let steps: [PollStep]
  }

  struct Sweeps: Sendable {
    var started: Int64?
    var reasons: [SweepReason: Int] = [:]
    var addresses: [UInt32: ConsoleAddress] = [:]
    var unlisted = 0
    var announced: [IPv4Address: AnnouncedPrinter] = [:]
  }

  private struct State {
    var sweeps = Sweeps()
    var polls: [DeviceID: [Poll]] = [:]
  }

  private let state = Mutex(State())
  private let feed: EventFeed?

  init(_ feed: EventFeed? = nil) { self.feed = feed }

  // MARK: Sweeps

  func sweepBegan(at time: Int64) {
    state.withLock { state in
      state.sweeps.started = time
      state.sweeps.unlisted = 0
    }
  }

  func settled(_ result: AddressResult, at time: Int64) {
    let identity = result.identity
    let address = ConsoleAddress(
      order: result.address.value, address: result.address.description, reason: result.reason.rawValue,
      detail: result.detail, credential: result.credential, make: identity?.make, model: identity?.model?.text,
      serial: identity?.serial?.text, time: time)
    state.withLock { state in
      if let former = state.sweeps.addresses[address.order] {
        if let reason = SweepReason(rawValue: former.reason) { state.sweeps.reasons[reason, default: 1] -= 1 }
      } else if state.sweeps.addresses.count >= Self.addressesMax {
        state.sweeps.unlisted += 1
        return
      }
      state.sweeps.reasons[result.reason, default: 0] += 1
      state.sweeps.addresses[address.order] = address
    }
  }

  func announced(_ printer: AnnouncedPrinter) {
    state.withLock { state in
      guard state.sweeps.announced.count < Self.announcedMax || state.sweeps.announced[printer.address] != nil else {
        return
      }
      state.sweeps.announced[printer.address] = printer
    }
  }

  var sweeps: Sweeps { state.withLock { $0.sweeps } }
  var addresses: [ConsoleAddress] { state.withLock { Array($0.sweeps.addresses.values) } }

  // MARK: Polls

  func polled(_ device: DeviceID, _ outcome: PollOutcome, at time: Int64) {
    let (word, kind, failure): (String, String, String?)
    switch outcome.result {
    case .reading(let poll):
      word = poll.interruption == nil ? "read" : "interrupted"
      kind = poll.kind == .full ? "full" : "light"
      failure = poll.interruption?.message
    case .failed(let reason): (word, kind, failure) = ("failed", "", reason.message)
    }
    let poll = Poll(
      time: time, kind: kind, address: outcome.endpoint.description, credential: outcome.credential, outcome: word,
      failure: failure, cost: outcome.cost, steps: outcome.steps)
    state.withLock { state in
      let kept = min(Self.pollsMax, max(1, Self.pollsOfAllMax / max(1, state.polls.count)))
      state.polls[device] = Array(([poll] + (state.polls[device] ?? [])).prefix(kept))
    }
    guard let feed, feed.hasListeners else { return }
    feed.publish(
      "poll",
      .object([
        ("id", .string(device.description)), ("outcome", .string(word)),
        ("milliseconds", WebJSON(outcome.cost.milliseconds)),
      ]))
  }

  /// The newest first.
  func polls(of device: DeviceID) -> [Poll] { state.withLock { $0.polls[device] ?? [] } }
}

extension ConsoleTrace.Poll {
  var json: WebJSON {
    .object([
      ("time", .string(UTCTime.text(milliseconds: time))), ("kind", .string(kind)), ("address", .string(address)),
      ("credential", .string(credential)), ("outcome", .string(outcome)), ("failure", WebJSON(failure)),
      (
        "cost",
        .object([
          ("requests", WebJSON(cost.requests)), ("bytesSent", WebJSON(cost.bytesSent)),
          ("bytesReceived", WebJSON(cost.bytesReceived)), ("milliseconds", WebJSON(cost.milliseconds)),
        ])
      ),
      (
        "steps",
        .array(
          steps.map { step in
            .object([
              ("name", .string(step.name)), ("state", .string(step.failure == nil ? "done" : "broken")),
              ("milliseconds", WebJSON(step.milliseconds)), ("requests", WebJSON(step.requests)),
              ("objects", WebJSON(step.objects)), ("detail", WebJSON(step.failure?.message)),
            ])
          })
      ),
    ])
  }
}
