// What the commands share: the journal's argument, output, and errors that end the program with a documented status.

internal import ArgumentParser
internal import CLinux
internal import Glibc
internal import Journal
internal import ReadModels

struct JournalArgument: ParsableArguments {
  @Argument(help: "The journal's directory.", completion: .directory)
  var journal: String

  func open() throws -> JournalReader {
    Damage.explain(journal)
    return try orExit { try JournalReader.open(directory: journal) }
  }
}

/// What is said of a journal that is damaged: in place of a crash, and in place of an error that knows only one page.
enum Damage {
  /// From now on a fault in the journal's file ends the program with a sentence and `ExitStatus.data`.
  static func explain(_ directory: String) {
    let arguments = ["ptjournal"] + JournalWorker.explanation(of: directory, status: ExitStatus.data)
    var pointers = arguments.map { UnsafePointer<CChar>(strdup($0)) }
    defer { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
    // If it cannot be had, a fault is a crash as before.
    _ = clinux_exec_on_fault("/proc/self/exe", &pointers, Int32(pointers.count))
  }

  /// The sentence for an error that is due to damage; nil for every other.
  static func sentence(_ error: any Error) -> String? {
    guard let directory = JournalError.damagedDirectory(of: error) else { return nil }
    return JournalWorkerCommand.thisProgram.inspect(directory: directory, isThorough: true).sentence(
      directory: directory)
  }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

struct OutputOption: ParsableArguments {
  @Option(name: .long, help: "How to print: text for people, json for programs.")
  var output: OutputFormat = .text
}

enum Output {
  /// Writes to standard output. A reader that went away (`| head`) ends the program quietly, as it ends others.
  static func write(_ text: String) { write(Array(text.utf8)) }

  static func write(_ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress! + offset, $0.count - offset) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { Glibc.exit(errno == EPIPE ? EXIT_SUCCESS : ExitStatus.inputOutput) }
      offset += count
    }
  }

  static func line(_ bytes: [UInt8]) { write(bytes + [UInt8(ascii: "\n")]) }

  static func complain(_ text: String) {
    let bytes = Array("ptjournal: \(text)\n".utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}

/// Exit statuses after sysexits.h; the help of the root command lists them.
enum ExitStatus {
  static let wrong: Int32 = 1
  static let data: Int32 = 65
  static let noInput: Int32 = 66
  static let inputOutput: Int32 = 74
  static let permission: Int32 = 77

  static func of(_ error: any Error) -> Int32 {
    switch error {
    case JournalError.notADirectory, JournalError.noJournal: noInput
    case JournalError.directoryUnusable(_, let code), JournalError.file(_, _, let code):
      code == EACCES || code == EPERM ? permission : code == ENOENT ? noInput : inputOutput
    case JournalError.newerFormat, JournalError.anotherJournal, JournalError.identityUnreadable, JournalError.damaged:
      data
    case is ExportError: data
    default: inputOutput
    }
  }
}

/// Runs `body`; what it throws becomes one sentence on standard error and a documented exit status.
func orExit<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let code as ExitCode {
    throw code
  } catch {
    if let damage = Damage.sentence(error) {
      Output.complain(damage)
      throw ExitCode(ExitStatus.data)
    }
    Output.complain("\(error)")
    throw ExitCode(ExitStatus.of(error))
  }
}
