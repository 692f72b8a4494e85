// What a delivery stream does with what it has received: all that is there at once, in the order in which it came. A checkpoint is looked at after
// the batches before it were committed; batches are committed together, and answered with one acknowledgement per epoch.

internal import Events
internal import GRPCCore
internal import GRPCProtobuf
internal import HubProtocol
internal import Logging
internal import NIOCore
internal import RPCServing
internal import Settings
internal import SwiftProtobuf
internal import Synchronization

extension StreamSession {
  func handle(_ taken: [Held]) async throws {
    defer {
      for held in taken {
        own.release(held.own)
        share.release(held.shared)
      }
    }
    var batches: [Append] = []
    var isJobLookDue = false
    for held in taken {
      switch held.message {
      case .hello(let hello):
        try begin(hello)
        try await greet(hello)
        isJobLookDue = true
      case .jobs: isJobLookDue = isGreeted
      case .batch(let append):
        try expectHello()
        batches.append(append)
      case .checkpoint(let checkpoint):
        try expectHello()
        try await store(batches)
        batches = []
        try await keep(checkpoint)
      case .settings(let set): try await response.write(.with { $0.settings = .init(set) })
      }
    }
    try await store(batches)
    if isJobLookDue { try await sendJobs() }
  }

  private var isGreeted: Bool { progress.withLock { $0.isGreeted } }

  /// - Throws: `RPCError` INVALID_ARGUMENT if a Hello came before.
  private func begin(_ hello: Printtrail_Dcam_V1_Hello) throws {
    let isFirst = progress.withLock { progress in
      defer {
        progress.isGreeted = true
        progress.takesJobs = hello.takesJobs
      }
      progress.helloAlarm?.cancel()
      progress.helloAlarm = nil
      return !progress.isGreeted
    }
    guard isFirst else {
      delivery.metrics.count(.violations, "order")
      throw RPCError(code: .invalidArgument, message: "The stream does not follow the protocol: a second Hello.")
    }
  }

  private func sendJobs() async throws {
    guard progress.withLock({ $0.takesJobs }) else { return }
    let due = await delivery.dueJobs(of: install, logger: logger)
    // Whoever is to take its settings has them by then, however lately they were set.
    if due.contains(where: { $0.order.kind == JobOrder.Kind.settings.rawValue }) { try await offerSettings() }
    let now = delivery.clock.now
    for job in progress.withLock({ $0.sentJobs.take(due, now: now) }) {
      logger.info("job sent", metadata: ["job": "\(job.id)", "what": "\(job.order.summary)"])
      try await response.write(.with { $0.job = .init(job, now: now) })
    }
  }

  private func expectHello() throws {
    guard isGreeted else {
      delivery.metrics.count(.violations, "order")
      throw RPCError(
        code: .invalidArgument, message: "The stream does not follow the protocol: it must begin with a Hello.")
    }
  }

  private func greet(_ hello: Printtrail_Dcam_V1_Hello) async throws {
    var message = Printtrail_Dcam_V1_HubMessage()
    try await delivery.greet(hello, install: install, peer: address, logger: logger)
    message.welcome = try await delivery.welcome(install, hello)
    try await response.write(message)
    guard let settings = delivery.settings else { return }
    // Watched first: what changes from here on comes by the mailbox.
    let id = settings.watch(install.number, applied: SettingsWatch.Mark(hello)) { [weak self] set in
      self?.put(.settings(set))
    }
    progress.withLock { $0.settings = id }
    try await offerSettings()
  }

  private func offerSettings() async throws {
    guard let settings = delivery.settings, let id = progress.withLock({ $0.settings }) else { return }
    do {
      guard let set = try await settings.offer(of: id) else { return }
      try await response.write(.with { $0.settings = .init(set) })
    } catch is HubError { throw RPCError.storeUnavailable }
  }

  private func store(_ batches: [Append]) async throws {
    guard !batches.isEmpty else { return }
    var messages: [Printtrail_Dcam_V1_HubMessage] = []
    var acknowledgements: [UInt32: Printtrail_Dcam_V1_Acknowledgement] = [:]
    let result = try await delivery.store(batches, of: install, logger: logger)
    for answer in result.answers {
      messages += answer.rejections.map { rejection in .with { $0.rejection = rejection } }
      messages += answer.conflicts.map { conflict in .with { $0.conflict = conflict } }
      acknowledgements[answer.acknowledgement.epoch] = answer.acknowledgement
    }
    // Acknowledgements last: when an agent has one, it has been told of all that was wrong up to there.
    for (_, acknowledgement) in acknowledgements.sorted(by: { $0.key < $1.key }) {
      messages.append(.with { $0.acknowledgement = acknowledgement })
    }
    try await response.write(contentsOf: messages)
    if let failure = result.failure { throw failure }
  }

  private func keep(_ checkpoint: Printtrail_Dcam_V1_SealedCheckpoint) async throws {
    switch try await delivery.keep(checkpoint, install: install, logger: logger) {
    case .refused(let rejection): try await response.write(.with { $0.rejection = rejection })
    case .verified(let countersignature?): try await response.write(.with { $0.countersignature = countersignature })
    case .verified(nil): break
    }
  }
}

/// Writes to the agent of a stream; waits while it does not read.
struct AgentWriter: Sendable {
  let call: RPCCall

  func write(_ message: Printtrail_Dcam_V1_HubMessage) async throws { try await write(contentsOf: [message]) }

  func write(contentsOf messages: [Printtrail_Dcam_V1_HubMessage]) async throws {
    try await call.send(messages.map { try ProtobufSerializer().serialize($0) })
  }
}
