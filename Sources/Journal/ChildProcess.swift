// A child that does what may end in a crash: spawned, listened to, ended in time.

internal import Glibc

package struct ChildProcess {
  package enum Ending: Equatable, Sendable {
    case exited(Int32)
    /// A signal ended it: SIGBUS where a file was cut short, SIGABRT where LMDB gave up.
    case signal(Int32)
    /// It was ended because its time was over.
    case overdue
  }

  /// What it wrote to its standard output.
  package let output: String
  package let ending: Ending

  /// The most that is listened to: a child that says more is ended.
  package static let outputBytesMax = 1 << 20

  /// Runs a program to its end. Its standard input is a pipe that this process holds: a child that reads it sees when its
  /// parent is gone. Its standard error goes nowhere.
  /// - Throws: when it cannot be started.
  package init(
    _ executable: String, _ arguments: [String], within patience: Duration,
    outputBytesMax: Int = ChildProcess.outputBytesMax
  ) throws(JournalError) {
    var (input, output) = (Pipe(), Pipe())
    defer {
      input.close()
      output.close()
    }
    guard input.open(), output.open() else { throw .file(operation: "start", path: executable, errno: errno) }
    let child = try Self.spawn(executable, arguments, input: input.reading, output: output.writing)
    output.closeWriting()
    let heard = Self.listen(
      output.reading, until: Self.now + patience.nanoseconds, bytesMax: outputBytesMax)
    if heard.isOverdue { kill(child, SIGKILL) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    self.output = String(decoding: heard.bytes, as: UTF8.self)
    // WIFSIGNALED and WTERMSIG of wait(2).
    let signal = status & 0x7F
    ending = heard.isOverdue ? .overdue : signal != 0 ? .signal(signal) : .exited(status >> 8 & 0xFF)
  }

  private static var now: UInt64 { JournalClock.system.uptime() }

  private static func spawn(
    _ executable: String, _ arguments: [String], input: Int32, output: Int32
  ) throws(JournalError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
    // No backtrace of a crash that is expected.
    var environment: [UnsafeMutablePointer<CChar>?] = [strdup("SWIFT_BACKTRACE=enable=no"), strdup("LC_ALL=C")]
    for name in ["PATH", "LD_LIBRARY_PATH"] {
      if let value = getenv(name) { environment.append(strdup("\(name)=\(String(cString: value))")) }
    }
    argv.append(nil)
    environment.append(nil)
    defer { for pointer in argv + environment { free(pointer) } }
    var child = pid_t()
    let code = posix_spawn(&child, executable, &actions, nil, argv, environment)
    guard code == 0 else { throw .file(operation: "start", path: executable, errno: code) }
    return child
  }

  /// Reads until the other end is closed, the time is over or it is too much.
  private static func listen(
    _ descriptor: Int32, until deadline: UInt64, bytesMax: Int
  ) -> (bytes: [UInt8], isOverdue: Bool) {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let time = now
      guard time < deadline, bytes.count < bytesMax else { return (bytes, true) }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&waiting, 1, Int32(clamping: (deadline - time) / 1_000_000 + 1))
      if ready < 0, errno != EINTR { return (bytes, true) }
      guard ready > 0 else { continue }
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return (bytes, false) }
      bytes += chunk[..<count]
    }
  }
}

/// The two ends of a pipe, none of which another child inherits.
private struct Pipe {
  private(set) var reading: Int32 = -1
  private(set) var writing: Int32 = -1

  mutating func open() -> Bool {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return false }
    (reading, writing) = (ends[0], ends[1])
    return fcntl(reading, F_SETFD, FD_CLOEXEC) == 0 && fcntl(writing, F_SETFD, FD_CLOEXEC) == 0
  }

  mutating func closeWriting() {
    if writing >= 0 { Glibc.close(writing) }
    writing = -1
  }

  mutating func close() {
    closeWriting()
    if reading >= 0 { Glibc.close(reading) }
    reading = -1
  }
}
