// A process that becomes another program, or itself anew: the same process id, so that whoever watches it (a shell, systemd) sees no end.

internal import Glibc

/// What a process was when it began: for becoming that again.
package struct ProcessOrigin: Sendable {
  /// The path of the program; another one may have taken its place on the disk since.
  let executable: String
  let arguments: [String]
  /// What it was given. Whoever started it may watch it by one of them.
  let descriptors: Set<Int32>

  /// Of this process. To be made before it opens anything that it does not close by itself.
  /// - Returns: nil where /proc cannot be read.
  package init?(arguments: [String]) {
    guard let program = Machine.programPath, let names = try? Files.names(in: "/proc/self/fd") else { return nil }
    executable = program
    self.arguments = arguments
    // Not those that close by themselves when another program is run.
    descriptors = Set(
      names.compactMap { Int32($0) }.filter { descriptor in
        let flags = fcntl(descriptor, F_GETFD)
        return flags >= 0 && flags & FD_CLOEXEC == 0
      })
  }

  /// Runs the program again in the place of this one, as the same process, with the same arguments, environment and descriptors; signals do what they
  /// do by default. Threads end as they are: only for a program that has ended in order.
  ///
  /// - Returns: why it could not; nothing has changed then but signals, and descriptors that now close when another program is run.
  package func becomeAgain() -> SystemError {
    closeOthersOnExec()
    for number in [SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2] { signal(number, SIG_DFL) }
    var none = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, nil)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    execv(executable, &pointers)
    return SystemError(operation: "run", path: executable, code: errno)
  }

  private func closeOthersOnExec() {
    guard let names = try? Files.names(in: "/proc/self/fd") else { return }
    for descriptor in names.compactMap({ Int32($0) }) where !descriptors.contains(descriptor) {
      let flags = fcntl(descriptor, F_GETFD)
      if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
    }
  }
}
