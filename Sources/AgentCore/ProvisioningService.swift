// Enrols with a DataLink code that whoever installed the agent left for its first start. An unattended installation knows the code before the agent
// has a journal, and often before the machine has a network.
//
//     found                        | hub says                          | then
//     -----------------------------|-----------------------------------|--------------------------------------------------------------
//     nothing, or enrolled already |                                   | nothing; a file in the state directory is removed
//     a code                       | welcome                           | the file is removed; `IdentityWatcher` journals the enrolment
//     a code                       | not this one; it is no code       | the file is removed, and the status says why: it never becomes good
//     a code                       | nothing, too many, another hub    | it is kept and tried again, later and later; the status says why
//
// A code that the service manager handed over cannot be removed from here. It is not tried again before the next start once it was refused.

internal import Enrolment
internal import Journal
internal import Logging
internal import Platform
internal import Replicator
internal import Settings
internal import ServiceLifecycle

/// Where a code may lie.
struct LeftCode: Equatable, Sendable {
  /// In the state directory: made by the package, 0600.
  static let fileName = "datalink-code"

  let path: String
  /// Whether it is the agent's to remove.
  let isOurs: Bool

  static func places(stateDirectory: String, handedOver: String? = Machine.environment("CREDENTIALS_DIRECTORY"))
    -> [LeftCode]
  {
    var places = [LeftCode(path: stateDirectory + "/" + fileName, isOurs: true)]
    if let handedOver,
      let path = ServiceCredentials.path(of: fileName, configurationDirectory: "", handedOver: handedOver)
    {
      places.append(LeftCode(path: path, isOurs: false))
    }
    return places
  }
}

struct ProvisioningService: Service {
  /// What comes of an attempt.
  enum Outcome: Equatable {
    case enrolled
    /// The code is of no use.
    case useless(String)
    case later(String)

    init(_ error: EnrolmentError) {
      switch error {
      case .codeRefused, .malformedCode: self = .useless(error.description)
      case .enrolledAlready: self = .enrolled
      default: self = .later(error.description)
      }
    }
  }

  /// Has the hub, which may be set while the agent runs.
  let keeper: SettingsKeeper
  let places: [LeftCode]
  let identity: IdentityWatcher
  let journal: Journal
  let logger: Logger

  func run() async throws {
    try await untilGracefulShutdown { try await provision() }
    try await gracefulShutdown()
  }

  private func provision() async throws {
    guard let place = places.first(where: { Files.exists($0.path) }) else { return }
    var backoff = Backoff()
    var random = SystemRandomNumberGenerator()
    while true {
      if identity.identity != nil { return remove(place) }
      let (configuration, revision) = keeper.numbered
      guard configuration.hub != nil else {
        try await keeper.changed(from: revision)
        continue
      }
      switch await attempt(place, configuration) {
      case .enrolled:
        logger.notice("this machine was enrolled with the code that was left for it")
        return remove(place)
      case .useless(let reason):
        logger.error("the DataLink code that was left is of no use", metadata: ["reason": "\(reason)"])
        identity.attempted(
          EnrolmentAttempt(
            state: .failed, message: "not enrolled: \(reason)",
            remedy: "Get another code, then run: ptagent enroll --code CODE"))
        return remove(place)
      case .later(let reason):
        logger.warning("this machine was not enrolled yet", metadata: ["reason": "\(reason)"])
        identity.attempted(
          EnrolmentAttempt(
            state: .waiting, message: "not enrolled yet: \(reason)",
            remedy: "It is tried again by itself. To try at once: systemctl restart ptagent"))
      }
      try await Task.sleep(for: backoff.failed(using: &random))
    }
  }

  private func attempt(_ place: LeftCode, _ configuration: AgentConfiguration) async -> Outcome {
    do {
      guard let code = DataLinkCode(try Files.readText(place.path)) else { return Outcome(.malformedCode) }
      let reference = JournalReference(id: journal.identity.id, publicKey: journal.identity.publicKey)
      _ = try await AgentEnrolment(configuration, logger: logger).enrolBeside(
        code: code, journal: reference, isAgain: false)
      return .enrolled
    } catch let error as EnrolmentError {
      return Outcome(error)
    } catch {
      return .later("\(error)")
    }
  }

  private func remove(_ place: LeftCode) {
    guard place.isOurs else { return }
    do { try Files.remove(place.path) } catch {
      logger.error("the DataLink code that was left cannot be removed", metadata: ["reason": "\(error)"])
    }
  }
}
