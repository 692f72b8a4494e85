// How `ptagent remote` reaches the agent that runs: by names of files in a directory that the agent's user and root alone may write to.
//
//     <state>/remote/ask.<nonce>.list              put there by the command, empty; taken away by the agent
//     <state>/remote/ask.<nonce>.close.<job>|all
//     <state>/remote/ask.<nonce>.trust.<device>[.<first digits of a certificate's SHA-256>|none]
//     <state>/remote/answer.<nonce>                one JSON value; taken away by the command
//
// An ask has no content, so that it matters not whose file it is; what it says beyond these words is not looked at.

internal import Events
internal import FoundationEssentials
internal import Journal
internal import Logging
internal import OpenSSL
internal import Platform
internal import ReadModels
internal import RemoteTechnician
internal import ServiceLifecycle

/// One session, as the command shows it.
package struct RemoteSessionLine: Codable, Equatable, Sendable {
  package var id: String
  package var device: String
  package var address: String
  package var user: String
  package var reason: String
  package var from: String
  package var requests: UInt64
  package var bytesSent: UInt64
  package var bytesReceived: UInt64
  package var secondsLeft: Int64
}

/// A certificate that a device showed, and that is not the pinned one.
package struct RemoteCertificateLine: Codable, Equatable, Sendable {
  package var port: UInt32
  /// Of its DER; empty: the device answered without TLS.
  package var sha256: String
  package var subject: String
}

/// What the agent answers.
package struct RemoteAnswer: Codable, Equatable, Sendable {
  package var sessions: [RemoteSessionLine]?
  /// Sessions that were ended.
  package var closed: Int?
  /// Ports whose other certificates are accepted from now on.
  package var trusted: [UInt32]?
  /// Certificates of which one may be accepted, the latest last.
  package var shown: [RemoteCertificateLine]?
  /// Why it was not done; a sentence.
  package var refusal: String?
}

struct RemoteControlService: Service {
  private static let look: Duration = .milliseconds(250)
  /// Asks of one look; whoever puts more there waits.
  private static let asksMax = 16
  /// For so long after its last change the directory is read in each look: two changes may have one time. In milliseconds.
  private static let settledAfter: Int64 = 2_000

  let desk: RemoteDesk
  let left: LeftSessions
  let journal: Journal
  let stateDirectory: String
  let logger: Logger

  func run() async throws {
    await left.close(in: journal, logger)
    let directory = RemoteControl.directory(in: stateDirectory)
    do {
      try Files.makeDirectory(directory, mode: 0o700)
      // Of commands that an earlier agent did not answer.
      for name in try Files.names(in: directory) { try Files.remove("\(directory)/\(name)") }
    } catch {
      return logger.warning("ptagent remote cannot reach this agent", metadata: ["reason": "\(error)"])
    }
    try await untilGracefulShutdown {
      var seen: Int64?
      while true {
        let changed = Files.modified(directory)
        let names = Self.mayHaveAsks(changed, seen: seen) ? (try? Files.names(in: directory)) ?? [] : []
        seen = changed
        for name in names.filter(RemoteControl.isAsk).prefix(Self.asksMax) { await answer(name, in: directory) }
        try await Task.sleep(for: Self.look)
      }
    }
  }

  /// Whether something was put there since the last look. Nearly always nothing was, and a look costs one system call.
  private static func mayHaveAsks(_ changed: Int64?, seen: Int64?) -> Bool {
    guard let changed else { return false }
    return changed != seen || changed + settledAfter >= Machine.milliseconds
  }

  private func answer(_ name: String, in directory: String) async {
    let words = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let nonce = words.count > 1 ? words[1] : ""
    do {
      try Files.remove("\(directory)/\(name)")
      guard RemoteControl.isNonce(nonce) else { return }
      let answer = await answer(to: Array(words.dropFirst(2)))
      try Files.replace(
        "\(directory)/answer.\(nonce)", with: Array(try JSONEncoder().encode(answer)), mode: 0o600)
    } catch {
      logger.warning("a command could not be answered", metadata: ["reason": "\(error)"])
    }
  }

