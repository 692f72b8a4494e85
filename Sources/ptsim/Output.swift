// Lines to the terminal, and how a command ends when something is wrong.

internal import ArgumentParser
internal import CLinux
internal import PrinterSimulator

enum Output {
  /// Writes a line to standard output; a closed pipe ends the program's interest in writing, not the program.
  static func line(_ text: String) { write(text, to: 1) }

  static func complaint(_ text: String) { write("ptsim: " + text, to: 2) }

  private static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        _ = clinux_write_line(descriptor, characters.baseAddress, characters.count)
      }
    }
  }

  /// Runs a command's body; what the operator can correct becomes one line and exit status 1.
  static func reporting<R>(_ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as SettingsError {
      complaint(error.description)
    } catch let error as SimulatorError {
      complaint(error.description)
    }
    throw ExitCode.failure
  }
}
