// What the commands share: the journal's argument, output, and errors that end the program with a documented status.

internal import ArgumentParser
internal import CLinux
internal import Evidence
internal import Glibc
internal import Journal
internal import Platform
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
    let arguments = ["ptjournal"] + JournalWorker.explanation(of: directory, status: ExitStatus.data.rawValue)
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
  static func write(_ text: String) { write(Array(text.utf8)) }

  /// Writes to standard output, or ends the program: quietly where the reader went away (`| head`), with a sentence and exit status 74
  /// where not all of it could be written.
  static func write(_ bytes: [UInt8]) {
    do { try StandardOutput.write(bytes) } catch {
      if error.isClosedPipe { Glibc.exit(EXIT_SUCCESS) }
      complain(error.description)
      Glibc.exit(ExitStatus.inputOutput.rawValue)
    }
  }

  static func line(_ bytes: [UInt8]) { write(bytes + [UInt8(ascii: "\n")]) }

  static func complain(_ text: String) { Machine.tell("ptjournal: \(text)\n") }
}

extension ExitCode {
  init(_ status: ExitStatus) { self.init(status.rawValue) }
}

/// Runs `body`; what it throws becomes one sentence on standard error and a documented exit status.
func orExit<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let code as ExitCode {
    throw code
  } catch let wrong as ValidationError {
    throw wrong
  } catch {
    if let damage = Damage.sentence(error) {
      Output.complain(damage)
      throw ExitCode(ExitStatus.data)
    }
    Output.complain("\(error)")
    throw ExitCode(ExitStatus(error))
  }
}

func wholeNumber<Number: UnsignedInteger & FixedWidthInteger>(_ text: String) throws -> Number {
  guard let number = Number(text) else { throw ValidationError("Give a whole number from 0 to \(Number.max).") }
  return number
}

extension JournalPoint {
  /// For the help of every command that takes one.
  static let timesExplained =
    "A time is an RFC 3339 time or a day: 2026-11-23T08:15Z, 2026-11-23T09:15+01:00, 2026-11-23; without an offset it is UTC. It is compared "
    + "with the time at which the journal took a record (recordtime in exports), not with that at which a device was read."

  static func parsed(_ text: String) throws -> JournalPoint {
    guard let point = JournalPoint(text) else {
      throw ValidationError("Give SEQUENCE, EPOCH/SEQUENCE, or a time such as 2026-11-23T08:15Z.")
    }
    return point
  }
}

/// SEQUENCE, of the newest epoch, or EPOCH/SEQUENCE: a record, or the size of a tree.
struct NumberedRecord {
  private let sequence: UInt64
  private let epoch: UInt32?

  static func parsed(_ text: String) throws -> NumberedRecord {
    guard case .sequence(let sequence, let epoch)? = JournalPoint(text) else {
      throw ValidationError("Give a number, or EPOCH/NUMBER.")
    }
    return NumberedRecord(sequence: sequence, epoch: epoch)
  }

  /// Whether there is such a record is for others to say.
  func position(_ reader: JournalReader) throws -> RecordPosition {
    RecordPosition(epoch: try epoch ?? reader.head().epoch, sequence: sequence)
  }
}
