// What the commands share: the journal's argument, output, and errors that end the program with a documented status.

internal import ArgumentParser
internal import Glibc
internal import Journal
internal import ReadModels

struct JournalArgument: ParsableArguments {
  @Argument(help: "The journal's directory.", completion: .directory)
  var journal: String

  func open() throws -> JournalReader { try orExit { try JournalReader.open(directory: journal) } }
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
    case JournalError.notADirectory, JournalError.noJournal, JournalError.recordsMissing: noInput
    case JournalError.directoryUnusable(_, let code), JournalError.file(_, _, let code): of(code: code)
    case JournalError.newerFormat, JournalError.anotherJournal, JournalError.identityUnreadable, JournalError.damaged:
      data
    case ProofRefusal.damaged: data
    case is ProofRefusal: noInput
    case let error as ExportError: error.code.map { of(code: $0) } ?? data
    default: inputOutput
    }
  }

  private static func of(code: Int32) -> Int32 {
    code == EACCES || code == EPERM ? permission : code == ENOENT ? noInput : inputOutput
  }
}

/// Runs `body`; what it throws becomes one sentence on standard error and a documented exit status.
func orExit<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let code as ExitCode {
    throw code
  } catch {
    Output.complain("\(error)")
    throw ExitCode(ExitStatus.of(error))
  }
}