  private func answer(to words: [String]) async -> RemoteAnswer {
    switch words.first {
    case "list" where words.count == 1: return RemoteAnswer(sessions: desk.sessions.map(RemoteSessionLine.init))
    case "close" where words.count == 2 && words[1] == "all": return RemoteAnswer(closed: desk.close(nil))
    case "close" where words.count == 2:
      guard let job = JobID(words[1]) else { return RemoteAnswer(refusal: "This is no session's id.") }
      let count = desk.close(job)
      return count > 0 ? RemoteAnswer(closed: count) : RemoteAnswer(refusal: "There is no such session.")
    case "trust" where words.count == 2:
      guard let device = DeviceID(hex: words[1]) else { return RemoteAnswer(refusal: "This is no device's id.") }
      return RemoteAnswer(shown: desk.certificates(of: device).map(RemoteCertificateLine.init))
    case "trust" where words.count == 3:
      guard let device = DeviceID(hex: words[1]) else { return RemoteAnswer(refusal: "This is no device's id.") }
      guard RemoteControl.isCertificate(words[2]) else {
        return RemoteAnswer(refusal: "This is no certificate's SHA-256.")
      }
      let shown = desk.certificates(of: device).map(RemoteCertificateLine.init)
      do { return RemoteAnswer(trusted: try await desk.trust(device, words[2]), shown: shown) } catch {
        return RemoteAnswer(refusal: "\(error)")
      }
    default: return RemoteAnswer(refusal: "The agent that runs does not know this command.")
    }
  }
}

extension RemoteSessionLine {
  init(_ shown: RemoteDesk.Shown) {
    self.init(
      id: shown.job.description, device: shown.device.description, address: shown.address, user: shown.visit.user,
      reason: shown.visit.reason, from: shown.visit.from, requests: shown.usage.requests,
      bytesSent: shown.usage.bytesSent, bytesReceived: shown.usage.bytesReceived, secondsLeft: shown.secondsLeft)
  }
}

extension RemoteCertificateLine {
  init(_ shown: RemoteCertificate) {
    self.init(port: shown.port, sha256: hexadecimal(shown.digest), subject: shown.subject)
  }
}

/// The command's side.
package enum RemoteControl {
  private static let patience: Duration = .seconds(5)
  private static let look: Duration = .milliseconds(50)
  private static let nonceDigits = 16

  package enum Ask: Sendable {
    case list
    /// Nil: all.
    case close(String?)
    /// The device's id, 32 digits, and what is accepted (`isCertificate`); nil: what it has shown is told.
    case trust(String, String?)

    fileprivate var words: String {
      switch self {
      case .list: "list"
      case .close(let job): "close.\(job ?? "all")"
      case .trust(let device, let certificate): "trust.\(device)" + (certificate.map { ".\($0)" } ?? "")
      }
    }
  }

  static func directory(in stateDirectory: String) -> String { stateDirectory + "/remote" }

  /// One that is there whole, and not on its way to be (`Files.replace`).
  static func isAsk(_ name: String) -> Bool { name.hasPrefix("ask.") && !name.hasSuffix(".new") }

  static func isNonce(_ text: String) -> Bool { text.utf8.count == nonceDigits && isHexadecimal(text) }

  /// Whether a certificate can be named so: by 16 to 64 digits of its SHA-256 in lower case, or `none`.
  package static func isCertificate(_ text: String) -> Bool {
    text == CertificatePins.none || (CertificatePins.digitsMin...64).contains(text.utf8.count) && isHexadecimal(text)
  }

  private static func isHexadecimal(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Asks the agent that runs. Where its status names a process that is gone, nobody is waited for.
  /// - Parameter isRunning: as in `StatusReport`.
  /// - Throws: `AgentFailure`.
  package static func ask(
    _ ask: Ask, stateDirectory: String,
    isRunning: (Int32) -> Bool = { Machine.isRunning($0, asThisProgram: true) }
  ) async throws -> RemoteAnswer {
    let directory = directory(in: stateDirectory)
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    let nonce = String(repeating: "0", count: nonceDigits - digits.count) + digits
    let (question, answer) = ("\(directory)/ask.\(nonce).\(ask.words)", "\(directory)/answer.\(nonce)")
    guard Files.exists(directory) else { throw notRunning }
    // A status that cannot be read says nothing: then the agent is asked.
    let status = try? AgentStatus.read(stateDirectory: stateDirectory)
    if let status, !isRunning(status.process) { throw notRunning }
    do {
      try Files.replace(question, with: [], mode: 0o600)
      let end = ContinuousClock.now.advanced(by: patience)
      while ContinuousClock.now < end {
        if Files.exists(answer) {
          let bytes = try Files.read(answer)
          try Files.remove(answer)
          return try JSONDecoder().decode(RemoteAnswer.self, from: Data(bytes))
        }
        try await Task.sleep(for: look)
      }
      try Files.remove(question)
    } catch let error as SystemError {
      throw AgentFailure(error.isPermissionDenied ? .permission : .inputOutput, error.description)
    }
    throw notRunning
  }

  private static var notRunning: AgentFailure {
    AgentFailure(.unavailable, "No agent runs with this state directory: nobody answers.")
  }
}
