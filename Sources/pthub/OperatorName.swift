internal import Glibc
internal import Platform

/// Who gives the command, for the audit trail: the user of the system, who became that by sudo, and the machine.
func operatorName() -> String {
  let user = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid \(geteuid())"
  let before = getenv("SUDO_USER").map { String(cString: $0) }
  let name = before.map { $0 == user ? user : "\($0) as \(user)" } ?? user
  return "\(name)@\(Machine.hostName)"
}
