// Hands settings to agents: behind the welcome, and to those that are connected when something changes, in whatever process.
//
//     pthub settings set ──> settings_revision ──(looked at twice a second)──> each stream's set computed again ──> what is another is sent
//
// Where nothing was ever set and an agent has nothing, nothing is looked up.

internal import FoundationEssentials
internal import HubProtocol
internal import Logging
internal import ServiceLifecycle
internal import Settings
internal import SwiftProtobuf
internal import Synchronization

final class SettingsWatch: Service {
  struct ID: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  /// Which set an agent has.
  struct Mark: Equatable, Sendable {
    var version: UInt64
    /// Empty: none.
    var digest: [UInt8]

    init(version: UInt64, digest: [UInt8]) {
      self.version = version
      self.digest = digest
    }

    init(_ set: SettingsSet) { self.init(version: set.version, digest: set.digest) }

    init(_ hello: Printtrail_Dcam_V1_Hello) {
      self.init(version: hello.settingsVersion, digest: Array(hello.settingsDigest))
    }
  }

  private struct Stream {
    let install: InstallNumber
    /// The set that the agent has, or was sent last.
    var mark: Mark
    let deliver: @Sendable (SettingsSet) -> Void
  }

  private struct State {
    /// Nil: not looked at yet.
    var revision: Int64?
    var streams: [ID: Stream] = [:]
    var next: UInt64 = 0
  }

  private let store: SQLStore
  private let clock: HubClock
  private let logger: Logger
  private let state = Mutex(State())

  init(store: SQLStore, clock: HubClock, logger: Logger) {
    self.store = store
    self.clock = clock
    self.logger = logger
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await Task.sleep(for: HubLimits.settingsWatchInterval) } catch { return }
        await self.look()
      }
    }
  }

  /// Looks whether anything changed, and sends what came of it.
  func look() async {
    do {
      let revision = try await store.settingsRevision()
      guard state.withLock({ $0.revision != revision }) else { return }
      // Noted first: who opens a stream from here on finds what it says.
      state.withLock { $0.revision = revision }
    } catch {
      // Else the hub goes down.
      guard !Task.isCancelled else { return }
      return logger.error("it was not looked what is set of agents", metadata: ["error": "\(error)"])
    }
    var failure: (any Error)?
    for id in state.withLock({ Array($0.streams.keys) }) {
      do { try await offer(id) } catch { failure = error }
    }
    guard let failure, !Task.isCancelled else { return }
    // The next look is for all of them again; those who have their set are sent nothing.
    state.withLock { $0.revision = nil }
    logger.error("not all agents were told what is set of them", metadata: ["error": "\(failure)"])
  }

  private func offer(_ id: ID) async throws {
    guard let deliver = state.withLock({ $0.streams[id]?.deliver }), let set = try await offer(of: id) else { return }
    deliver(set)
  }

  // MARK: Agents

  /// A stream that is told of changes from now on, until it is forgotten.
  ///
  /// - Parameter applied: what its agent has.
  func watch(_ install: InstallNumber, applied: Mark, _ deliver: @escaping @Sendable (SettingsSet) -> Void) -> ID {
    state.withLock { state in
      state.next += 1
      let id = ID(number: state.next)
      state.streams[id] = Stream(install: install, mark: applied, deliver: deliver)
      return id
    }
  }

  func forget(_ id: ID) { state.withLock { $0.streams[id] = nil } }

  /// What the agent of a stream should have and has not; it counts as sent.
  func offer(of id: ID) async throws -> SettingsSet? {
    guard let stream = state.withLock({ $0.streams[id] }),
      let set = try await offer(to: stream.install, applied: stream.mark)
    else { return nil }
    state.withLock { $0.streams[id]?.mark = Mark(set) }
    return set
  }

  /// What an agent should have and has not.
  func offer(to install: InstallNumber, applied: Mark) async throws -> SettingsSet? {
    if applied.digest.isEmpty, state.withLock(\.revision) == 0 { return nil }
    return try await store.settingsOffer(
      for: install, applied: applied.digest, version: applied.version, now: clock.now)
  }
}

extension Printtrail_Dcam_V1_SettingsSet {
  init(_ set: SettingsSet) {
    self = .with {
      $0.version = set.version
      $0.digest = Data(set.digest)
      $0.values = set.values.map { .init($0) }
      $0.devices = set.devices.map { device in
        .with {
          $0.device = device.device
          $0.values = device.values.map { .init($0) }
        }
      }
    }
  }
}

extension Printtrail_Dcam_V1_Setting {
  fileprivate init(_ setting: Setting) {
    self = .with { ($0.key, $0.value) = (setting.key, setting.value) }
  }
}
