// Lines to the terminal, and how a command ends when something is wrong.

internal import ArgumentParser
internal import Platform
internal import PrinterSimulator

enum Output {
  /// Exit statuses after sysexits.h; the help of the root command lists them.
  private enum Status {
    static let usage: Int32 = 64
    static let unavailable: Int32 = 69
    static let inputOutput: Int32 = 74
    static let permission: Int32 = 77
    static let configuration: Int32 = 78
  }

  /// Writes a line to standard output.
  /// - Throws: `SystemError`, also when the reader has gone away.
  static func line(_ text: String) throws(SystemError) { try StandardOutput.write(text + "\n") }

  static func complaint(_ text: String) { Machine.tell("ptsim: \(text)\n") }

  /// Runs a command's body; what the operator can correct becomes one line and a documented exit status.
  static func reporting<R>(_ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as SettingsError {
      complaint(error.description)
      throw ExitCode(error.file == FleetOptions.commandLine ? Status.usage : Status.configuration)
    } catch let error as SimulatorError {
      complaint(error.description)
      throw ExitCode(status(error))
    } catch let error as SystemError {
      if error.isClosedPipe { throw ExitCode.success }
      complaint(error.description)
      throw ExitCode(Status.inputOutput)
    }
  }

  private static func status(_ error: SimulatorError) -> Int32 {
    switch error {
    case .portInUse, .addressNotAssignable, .tooManySockets, .notLoopback, .listeningFailed: Status.unavailable
    case .portNotAllowed: Status.permission
    case .systemCall: Status.inputOutput
    }
  }
}
