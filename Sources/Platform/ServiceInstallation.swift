// The agent as a systemd service on a host without the package: which files, in which order, and the commands between them. What is to be done is a value
// (`ServicePlan`) that is shown or carried out; the unit is the one that the package ships.

internal import Glibc

/// One step of installing or removing the service.
package enum ServiceStep: Equatable, Sendable, CustomStringConvertible {
  /// This program, to where the service may run it.
  case copyProgram(from: String, to: String)
  /// Written anew each time.
  case write(path: String, text: String, mode: UInt32)
  /// Written where nothing is.
  case writeOnce(path: String, text: String, mode: UInt32)
  case makeDirectory(path: String, mode: UInt32)
  case remove(path: String)
  case run([String])

  package var description: String {
    switch self {
    case .copyProgram(let from, let to): "copy \(from) to \(to)"
    case .write(let path, let text, let mode): "write \(path) (\(text.utf8.count) bytes, \(Self.octal(mode)))"
    case .writeOnce(let path, let text, let mode):
      "write \(path) unless it is there (\(text.utf8.count) bytes, \(Self.octal(mode)))"
    case .makeDirectory(let path, let mode): "make the directory \(path) (\(Self.octal(mode)))"
    case .remove(let path): "remove \(path)"
    case .run(let words): "run \(words.joined(separator: " "))"
    }
  }

  private static func octal(_ mode: UInt32) -> String { "mode 0" + String(mode, radix: 8) }
}

package struct ServicePlan: Equatable, Sendable {
  package static let unit = "ptagent.service"
  package static let configurationDirectory = "/etc/printtrail"
  package static let stateDirectory = "/var/lib/printtrail"
  package static let unitPath = "/etc/systemd/system/" + unit
  /// Where packages put theirs; the second where /lib is no link.
  package static let packagedUnits = ["/usr/lib/systemd/system/" + unit, "/lib/systemd/system/" + unit]
  private static let user = "printtrail"
  private static let sysusersPath = "/etc/sysusers.d/printtrail.conf"
  private static let copy = "/usr/local/bin/ptagent"
  /// What the service's sandbox lets be run.
  private static let places = ["/usr/", "/opt/"]

  package let steps: [ServiceStep]

  /// Where the service will find its program, if the plan copies it.
  package var program: String? {
    for case .copyProgram(_, let to) in steps { return to }
    return nil
  }

  /// - Parameter program: this program's path.
  package static func installing(program: String) -> ServicePlan {
    let isReachable = places.contains { program.hasPrefix($0) }
    let target = isReachable ? program : copy
    let configuration = configurationDirectory + "/ptagent.toml"
    return ServicePlan(
      steps: (isReachable ? [] : [.copyProgram(from: program, to: copy)]) + [
        .write(path: sysusersPath, text: ServiceFiles.users, mode: 0o644),
        .run(["systemd-sysusers", sysusersPath]),
        .makeDirectory(path: configurationDirectory, mode: 0o750),
        .makeDirectory(path: configurationDirectory + "/credentials", mode: 0o700),
        .writeOnce(path: configuration, text: ServiceFiles.configuration, mode: 0o640),
        .run(["chgrp", user, configurationDirectory, configuration]),
        .write(path: unitPath, text: ServiceFiles.unit(program: target), mode: 0o644),
        .run(["systemctl", "daemon-reload"]),
        .run(["systemctl", "enable", unit]),
        .run(["systemctl", "restart", unit]),
      ])
  }

  /// What was installed goes; configuration, secrets, identity and journal stay.
  /// - Parameter unitText: what stands in the unit; nil if there is none.
  package static func removing(unitText: String?) -> ServicePlan {
    let isCopy = unitText?.contains("ExecStart=\(copy) ") ?? false
    return ServicePlan(
      steps: [
        .run(["systemctl", "disable", "--now", unit]), .remove(path: unitPath), .remove(path: sysusersPath),
      ] + (isCopy ? [.remove(path: copy)] : []) + [.run(["systemctl", "daemon-reload"])])
  }
}

