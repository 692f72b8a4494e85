// The service on hosts without the package: what is done, in a directory that stands for the system.

import Platform
import Synchronization
import Testing

@Suite struct ServiceInstallationTests {
  @Test func `installing writes the package's unit for this program, and a configuration only where there is none`()
    throws
  {
    let system = try System()
    try system.carryOut(.installing(program: "/opt/printtrail/ptagent"))
    let unit = try Files.readText(system.root + ServicePlan.unitPath)
    #expect(unit == ServiceFiles.unit(program: "/opt/printtrail/ptagent"))
    #expect(unit.contains("ExecStart=/opt/printtrail/ptagent run --config /etc/printtrail/ptagent.toml\n"))
    #expect(
      system.commands == [
        "systemd-sysusers /etc/sysusers.d/printtrail.conf",
        "chgrp printtrail /etc/printtrail /etc/printtrail/ptagent.toml", "systemctl daemon-reload",
        "systemctl enable ptagent.service", "systemctl restart ptagent.service",
      ])
    #expect(Files.mode(of: system.root + "/etc/printtrail/credentials") == 0o700)
    let configuration = system.root + "/etc/printtrail/ptagent.toml"
    #expect(Files.mode(of: configuration) == 0o640)

    try Files.replace(configuration, with: Array("# the site's own".utf8), mode: 0o640)
    try system.carryOut(.installing(program: "/opt/printtrail/ptagent"))
    #expect(try Files.readText(configuration) == "# the site's own")
  }

  @Test func `a program that the sandbox would hide is copied, and the copy goes with the service`() throws {
    let system = try System()
    let program = system.root + "/home/somebody/ptagent"
    try Files.makeDirectory(Files.parent(of: program))
    try Files.replace(program, with: Array("the program".utf8), mode: 0o755)
    try system.carryOut(.installing(program: program))
    let copy = system.root + "/usr/local/bin/ptagent"
    #expect(try Files.readText(copy) == "the program")
    #expect(Files.mode(of: copy) == 0o755)
    #expect(try Files.readText(system.root + ServicePlan.unitPath).contains("ExecStart=/usr/local/bin/ptagent run"))

    try Files.makeDirectory(system.root + "/var/lib/printtrail/journal")
    let installer = system.installer
    try system.carryOut(.removing(unitText: installer.unitText()))
    #expect(!Files.exists(copy) && !Files.exists(system.root + ServicePlan.unitPath))
    #expect(Files.exists(system.root + "/etc/printtrail/ptagent.toml"))
    #expect(Files.exists(system.root + "/var/lib/printtrail/journal"))
  }

  @Test func `without systemd, without root and beside the package it is refused with a reason`() throws {
    let system = try System()
    #expect(throws: ServiceRefusal.notRoot) { try system.installer(isRoot: false).check() }
    try Files.makeDirectory(system.root + "/lib/systemd/system")
    try Files.replace(system.root + "/lib/systemd/system/ptagent.service", with: [])
    #expect(throws: ServiceRefusal.packaged(unit: "/lib/systemd/system/ptagent.service")) {
      try system.installer.check()
    }
    let bare = try System(isBooted: false)
    #expect(throws: ServiceRefusal.noServiceManager) { try bare.installer.check() }
  }

  @Test func `a command that fails ends it with the command and its status`() throws {
    let system = try System(failing: "systemd-sysusers")
    #expect(
      throws: ServiceRefusal.failed(command: "systemd-sysusers /etc/sysusers.d/printtrail.conf", status: 1)
    ) { try system.carryOut(.installing(program: "/usr/bin/ptagent")) }
    #expect(!Files.exists(system.root + ServicePlan.unitPath))
  }

  @Test func `a program is run to its end, with its status or the signal that ended it`() throws {
    #expect(try Machine.run(["true"]) == 0)
    #expect(try Machine.run(["sh", "-c", "exit 7"]) == 7)
    #expect(try Machine.run(["sh", "-c", "kill -9 $$"]) == 137)
    #expect(throws: SystemError.self) { try Machine.run(["no-such-program-anywhere"]) }
  }
}

/// A host.
private final class System: Sendable {
  let root: String
  private let failing: String?
  private let log = Mutex<[String]>([])

  init(isBooted: Bool = true, failing: String? = nil) throws {
    root = try temporaryDirectory()
    self.failing = failing
    if isBooted { try Files.makeDirectory(root + "/run/systemd/system") }
  }

  var commands: [String] { log.withLock { $0 } }
  var installer: ServiceInstaller { installer(isRoot: true) }

  func installer(isRoot: Bool) -> ServiceInstaller {
    ServiceInstaller(root: root, isRoot: isRoot) { words in
      self.log.withLock { $0.append(words.joined(separator: " ")) }
      return words.first == self.failing ? 1 : 0
    }
  }

  func carryOut(_ plan: ServicePlan) throws { try installer.carryOut(plan) { _ in } }
}
