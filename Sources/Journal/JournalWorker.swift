// The work that is done in a child, because the file may be damaged: its command line, what it prints, and how it is asked.
//
// The child is the same program, started with a hidden first argument:
//
//   journal-worker inspect quick|thorough DIRECTORY
//   journal-worker salvage all DIRECTORY
//   journal-worker explain STATUS DIRECTORY
//
// `explain` is for a program that reads a journal: a fault while it reads makes it become this (clinux_exec_on_fault), which says
// in one sentence where the damage begins, and ends with the given status. The others print one line for each
// `InspectionLine` or `SalvageLine`, `done` last; a child that ends without it has failed.

package import Evidence
internal import Glibc
internal import OpenSSL

/// The child's side.
package enum JournalWorker {
  /// The hidden first argument.
  package static let command = "journal-worker"

  /// Does what the arguments (without the program's name) ask for, if they are a worker's.
  /// - Returns: the exit status; nil for arguments that are not a worker's.
  package static func run(_ arguments: [String]) -> Int32? {
    guard arguments.first == command else { return nil }
    guard arguments.count == 4 else { return EX_USAGE }
    if arguments[1] == "explain" {
      explain(arguments[3])
      return Int32(arguments[2]) ?? EX_DATAERR
    }
    // Nobody wants a core file of a crash that is expected.
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    endWithParent()
    switch (arguments[1], arguments[2]) {
    case ("inspect", "quick"): inspect(arguments[3], isThorough: false)
    case ("inspect", "thorough"): inspect(arguments[3], isThorough: true)
    case ("salvage", "all"): salvage(arguments[3])
    default: return EX_USAGE
    }
    return EXIT_SUCCESS
  }

  private static func inspect(_ directory: String, isThorough: Bool) {
    var inspection = Inspection(directory: directory, isThorough: isThorough) { print($0.text) }
    inspection.run()
  }

  private static func salvage(_ directory: String) {
    do {
      let report = try SalvageJob(directory: directory, takesRecords: true).run()
      for line in SalvageLine.lines(report) { print(line.text) }
    } catch {
      print(SalvageLine.failed("\(JournalError(error))").text)
    }
  }

  private static func explain(_ directory: String) {
    let report = JournalWorkerCommand.thisProgram.inspect(directory: directory, isThorough: true)
    let bytes = Array((report.sentence(directory: directory) + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// What a program becomes when a fault ends its reading of the journal in `directory`.
  package static func explanation(of directory: String, status: Int32) -> [String] {
    [command, "explain", String(status), directory]
  }

  private static func print(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
  }

  /// A child whose parent was killed must not go on writing where the next parent's child does.
  private static func endWithParent() {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { _ in
        var byte: UInt8 = 0
        while read(STDIN_FILENO, &byte, 1) != 0 {}
        _exit(EXIT_FAILURE)
      }, nil)
  }
}

/// The parent's side: how the child is started.
package struct JournalWorkerCommand: Sendable {
  package var executable: String
  package var inspectionPatience: Duration = .seconds(20)
  /// Every record is read: some 12 seconds for ten million, more on a slow disk.
  package var thoroughPatience: Duration = .seconds(600)

  /// This very program, whose main must call `JournalWorker.run` first.
  package static let thisProgram = JournalWorkerCommand(executable: "/proc/self/exe")

  package init(executable: String) { self.executable = executable }

  /// Looks at the journal in `directory`.
  package func inspect(directory: String, isThorough: Bool) -> InspectionReport {
    do throws(JournalError) {
      let child = try ChildProcess(
        executable, [JournalWorker.command, "inspect", isThorough ? "thorough" : "quick", directory],
        within: isThorough ? thoroughPatience : inspectionPatience)
      return InspectionReport(child)
    } catch {
      return InspectionReport(verdict: .unknown(error.description))
    }
  }
}

extension JournalWorkerCommand {
  struct SalvageFailure: Error {
    let reason: String
  }

  /// Takes what verifies out of the damaged data.mdb in `directory`, into a new one in its `salvage`.
  func salvage(directory: String) -> Result<SalvageReport, SalvageFailure> {
    do throws(JournalError) {
      let child = try ChildProcess(
        executable, [JournalWorker.command, "salvage", "all", directory], within: thoroughPatience)
      return SalvageLine.report(child.output.split(separator: "\n").compactMap { SalvageLine($0) }, child.ending)
    } catch { return .failure(SalvageFailure(reason: error.description)) }
  }
}

/// What a child found.
package struct InspectionReport: Sendable, Equatable {
  package enum Verdict: Sendable, Equatable {
    case sound
    /// The transaction that makes a journal of it was never made.
    case unfinished
    case newerFormat(UInt32)
    /// Parts of sentences, the first thing first.
    case damaged([String])
    /// It could not be inspected in time or at all, which says nothing about the journal.
    case unknown(String)
  }

  package internal(set) var verdict: Verdict
  /// Every record up to this one is as it was recorded, and the next is not or is not there; known from a thorough inspection
  /// that found the end of them.
  package internal(set) var soundThrough: RecordPosition?
  var id: [UInt8]?
  var publicKey: [UInt8]?
  var epoch: UInt32?

  init(verdict: Verdict) { self.verdict = verdict }

  init(_ child: ChildProcess) {
    verdict = .sound
    var (damage, place, isDone): ([String], String, Bool) = ([], "it", false)
    for line in child.output.split(separator: "\n").compactMap({ InspectionLine($0) }) {
      switch line {
      case .at(let text): place = text
      case .journal(let id, let publicKey, let epoch):
        (self.id, self.publicKey, self.epoch) = (id, publicKey, epoch)
      case .unfinished: verdict = .unfinished
      case .newerFormat(let format): verdict = .newerFormat(format)
      case .soundThrough(let position): soundThrough = position
      case .damage(let what): damage.append(what)
      case .done: isDone = true
      }
    }
    switch child.ending {
    case .exited(EXIT_SUCCESS) where isDone: break
    case .signal(let signal): damage.append("reading \(place) ends with \(Self.name(signal))")
    case .overdue where damage.isEmpty: verdict = .unknown("looking at \(place) took too long")
    case .exited(let status) where damage.isEmpty: verdict = .unknown("the inspection ended with status \(status)")
    case .overdue, .exited: break
    }
    if !damage.isEmpty { verdict = .damaged(damage) }
  }

  /// One sentence that says where the damage begins, and one that says what to do.
  package func sentence(directory: String) -> String {
    switch verdict {
    case .damaged(let damage):
      let place =
        switch soundThrough {
        case nil: "is damaged"
        case .start?: "is damaged from its first record on"
        case let last?: "is damaged after record \(last)"
        }
      return
        "The journal in \(directory) \(place): \(damage.first ?? ""). Start ptagent: it keeps every record that is "
        + "sound, sets the damaged files aside and goes on."
    case .unfinished: return JournalError.noJournal(path: directory).description
    case .newerFormat(let format):
      return JournalError.newerFormat(path: directory, found: format, supported: Layout.format).description
    case .sound, .unknown:
      return
        "Reading the journal in \(directory) failed, though no damage was found in it. Try again, and look at the disk "
        + "and the kernel's log."
    }
  }

  private static func name(_ signal: Int32) -> String {
    switch signal {
    case SIGBUS: "SIGBUS: the file is shorter than it should be, or the disk failed"
    case SIGABRT: "SIGABRT: a page is not what it should be"
    case SIGSEGV: "SIGSEGV: a page is not what it should be"
    default: "signal \(signal)"
    }
  }
}