/// Why the service is neither installed nor removed.
package enum ServiceRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  case noServiceManager
  case notRoot
  case packaged(unit: String)
  case failed(command: String, status: Int32)

  package var description: String {
    switch self {
    case .noServiceManager:
      "This host is not run by systemd, so there is no service to install. Start `ptagent run` from what runs it instead, as a user of its own, and have it started again when it ends."
    case .notRoot: "Only root may install a service. Run this with sudo, or add --dry-run to see what it would do."
    case .packaged(let unit):
      "The service is there already, by the package printtrail-agent (\(unit)). Use apt and systemctl for it."
    case .failed(let command, let status):
      "`\(command)` ended with \(status). What was done until then stays; the same command may be given again."
    }
  }
}

/// The shell around a plan.
package struct ServiceInstaller: Sendable {
  /// Below which every path lies: the whole system, or a directory for tests.
  let root: String
  let isRoot: Bool
  let execute: @Sendable ([String]) throws -> Int32

  package init(
    root: String = "", isRoot: Bool = geteuid() == 0,
    execute: @escaping @Sendable ([String]) throws -> Int32 = { try Machine.run($0) }
  ) {
    self.root = root
    self.isRoot = isRoot
    self.execute = execute
  }

  /// Whether systemd runs this host (sd_booted(3)).
  package func checkManager() throws(ServiceRefusal) {
    guard Files.exists(root + "/run/systemd/system") else { throw .noServiceManager }
  }

  /// The unit's file, ours or the package's; nil where there is none.
  package var installedUnit: String? {
    ([ServicePlan.unitPath] + ServicePlan.packagedUnits).first { Files.exists(root + $0) }
  }

  /// Whether this is a host and a user with which a plan can be carried out.
  package func check() throws(ServiceRefusal) {
    try checkManager()
    if let unit = ServicePlan.packagedUnits.first(where: { Files.exists(root + $0) }) { throw .packaged(unit: unit) }
    guard isRoot else { throw .notRoot }
  }

  /// - Throws: `ServiceRefusal` or `SystemError`, with what was done until then in place: each step may be done again.
  package func carryOut(_ plan: ServicePlan, told: (ServiceStep) throws -> Void) throws {
    for step in plan.steps {
      try told(step)
      try carryOut(step)
    }
  }

  package func unitText() -> String? { try? Files.readText(root + ServicePlan.unitPath) }

  private func carryOut(_ step: ServiceStep) throws {
    switch step {
    case .copyProgram(let from, let to):
      try Files.makeDirectory(Files.parent(of: root + to), mode: 0o755)
      try Files.copy(from, to: root + to, mode: 0o755)
    case .write(let path, let text, let mode): try write(path, text, mode)
    case .writeOnce(let path, let text, let mode): if !Files.exists(root + path) { try write(path, text, mode) }
    case .makeDirectory(let path, let mode): try Files.makeDirectory(root + path, mode: mode)
    case .remove(let path): try Files.remove(root + path)
    case .run(let words):
      let status = try execute(words)
      guard status == 0 else { throw ServiceRefusal.failed(command: words.joined(separator: " "), status: status) }
    }
  }

  private func write(_ path: String, _ text: String, _ mode: UInt32) throws {
    try Files.makeDirectory(Files.parent(of: root + path), mode: 0o755)
    try Files.replace(root + path, with: Array(text.utf8), mode: mode)
  }
}

/// What the package ships and the command writes: Sources/Platform/Service.
package enum ServiceFiles {
  package static let users = String(decoding: PackageResources.printtrail_sysusers_conf, as: UTF8.self)
  /// Of an agent that nobody has configured yet.
  package static let configuration = String(decoding: PackageResources.ptagent_toml, as: UTF8.self)
  private static let packagedProgram = "ExecStart=/usr/bin/ptagent "

  /// - Parameter program: where it lies on this host.
  package static func unit(program: String = "/usr/bin/ptagent") -> String {
    let text = String(decoding: PackageResources.ptagent_service, as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasPrefix(packagedProgram) ? "ExecStart=\(program) " + line.dropFirst(packagedProgram.count) : String(line)
    }.joined(separator: "\n")
  }
}
