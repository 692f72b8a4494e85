// The machine that the program runs on: its names, its clocks, its disks.

internal import Glibc

package enum Machine {
  /// The host name, or `localhost` if the kernel has none.
  package static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return text(buffer)
  }

  /// For example `Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64`.
  package static var operatingSystem: String {
    var names = utsname()
    guard uname(&names) == 0 else { return "Linux" }
    let kernel = "\(field(names.sysname)) \(field(names.release)) \(field(names.machine))"
    guard let distribution = distributionName else { return kernel }
    return "\(distribution), \(kernel)"
  }

  /// Bytes that an unprivileged process may still write to the file system of `path`; nil if it cannot be told.
  package static func bytesFree(at path: String) -> UInt64? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }

  /// Milliseconds since 1970 UTC.
  package static var milliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// os-release(5).
  private static var distributionName: String? {
    guard let text = try? Files.readText("/etc/os-release") else { return nil }
    let prefix = "PRETTY_NAME="
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }) else { return nil }
    return String(line.dropFirst(prefix.count).filter { $0 != "\"" })
  }

  private static func field<Field>(_ tuple: Field) -> String {
    withUnsafeBytes(of: tuple) { text($0.bindMemory(to: CChar.self)) }
  }

  private static func text(_ characters: some Sequence<CChar>) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Machine {
  package static var processID: Int32 { getpid() }

  /// Whether a process with this id exists, also one of another user.
  package static func isRunning(_ process: Int32) -> Bool { process > 0 && (kill(process, 0) == 0 || errno == EPERM) }

  /// - Parameter asThisProgram: whether it must be the program that this process runs: the id of one that ended may have been given to another.
  package static func isRunning(_ process: Int32, asThisProgram: Bool) -> Bool {
    guard isRunning(process), asThisProgram, let own = name(of: "self") else { return isRunning(process) }
    return name(of: "\(process)").map { $0 == own } ?? true
  }

  /// The name that the kernel keeps of a process (proc(5), /proc/PID/comm); nil where it does not tell.
  private static func name(of process: String) -> String? {
    guard let file = fopen("/proc/\(process)/comm", "re") else { return nil }
    defer { fclose(file) }
    var name = [CChar](repeating: 0, count: 64)
    guard fgets(&name, Int32(name.count), file) != nil else { return nil }
    return text(name)
  }

  /// The value of an environment variable; nil if it is not set or empty.
  package static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}
