// One session: a connection to the hub on which this agent answers requests, each by asking the device (docs/formats/tunnel.md).
//
//     hub ──(TLS, opened by the agent; HTTP/2, the hub is the client)──> RemoteSession ──> RemoteExchange, one a request ──> device
//
// It ends for the first reason that comes: time, somebody at the agent, a limit, another device, the hub, the agent itself. Then the hub is told
// why, everything that is under way ends at once, and the journal has it. What cannot be journalled is not done: a session without a trail ends.

internal import Discovery
package import Events
internal import FoundationEssentials
internal import GRPCWire
internal import HTTP2
package import TLS

/// Where what happens is kept.
package protocol RemoteJournal: Sendable {
  /// Returns when it is on the disk.
  /// - Returns: its sequence.
  func append(_ body: EventBody, of device: DeviceID) async throws -> UInt64
}

/// What a session is for.
package struct RemoteOrder: Sendable {
  package var job: JobID
  package var visit: JobOrder.Visit
  package var rules: TargetRules
  /// What showed that it is this device: `serial X` or `MAC X`.
  package var evidence: String
  package var targets: [String]
  /// What the device calls itself and how it is reached.
  package var names: [String]
  package var allowsOldTLS: Bool

  package init(
    job: JobID, visit: JobOrder.Visit, rules: TargetRules, evidence: String, targets: [String], names: [String],
    allowsOldTLS: Bool
  ) {
    self.job = job
    self.visit = visit
    self.rules = rules
    self.evidence = evidence
    self.targets = targets
    self.names = names
    self.allowsOldTLS = allowsOldTLS
  }
}

/// How a session ended.
package struct RemoteEnd: Equatable, Sendable {
  package var reason: RemoteSessionClosed.Reason
  /// A sentence.
  package var message: String

  package init(_ reason: RemoteSessionClosed.Reason, _ message: String) {
    self.reason = reason
    self.message = message
  }
}

/// Why there never was a session.
package struct RemoteNotOpened: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

