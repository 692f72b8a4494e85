// Passwords from a person or a pipe; never from the command line, where every process of the machine could read them, and the shell's history keeps them.

internal import Glibc
internal import HubServer

enum PasswordPrompt {
  /// A line is a password and no file that somebody named by mistake.
  private static let bytesMax = 4_096

  /// A password that may be one: asked for twice at a terminal, else one line of standard input.
  ///
  /// - Throws: `HubError` 64, with the reason, where it may not.
  static func newPassword(of user: String) throws(HubError) -> String {
    let isTerminal = isatty(STDIN_FILENO) == 1
    let password = try ask(isTerminal ? "Password of \(user): " : nil)
    if let complaint = UserPassword.complaint(about: password, user: user) { throw HubError(.usage, complaint) }
    if isTerminal, try ask("The same again: ") != password {
      throw HubError(.usage, "The two are not the same. Nothing was changed.")
    }
    return password
  }

  /// - Parameter prompt: nil: without one, and without a terminal.
  private static func ask(_ prompt: String?) throws(HubError) -> String {
    guard let prompt else { return try line() }
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else {
      throw HubError(.inputOutput, "The terminal cannot be kept from showing the password. Give it by a pipe.")
    }
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO)
    // What was typed ahead is thrown away; it may be meant for something else.
    guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else {
      throw HubError(.inputOutput, "The terminal cannot be kept from showing the password. Give it by a pipe.")
    }
    defer {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
      say("\n")
    }
    say(prompt)
    return try line()
  }

  private static func say(_ text: String) {
    let bytes = Array(text.utf8)
    // Without a terminal to read it, nobody misses it.
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// One line without its end.
  private static func line() throws(HubError) -> String {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while bytes.count <= bytesMax {
      let count = read(STDIN_FILENO, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1, byte != UInt8(ascii: "\n") else { break }
      bytes.append(byte)
    }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard bytes.count <= bytesMax, let text = String(validating: bytes, as: UTF8.self) else {
      throw HubError(.usage, "The password is no line of UTF-8 of at most \(bytesMax) bytes.")
    }
    guard !text.isEmpty else {
      throw HubError(.usage, "There is no password on standard input. Type one, or give it by a pipe.")
    }
    return text
  }
}
