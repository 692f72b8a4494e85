// What several commands have in common.

internal import AgentCore
internal import ArgumentParser
internal import CLinux
internal import Glibc
internal import Collectors
internal import Settings
internal import Journal
internal import Platform
internal import SNMP

struct ConfigurationOption: ParsableArguments {
  static let standardPath = "/etc/printtrail/ptagent.toml"

  @Option(
    name: [.customLong("config"), .customShort("c")], help: ArgumentHelp("The configuration file.", valueName: "file"))
  var path = standardPath

  /// The configuration, or exit 78 with every mistake.
  func load() throws -> AgentConfiguration {
    if let complaint = EnvironmentNames.complaint(prefix: "PTAGENT_", known: EnvironmentNames.agent) {
      throw AgentFailure(.configuration, complaint)
    }
    do { return try AgentConfiguration.load(path) } catch {
      throw AgentFailure(.configuration, error.description)
    }
  }

  /// The configuration if its file is there or was asked for; else the defaults.
  func loadIfPresent() throws -> AgentConfiguration {
    path == Self.standardPath && !Files.exists(path) ? AgentConfiguration() : try load()
  }

  /// The same, with what the hub has set: what it forbids is forbidden to every command. Where the journal that has it cannot be read, that is said.
  func loadInUse() throws -> AgentConfiguration {
    let configuration = try loadIfPresent()
    let directory = configuration.journal.directory
    guard Files.exists(directory + "/data.mdb") else { return configuration }
    explainFaults(in: directory)
    do { return try configuration.inUse(try JournalReader.open(directory: directory)) } catch let error as JournalError
    {
      Machine.tell("warning: what the hub has set is not known here, the file alone counts: \(error)\n")
      return configuration
    }
  }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}

/// Runs a command's work; a failure becomes one sentence on standard error and its exit code.
func reporting(_ work: () async throws -> Void) async throws {
  do {
    try await work()
  } catch let failure as AgentFailure {
    Machine.tell(failure.description + "\n")
    throw ExitCode(failure.code.rawValue)
  } catch let error as EngineError {
    Machine.tell("\(error)\n")
    throw ExitCode(AgentFailure.Code.cannotCreate.rawValue)
  }
}

/// A file of the user's; the failure has the code that fits.
func bytes(of path: String) throws(AgentFailure) -> [UInt8] {
  do { return try Files.read(path) } catch {
    let code: AgentFailure.Code =
      error.isNotFound ? .noInput : error.isPermissionDenied ? .permission : error.isTooLarge ? .data : .inputOutput
    throw AgentFailure(code, error.description)
  }
}

/// From now on a fault in the journal's file ends the program with a sentence and an exit code, not with a crash.
func explainFaults(in journal: String) {
  let arguments = ["ptagent"] + JournalWorker.explanation(of: journal, status: AgentFailure.Code.inputOutput.rawValue)
  var pointers = arguments.map { UnsafePointer<CChar>(strdup($0)) }
  defer { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
  _ = clinux_exec_on_fault("/proc/self/exe", &pointers, Int32(pointers.count))
}

/// How to ask a device, when the command line says it.
struct CredentialOptions: ParsableArguments {
  enum Version: String, ExpressibleByArgument, CaseIterable {
    case v1 = "1"
    case v2c = "2c"
    case v3 = "3"
  }

  @Option(help: ArgumentHelp("A [credentials.NAME] of the configuration.", valueName: "name"))
  var credential: String?
  @Option(help: ArgumentHelp("The community, for SNMP versions 1 and 2c.", valueName: "community"))
  var community: String?
  @Option(help: ArgumentHelp("The SNMP version: 1, 2c or 3. (default: 2c, or 3 with --user)", valueName: "1|2c|3"))
  var version: Version?
  @Option(help: ArgumentHelp("The SNMPv3 user.", valueName: "name"))
  var user: String?
  @Option(
    help: ArgumentHelp("The user's authentication: md5, sha1, sha224, sha256, sha384, sha512.", valueName: "algorithm"))
  var auth: String?
  @Option(
    help: ArgumentHelp(
      "Its password. Other users of this machine can see it; a [credentials] table is better.", valueName: "password"))
  var authPassword: String?
  @Option(
    help: ArgumentHelp(
      "The user's privacy: des, aes128, aes192, aes256, aes192-reeder, aes256-reeder.", valueName: "algorithm"))
  var priv: String?
  @Option(help: ArgumentHelp("Its password.", valueName: "password"))
  var privPassword: String?
  @Option(help: ArgumentHelp("The SNMPv3 context name.", valueName: "name"))
  var context: String?

  func validate() throws {
    let isUser = user != nil || version == .v3
    if isUser, community != nil {
      throw ValidationError("--community is for SNMP 1 and 2c, --user for SNMP 3: give one of them.")
    }
    if version == .v3, user == nil { throw ValidationError("SNMP 3 needs --user.") }
    if user != nil, let version, version != .v3 {
      throw ValidationError("--user is for SNMP 3, not for \(version.rawValue).")
    }
    if credential != nil, isUser || community != nil {
      throw ValidationError("Give either --credential or the credential itself.")
    }
    if user == nil, auth != nil || priv != nil || context != nil {
      throw ValidationError("--auth, --priv and --context need --user.")
    }
    if (auth == nil) != (authPassword == nil) { throw ValidationError("--auth and --auth-password go together.") }
    if (priv == nil) != (privPassword == nil) { throw ValidationError("--priv and --priv-password go together.") }
  }

  /// The credential that the options name or spell out; nil if they do neither.
  func chosen(from configuration: AgentConfiguration) throws -> Collectors.NamedCredential? {
    if let credential { return try named(credential, in: configuration) }
    if let user { return Collectors.NamedCredential(name: "--user", credential: .user(try self.user(user))) }
    guard community != nil || version != nil else { return nil }
    return Collectors.NamedCredential(
      name: "--community",
      credential: .community(version: version == .v1 ? .v1 : .v2c, community: Array((community ?? "public").utf8)))
  }

  private func named(_ name: String, in configuration: AgentConfiguration) throws -> Collectors.NamedCredential {
    guard let found = configuration.credentials[name] else {
      let known = configuration.credentials.keys.sorted().joined(separator: ", ")
      throw AgentFailure(.usage, "There is no [credentials.\(name)] in the configuration. There are: \(known).")
    }
    return Collectors.NamedCredential(found)
  }

  private func user(_ name: String) throws -> USMUser {
    var authentication: USMUser.Authentication?
    var privacy: USMUser.Privacy?
    if let auth, let authPassword {
      guard let algorithm = AuthenticationAlgorithm(rawValue: auth) else {
        throw ValidationError(
          "--auth: '\(auth)' is none of \(AuthenticationAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      authentication = USMUser.Authentication(algorithm, password: Array(authPassword.utf8))
    }
    if let priv, let privPassword {
      guard let algorithm = PrivacyAlgorithm(rawValue: priv) else {
        throw ValidationError(
          "--priv: '\(priv)' is none of \(PrivacyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      privacy = USMUser.Privacy(algorithm, password: Array(privPassword.utf8))
    }
    do {
      return try USMUser(name: name, authentication: authentication, privacy: privacy, contextName: context ?? "")
    } catch { throw ValidationError(error.description) }
  }
}
