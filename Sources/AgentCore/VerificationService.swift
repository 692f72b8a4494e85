// Reads the whole journal once a day and recomputes every hash, as `ptjournal verify` does. A start looks at every page that leads to
// records, and at the last few thousand of them; what a disk does to an older one would else be found when somebody needs it.
//
// Damage ends the agent: the next start looks at everything, keeps what is sound and tells what is lost. Ten million records take some eight seconds.

internal import Dispatch
internal import Journal
internal import Logging
internal import Platform
internal import ServiceLifecycle

struct VerificationService: Service {
  /// After a start that has looked at the journal already.
  private static let firstAfter: Duration = .seconds(3_600)
  private static let interval: Duration = .seconds(86_400)

  let journal: Journal
  let logger: Logger
  private let queue = DispatchQueue(label: "printtrail.verification", qos: .utility)

  init(journal: Journal, logger: Logger) {
    self.journal = journal
    self.logger = logger
  }

  func run() async throws {
    try await untilGracefulShutdown {
      var pause = Self.firstAfter
      while true {
        try await Task.sleep(for: pause)
        try await verify()
        pause = Self.interval
      }
    }
  }

  /// - Throws: `JournalError.damaged` with the first thing that is wrong; what the journal throws when it cannot be read.
  func verify() async throws {
    let start = ContinuousClock.now
    let report = try await verification()
    guard let first = report.first else {
      return logger.info(
        "every record of the journal was verified",
        metadata: ["records": "\(report.records)", "took": "\(start.duration(to: .now).spoken)"])
    }
    throw journal.reader.damage("\(first)")
  }

  /// It takes its time, and no thread of the cooperative pool.
  private func verification() async throws -> VerificationReport {
    let reader = journal.reader
    return try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try JournalVerifier(reader).verify() }) }
    }
  }
}
