// A process that becomes another program, or itself anew: the same process id, so that whoever watches it (a shell, systemd) sees no end.

internal import Glibc

extension Machine {
  /// The program of this process as it was named when it started; a newer one may have taken its place on the disk since.
  package static let executable: String? = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard length > 0 else { return nil }
    return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }()

  /// Runs `path` in the place of this program, with the same environment and standard input and outputs, and nothing else of it: other descriptors
  /// are closed, signals do what they do by default. Threads end as they are; only for a program that has ended in order.
  ///
  /// - Parameter arguments: with the program's own name first.
  /// - Returns: why it could not; nothing has changed then but descriptors, which close when another program is run, and signals.
  package static func become(_ path: String, _ arguments: [String]) -> SystemError {
    closeOthersOnExec()
    for number in [SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2] { signal(number, SIG_DFL) }
    var none = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, nil)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    execv(path, &pointers)
    return SystemError(operation: "run", path: path, code: errno)
  }

  private static func closeOthersOnExec() {
    guard let names = try? Files.names(in: "/proc/self/fd") else { return }
    for descriptor in names.compactMap({ Int32($0) }) where descriptor > 2 {
      let flags = fcntl(descriptor, F_GETFD)
      if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
    }
  }
}
