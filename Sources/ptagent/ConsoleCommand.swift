internal import AgentCore
internal import ArgumentParser
internal import Console
internal import Glibc
internal import Platform
internal import Settings
internal import WebServing

struct ConsoleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "Set the password of the local console.",
    subcommands: [ConsolePasswordCommand.self])
}

struct ConsolePasswordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "password",
    abstract: "Set, or take away, the password that the local console asks for.",
    discussion: """
      Asks for the password on a terminal, twice and without showing it; else it is the first line of standard input. What is kept is its scrypt hash, in a \
      file of mode 0600 (console.password_file). An agent that runs asks for the new one from then on.

        ptagent console password
        pass show printtrail | ptagent console password
        ptagent console password --remove

      Run it as the agent's user, so that the agent can read the file: sudo -u printtrail ptagent console password
      """)

  @OptionGroup var file: ConfigurationOption
  @Flag(help: "Ask for no password any more. A console that others reach does not start without one.")
  var remove = false

  mutating func run() async throws {
    try await reporting {
      let settings = try file.load().console
      let password = ConsolePassword(path: settings.passwordFile)
      do {
        if remove {
          try password.remove()
          return try Output.write("The console asks for no password any more.\n")
        }
        let text = try Self.read()
        if let complaint = PasswordRules.complaint(about: text, besides: [Machine.hostName]) {
          throw AgentFailure(.usage, complaint)
        }
        try password.set(hash: try PasswordHash.makeNow(text))
      } catch let error as SystemError {
        throw AgentFailure(error.isPermissionDenied ? .permission : .cannotCreate, error.description)
      }
      try Output.write("The console asks for the password from now on.\n")
    }
  }

  private static func read() throws -> String {
    guard isatty(0) == 1 else {
      guard let line = readLine() else { throw AgentFailure(.usage, "No password came on standard input.") }
      return line
    }
    let (first, second) = (prompt("New password: "), prompt("Once more: "))
    guard first == second else { throw AgentFailure(.usage, "The two are not the same. Nothing was changed.") }
    return first
  }

  /// Without echo.
  private static func prompt(_ text: String) -> String {
    Machine.tell(text)
    var before = termios()
    tcgetattr(0, &before)
    var quiet = before
    quiet.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(0, TCSANOW, &quiet)
    defer {
      tcsetattr(0, TCSANOW, &before)
      Machine.tell("\n")
    }
    return readLine() ?? ""
  }
}
