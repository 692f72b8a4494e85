// What a service tells whoever runs it, and what it is handed: on Linux systemd, by the protocol of sd_notify(3). On Windows the same words go to
// the Service Control Manager (docs/windows.md).
//
// The protocol is a datagram of lines `NAME=value` to the socket that NOTIFY_SOCKET names: a path, or a name of the abstract space, written with an
// `@` for its first byte, which is zero. It is written here and not by libsystemd, which would be one more library for five lines of text. There
// is no answer. Without the variable nobody listens, and nothing is sent.

internal import Glibc

package struct ServiceManager: Sendable {
  /// What can be told.
  package enum Notice: Equatable, Sendable {
    /// Start-up has finished.
    case ready
    /// It is about to end, in order. The watchdog is off from then on, and a time limit is on.
    case stopping
    /// It is about to become itself anew, as the same process; `ready` ends that.
    case reloading
    /// One line for people: `systemctl status` shows it.
    case status(String)
    /// It lives and makes progress.
    case alive

    fileprivate func line(clock: () -> UInt64) -> String {
      switch self {
      case .ready: "READY=1"
      case .stopping: "STOPPING=1"
      // systemd 253 and later want to know by CLOCK_MONOTONIC when it began; earlier ones pass it over.
      case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(clock())"
      case .status(let text): "STATUS=\(text.prefix { !$0.isNewline })"
      case .alive: "WATCHDOG=1"
      }
    }
  }

  /// sun_path of unix(7), without the zero at the end of a path.
  private static let nameBytesMax = 107

  /// As the address has it: a path, or a zero and a name.
  private let address: [UInt8]
  /// Where it is, for messages.
  private let name: String
  /// Within this, `alive` must be told again and again, or the process is ended and started anew; nil: nobody watches.
  package let watchdogTimeout: Duration?

  /// - Parameters:
  ///   - variable: the value of an environment variable; nil if it is not set or empty.
  ///   - process: this process's id.
  /// - Returns: nil where no manager wants to be told: the variable is not set, or names no socket that there can be.
  package init?(variable: (String) -> String?, process: Int32) {
    guard let name = variable("NOTIFY_SOCKET") else { return nil }
    var address = Array(name.utf8)
    // AF_VSOCK, which newer ones offer to virtual machines, is not ours.
    guard name.hasPrefix("/") || name.hasPrefix("@"), address.count > 1, address.count <= Self.nameBytesMax else {
      return nil
    }
    if name.hasPrefix("@") { address[0] = 0 }
    self.address = address
    self.name = name
    watchdogTimeout = Self.timeout(variable, process: process)
  }

  /// Of this process's environment.
  package static let current = ServiceManager(variable: Machine.environment, process: Machine.processID)

  /// sd_watchdog_enabled(3).
  private static func timeout(_ variable: (String) -> String?, process: Int32) -> Duration? {
    // Meant for another process that handed its environment on.
    if let meant = variable("WATCHDOG_PID"), Int32(meant) != process { return nil }
    guard let microseconds = variable("WATCHDOG_USEC").flatMap({ Int64($0) }), microseconds > 0 else { return nil }
    return .microseconds(microseconds)
  }

  /// Tells the manager.
  /// - Throws: when the datagram could not be sent; nothing of it was told then.
  package func tell(_ notices: [Notice]) throws(SystemError) {
    let bytes = Array((notices.map { $0.line(clock: Self.monotonicMicroseconds) }.joined(separator: "\n") + "\n").utf8)
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure }
    defer { close(descriptor) }
    var destination = sockaddr_un()
    destination.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &destination.sun_path) { $0.copyBytes(from: address) }
    let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + address.count
    while true {
      let sent = withUnsafePointer(to: destination) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, socklen_t(length))
        }
      }
      if sent >= 0 { return }
      guard errno == EINTR else { throw failure }
    }
  }

  private var failure: SystemError { .current("tell the service manager at", name) }

  private static func monotonicMicroseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
  }
}
