internal import AgentCore
internal import ArgumentParser
internal import Platform

enum Output {
  /// Writes a result to standard output.
  /// - Throws: `AgentFailure` when not all of it could be written. A reader that went away (`| head`) ends the command quietly.
  static func write(_ text: String) throws {
    do { try StandardOutput.write(text) } catch {
      if error.isClosedPipe { throw ExitCode.success }
      throw AgentFailure(.inputOutput, error.description)
    }
  }
}
