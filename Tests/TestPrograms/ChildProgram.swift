// Other programs, as tests run them: started, watched, ended and waited for by the system's own calls.
//
// Not Foundation's Process: it takes a child for ended when the child closes the descriptors it inherited, as daemons do, and then waits for that
// one on the thread that watches them all, so that no other is ever seen to end; of two that start at once, one may inherit what the other's end is
// told by; and its waitUntilExit keeps a processor busy.

private import CLinux
internal import Foundation
internal import Glibc
internal import Synchronization

/// A program that runs. It gets no descriptor but its standard three, no signal that is ignored or blocked, and a process group of its own, which
/// is killed at the latest when the value goes.
package final class ChildProgram: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  package enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(by: Int32)

    /// As a shell tells it: the exit status, or 128 and the number of the signal.
    package var status: Int32 {
      switch self {
      case .exited(let status): status
      case .killed(let signal): 128 + signal
      }
    }
  }

  /// Where what it writes goes.
  package enum Output: Equatable, Sendable {
    case nowhere
    /// To the same place as this process's own.
    case inherited
    /// Appended to a file, which is made where there is none.
    case file(String)
    /// To a pipe, for `read`; who chooses it reads it, since a pipe holds 64 KiB.
    case pipe
  }

  package let name: String
  package let id: Int32
  /// The end of the pipe that is read; -1 without one.
  private let reading: Int32
  /// How it ended, once that was asked of the system, which tells it one time.
  private let ending = Mutex<Ending?>(nil)

  /// - Parameters:
  ///   - environment: what it finds there; this process's own where it is nil.
  ///   - directory: where it starts; this process's own where it is nil.
  ///   - errors: standard error; where standard output goes if it is nil.
  package init(
    _ path: String, _ arguments: [String] = [], environment: [String: String]? = nil, directory: String? = nil,
    output: Output = .inherited, errors: Output? = nil
  ) throws {
    name = (path as NSString).lastPathComponent
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    let standardOutput = try Sink(output, inherited: 1)
    let standardError = try errors.map { try Sink($0, inherited: 2) }
    defer {
      close(nothing)
      standardOutput.close()
      standardError?.close()
    }
    let written = standardOutput.descriptor
    let complained = standardError?.descriptor ?? written
    id = Strings.with([path] + arguments) { arguments in
      Strings.with((environment ?? ProcessInfo.processInfo.environment).map { "\($0)=\($1)" }) { environment in
        clinux_spawn(path, arguments, environment, directory, [nothing, written, complained])
      }
    }
    guard id > 0 else {
      standardOutput.closeReading()
      throw Failure(description: "cannot run \(path): \(String(cString: strerror(-id)))")
    }
    reading = standardOutput.reading
  }

  deinit {
    // What it started and left behind goes with it.
    Glibc.kill(-id, SIGKILL)
    kill()
    if reading >= 0 { close(reading) }
  }

  package var isRunning: Bool { look(waiting: false) == nil }

  package func signal(_ number: Int32) {
    // Not one that has ended: its id may be another's by now.
    ending.withLock { if $0 == nil { Glibc.kill(id, number) } }
  }

  /// Ends it as a power cut would, without a chance to say anything, and waits until it is gone.
  package func kill() {
    signal(SIGKILL)
    wait()
  }

  /// Waits for its end on this thread.
  @discardableResult
  package func wait() -> Ending {
    while true {
      if let ended = look(waiting: true) { return ended }
    }
  }

  /// Waits for its end on a thread of its own: the cooperative pool has as many as the machine has processors.
  @discardableResult
  package func ended() async -> Ending {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: self.wait()) }
    }
  }

  /// What comes next from its pipe, of at most so many bytes; empty at its end.
  package func read(upTo count: Int = 65_536) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = max(0, Glibc.read(reading, buffer.baseAddress, count))
    }
  }

  /// All that is still to come from its pipe.
  package func readToEnd() -> String {
    var bytes: [UInt8] = []
    while case let next = read(), !next.isEmpty { bytes += next }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func look(waiting: Bool) -> Ending? {
    // Without the lock: others may send signals while one waits. WNOWAIT leaves the child for the call below.
    if waiting {
      var information = siginfo_t()
      while waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }
    return ending.withLock { ending in
      if let ending { return ending }
      var status: Int32 = 0
      guard waitpid(id, &status, WNOHANG) == id else { return nil }
      let signal = status & 0x7f
      ending = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(by: signal)
      return ending
    }
  }
}

extension ChildProgram {
  /// A program that was run to its end, and what it wrote.
  package struct Finished: Sendable {
    package let ending: Ending
    package let output: String
    /// Empty where both went to one place.
    package let errors: String

    package var status: Int32 { ending.status }
  }

  /// Runs a program to its end on this thread, with both outputs in one.
  package static func run(
    _ path: String, _ arguments: [String] = [], environment: [String: String]? = nil, directory: String? = nil
  ) throws -> Finished {
    let child = try ChildProgram(
      path, arguments, environment: environment, directory: directory, output: .pipe)
    let output = child.readToEnd()
    return Finished(ending: child.wait(), output: output, errors: "")
  }

  /// Runs a program to its end on a thread of its own, with its outputs apart.
  package static func running(
    _ path: String, _ arguments: [String] = [], environment: [String: String]? = nil, directory: String? = nil
  ) async throws -> Finished {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          with: Result {
            // A file, since two pipes would have to be read at once.
            let complaints = try ScratchFile()
            let child = try ChildProgram(
              path, arguments, environment: environment, directory: directory, output: .pipe,
              errors: .file(complaints.path))
            let output = child.readToEnd()
            return Finished(ending: child.wait(), output: output, errors: try complaints.text())
          })
      }
    }
  }
}

/// A descriptor for what a program writes.
private struct Sink {
  let descriptor: Int32
  /// The other end of a pipe, or -1.
  let reading: Int32
  private let isOurs: Bool

  init(_ output: ChildProgram.Output, inherited: Int32) throws {
    var ends: [Int32] = [-1, inherited]
    switch output {
    case .inherited: break
    case .nowhere: ends[1] = open("/dev/null", O_WRONLY | O_CLOEXEC)
    case .file(let path): ends[1] = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    case .pipe: if Glibc.pipe(&ends) < 0 { ends[1] = -1 }
    }
    (reading, descriptor, isOurs) = (ends[0], ends[1], output != .inherited)
    guard descriptor >= 0 else {
      throw ChildProgram.Failure(description: "no \(output) for a program: \(String(cString: strerror(errno)))")
    }
  }

  func close() { if isOurs { Glibc.close(descriptor) } }
  func closeReading() { if reading >= 0 { Glibc.close(reading) } }
}

/// A file that goes with the value.
private struct ScratchFile: ~Copyable {
  let path: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/printtrail-errors-XXXXXX").utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw ChildProgram.Failure(description: "no temporary file") }
    close(descriptor)
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  deinit { unlink(path) }
}

private enum Strings {
  /// Strings as C has them: pointers, and a null one at the end.
  static func with<Value>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Value) rethrows
    -> Value
  {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return try body(copies + [nil])
  }
}
