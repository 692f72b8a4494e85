internal import AgentCore
internal import ArgumentParser
internal import Platform

struct ServiceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "service",
    abstract: "Run the agent as a service of systemd, on hosts without the package.",
    subcommands: [ServiceInstallCommand.self, ServiceUninstallCommand.self, ServiceStatusCommand.self])

  /// Does what a plan says, each step told as it is done.
  static func carryOut(_ plan: ServicePlan, by installer: ServiceInstaller) throws {
    do {
      try installer.check()
      try installer.carryOut(plan) { step in try Output.write("\(step)\n") }
    } catch let refusal as ServiceRefusal {
      throw AgentFailure(refusal)
    } catch let error as SystemError {
      throw AgentFailure(error.isPermissionDenied ? .permission : .cannotCreate, error.description)
    }
  }
}

extension AgentFailure {
  init(_ refusal: ServiceRefusal) {
    let code: Code =
      switch refusal {
      case .noServiceManager, .failed: .unavailable
      case .notRoot: .permission
      case .packaged: .cannotCreate
      }
    self.init(code, refusal.description)
  }
}

struct ServiceInstallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Install and start the service.",
    discussion: """
      Makes the user printtrail, /etc/printtrail with a configuration (one that is there stays), and the same unit that the package has; then \
      starts it. A program that lies where the service's sandbox does not reach (a home directory, /tmp) is copied to /usr/local/bin. May be given \
      again, for example with a new release. Needs root and systemd 251 or later.

        sudo ptagent service install
        ptagent service install --dry-run       what it would do

      Exits 69 where systemd does not run the host, 73 where the package is installed, 77 without root.
      """)

  @Flag(help: "Show what would be done, and do nothing.")
  var dryRun = false

  mutating func run() async throws {
    try await reporting {
      guard let program = Machine.programPath else {
        throw AgentFailure(.unavailable, "/proc is not there, so this program does not know where it lies.")
      }
      let plan = ServicePlan.installing(program: program)
      if dryRun {
        let steps = plan.steps.map { "would \($0)\n" }.joined()
        return try Output.write(steps + "\n" + ServiceFiles.unit(program: plan.program ?? program))
      }
      try ServiceCommand.carryOut(plan, by: ServiceInstaller())
      try Output.write("The agent runs. Look at it: ptagent status. Its log: journalctl -u ptagent\n")
    }
  }
}

struct ServiceUninstallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "uninstall",
    abstract: "Stop and remove the service; what it recorded stays.",
    discussion: """
      Removes what `service install` made, but not /etc/printtrail, /var/lib/printtrail and the user: the journal may hold numbers that nobody was billed \
      for yet, and the identity is this machine's place at the hub.

        sudo ptagent service uninstall
        ptagent service uninstall --dry-run
      """)

  @Flag(help: "Show what would be done, and do nothing.")
  var dryRun = false

  mutating func run() async throws {
    try await reporting {
      let installer = ServiceInstaller()
      let text = installer.unitText()
      let plan = ServicePlan.removing(unitText: text)
      if dryRun { return try Output.write(plan.steps.map { "would \($0)\n" }.joined()) }
      guard text != nil else {
        try installer.checkOrRefuse()
        throw AgentFailure(.noInput, "There is no \(ServicePlan.unitPath): the service is not installed.")
      }
      try ServiceCommand.carryOut(plan, by: installer)
      try Output.write(
        "The service is gone. \(ServicePlan.configurationDirectory) and \(ServicePlan.stateDirectory) with the journal are still there.\n"
      )
    }
  }
}

extension ServiceInstaller {
  fileprivate func checkOrRefuse() throws(AgentFailure) {
    do { try check() } catch { throw AgentFailure(error) }
  }

  fileprivate func checkManagerOrRefuse() throws(AgentFailure) {
    do { try checkManager() } catch { throw AgentFailure(error) }
  }
}

struct ServiceStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tell whether the service is installed and what systemd says of it.",
    discussion: """
      How the agent itself does is told by `ptagent status`. Exits 0 when the service runs, 66 when it is not installed, 69 when it does not run.
      """)

  mutating func run() async throws {
    try await reporting {
      let installer = ServiceInstaller()
      try installer.checkManagerOrRefuse()
      guard let unit = installer.installedUnit else {
        throw AgentFailure(
          .noInput, "The service is not installed. Install the package, or run: ptagent service install")
      }
      try Output.write("unit: \(unit)\n")
      let properties = "ActiveState,SubState,StatusText,MainPID,NRestarts,Result,UnitFileState"
      do {
        _ = try Machine.run(["systemctl", "show", ServicePlan.unit, "--property", properties])
        guard try Machine.run(["systemctl", "is-active", "--quiet", ServicePlan.unit]) == 0 else {
          throw AgentFailure(.unavailable, "The service does not run. See: journalctl -u ptagent -n 50")
        }
      } catch let error as SystemError {
        throw AgentFailure(.unavailable, error.description)
      }
    }
  }
}