package final class RemoteSession: Sendable {
  /// What ALPN calls it.
  package static let applicationProtocol = "printtrail-tunnel/1"
  /// Requests that wait to be looked at: more than may be open at one time.
  private static let waitingMax = 64
  /// How often the hub is come to. Its service may have too much to do at one moment.
  private static let attemptsMax = 3
  /// Before the second attempt, and twice that before the third; each of them half as long or half as long again, so that agents do not come together.
  private static let attemptPause: Duration = .milliseconds(500)
  /// How often it is looked meanwhile whether somebody ended it.
  private static let endLook: Duration = .milliseconds(50)
  /// How often it is looked whether the device is still where it was.
  private static let deviceLook: Duration = .seconds(2)

  package let order: RemoteOrder
  package let limits: RemoteLimits
  package let started = ContinuousClock.now
  let pins: CertificatePins
  let journal: any RemoteJournal
  let meter: UsageMeter
  private let ending = Latch<RemoteEnd>()

  package init(_ order: RemoteOrder, limits: RemoteLimits, pins: CertificatePins, journal: any RemoteJournal) {
    self.order = order
    self.pins = pins
    self.journal = journal
    var limits = limits
    let wanted = order.visit.seconds == 0 ? RemoteLimits.timeMax : .seconds(Int(order.visit.seconds))
    limits.time = min(limits.time, wanted, RemoteLimits.timeMax)
    self.limits = limits
    meter = UsageMeter(limits)
  }

  package var usage: RemoteUsage { meter.usage }

  /// Ends it; the first reason counts. From any thread.
  package func end(_ end: RemoteEnd) { ending.set(end) }

  /// Why it ends, or ended; nil: it goes on.
  package var ended: RemoteEnd? { ending.current }

  /// Opens it, serves the hub, and returns when it is over and journalled.
  /// - Parameters:
  ///   - tls: with this install's certificate.
  ///   - absence: why the device is no longer where it was; nil while it is.
  /// - Throws: why there never was one: `RemoteNotOpened`, what the journal throws, or `CancellationError`.
  package func run(
    to hub: TLS.Endpoint, tls: TLSConfiguration, absence: @escaping @Sendable () -> String?
  ) async throws -> RemoteEnd {
    let (incoming, arrived) = AsyncStream.makeStream(
      of: HTTP2Stream.self, bufferingPolicy: .bufferingOldest(Self.waitingMax))
    defer { arrived.finish() }
    let connection = try await connect(to: hub, tls) { stream in
      if case .dropped(let late) = arrived.yield(stream) { late.abandon(.refusedStream) }
    }
    do {
      _ = try await journal.append(.remoteSessionOpened(opened), of: order.rules.device)
    } catch {
      connection.abort()
      throw error
    }
    let end = await withTaskCancellationHandler {
      await serve(incoming, connection, absence)
    } onCancel: {
      self.end(RemoteEnd(.stopping, "The agent ends it: the job was taken back, its time is over, or the agent stops."))
    }
    // Also where this task was cancelled: what was opened is seen to be closed.
    try await Task {
      _ = try await connection.untilClosed()
      _ = try await self.journal.append(.remoteSessionClosed(self.closed(end)), of: self.order.rules.device)
    }.value
    return end
  }

  private func connect(
    to hub: TLS.Endpoint, _ tls: TLSConfiguration, take: @escaping @Sendable (HTTP2Stream) -> Void
  ) async throws -> HTTP2Connection {
    var tls = tls
    tls.applicationProtocols = [Self.applicationProtocol]
    tls.sessions = nil
    var configuration = HTTP2Configuration(authority: "agent")
    configuration.connectionWindowBytes = 8 << 20
    configuration.keepaliveInterval = .seconds(15)
    configuration.keepaliveTimeout = .seconds(15)
    configuration.drainTimeout = .seconds(2)
    for attempt in 1... {
      do {
        return try await HTTP2Connection.serve(
          over: try TLSConnection(to: hub, configuration: tls), configuration: configuration, take: take)
      } catch let error as CancellationError { throw error } catch {
        let pause = Self.attemptPause * attempt * Double.random(in: 0.5...1.5)
        guard attempt < Self.attemptsMax, Self.mayPass(error), started.duration(to: .now) + pause < limits.time else {
          throw RemoteNotOpened("The hub's service remotetechnician at \(hub) did not take the session. \(error)")
        }
        let next = ContinuousClock.now.advanced(by: pause)
        while ContinuousClock.now < next, ending.current == nil { try await Task.sleep(for: Self.endLook) }
      }
      guard ending.current == nil else { throw RemoteNotOpened("It was ended at the agent before it began.") }
    }
    preconditionFailure("an attempt succeeds, or is the last one")
  }

  /// Whether the hub may take the next attempt: there was no connection, or it was closed before the hub said anything. What it refuses, it refuses again.
  private static func mayPass(_ error: any Error) -> Bool {
    switch error {
    case let error as TLSError: error.isTransient
    case HTTP2Error.connection(let error): (error as? TLSError)?.isTransient ?? false
    case HTTP2Error.closedByPeer: true
    default: false
    }
  }

  private func serve(
    _ incoming: AsyncStream<HTTP2Stream>, _ connection: HTTP2Connection, _ absence: @escaping @Sendable () -> String?
  ) async -> RemoteEnd {
    await withDiscardingTaskGroup { group in
      group.addTask {
        try? await Task.sleep(for: self.limits.time)
        if !Task.isCancelled { self.end(RemoteEnd(.time, "Its time was over.")) }
      }
      group.addTask {
        guard let reason = try? await connection.untilUnusable() else { return }
        self.end(RemoteEnd(.hub, Self.words(reason)))
      }
      group.addTask {
        while !Task.isCancelled {
          if let absence = absence() { return self.end(RemoteEnd(.device, absence)) }
          try? await Task.sleep(for: Self.deviceLook)
        }
      }
      group.addTask {
        let exchanges = RemoteExchange(self)
        defer { exchanges.close() }
        await withDiscardingTaskGroup { requests in
          for await stream in incoming { requests.addTask { await exchanges.serve(stream) } }
        }
      }
      let end =
        (try? await ending.value()) ?? ending.current
        ?? RemoteEnd(.stopping, "The agent ends it.")
      connection.close(.noError, reason: "\(end.reason.rawValue): \(end.message)")
      group.cancelAll()
      return end
    }
  }

  /// Why the hub's connection is over, to whoever reads the journal.
  private static func words(_ reason: HTTP2Error) -> String {
    switch reason {
    case .goneAway(_, let text) where !text.isEmpty: "The hub ended it: \(text)\(text.hasSuffix(".") ? "" : ".")"
    case .goneAway, .closedByPeer: "The hub ended it."
    case .keepaliveTimeout: "The hub no longer answered."
    case .protocolViolation(let text), .notHTTP2(let text): "The hub broke the protocol: \(text)."
    case let other: "The connection to the hub broke: \(other)"
    }
  }

  // MARK: Told

  private var opened: RemoteSessionOpened {
    RemoteSessionOpened(
      job: order.job, visit: order.visit, address: order.rules.address.description, evidence: order.evidence,
      targets: order.targets)
  }

  private func closed(_ end: RemoteEnd) -> RemoteSessionClosed {
    let usage = meter.usage
    return RemoteSessionClosed(
      job: order.job, reason: end.reason.rawValue, message: end.message, requests: usage.requests,
      bytesSent: usage.bytesSent, bytesReceived: usage.bytesReceived,
      milliseconds: UInt64(max(0, started.duration(to: .now) / .milliseconds(1))))
  }

  private struct Hello: Encodable {
    let session: String
    let device: String
    let endsInSeconds: Int
    let targets: [String]
    let names: [String]
  }

  /// The answer to `/hello`.
  func hello() throws -> [UInt8] {
    let left = limits.time - started.duration(to: .now)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(
      try encoder.encode(
        Hello(
          session: order.job.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(),
          device: order.rules.device.description, endsInSeconds: Int(max(left.components.seconds, 0)),
          targets: order.targets, names: order.names)))
  }
}
