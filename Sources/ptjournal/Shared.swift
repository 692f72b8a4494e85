// What the commands share: the journal's argument, output, and errors that end the program with a documented status.

internal import ArgumentParser
internal import Glibc
internal import Journal
internal import Platform
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
    Output.complain("\(error)")
    throw ExitCode(ExitStatus(error))
  }
}
