// The file format of a fleet (Fixtures/fleets/*.toml): reading and checking it.
//
//   port, ipp_port, seed             models = folder of the model files, seen from the fleet file
//   [[users]]     name, authentication, authentication_password, privacy, privacy_password
//                 authentication: md5 sha1 sha224 sha256 sha384 sha512; privacy: des aes128 aes192 aes256 ...-reeder
//   [[printers]]  address, model | walk | ipp_file, name, location, communities, versions, users, context, faults, pages_per_day, ipp
//                 ipp = true: answers IPP as well, with the objects that it shows over SNMP; with versions = [] it speaks nothing else.
//                 ipp_file: answers IPP with a captured response, and nothing else
//   [[patterns]]  addresses (a block such as 127.21.0.0/22), count, models; and the keys of printers from location on: as
//                 many printers as counted, on the block's addresses in order, of the models in turn
//
// Checked here: addresses are used once, models, walks and users exist, faults can be read.

internal import FoundationEssentials
package import MIB
internal import SNMP

extension Fleet {
  /// Reads a fleet file and the models and walks it names. Throws `SettingsError`.
  package static func load(file: String) throws -> Fleet {
    var reader = try FleetReader(SettingsDocument(file: file))
    return try reader.fleet()
  }

  /// Reads a fleet from text; `file` is the name for messages and for finding models. Throws `SettingsError`.
  package static func parse(_ text: String, file: String) throws -> Fleet {
    var reader = try FleetReader(SettingsDocument(file: file, text: text))
    return try reader.fleet()
  }

  /// Reads a recorded walk. Throws `SettingsError` when the file cannot be read or holds no object.
  package static func recording(file: String) throws -> Walk {
    guard let data = try? Data(contentsOf: URL(filePath: file)) else {
      throw SettingsError(file: file, message: "the file could not be read; expected a recorded walk (.snmprec)")
    }
    let document = SNMPRec.parse(Array(data))
    guard !document.walk.isEmpty else {
      let finding = document.findings.first
      throw SettingsError(
        file: file, line: finding?.line, message: finding?.message ?? "no object found; expected lines of OID|tag|value"
      )
    }
    return document.walk
  }
}

/// Reads one fleet file.
private struct FleetReader {
  let table: SettingsTable
  var users: [String: USMUser] = [:]
  var models: [String: DeviceModel] = [:]
  let folder: String
  let modelFolder: String

  init(_ document: SettingsDocument) throws {
    table = SettingsTable(document)
    try table.allowOnly("port", "ipp_port", "seed", "models", "users", "printers", "patterns")
    folder = document.file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    modelFolder = Self.path(try table.string("models") ?? "../devices", from: folder)
  }

  mutating func fleet() throws -> Fleet {
    for row in try table.tables("users") {
      let name = try row.requiredString("name")
      guard users[name] == nil else { throw row.fault("name", "the user '\(name)' is given twice") }
      users[name] = try Self.user(row, name)
    }
    var fleet = Fleet(
      port: try table.integer("port", in: 0...65_535) ?? Fleet.portDefault,
      seed: UInt64(try table.integer("seed", in: 0...Int.max) ?? 1))
    fleet.ippPort = try table.integer("ipp_port", in: 0...65_535) ?? Fleet.ippPortDefault
    for row in try table.tables("printers") { fleet.plans.append(try plan(row)) }
    for row in try table.tables("patterns") { fleet.plans += try pattern(row) }
    guard !fleet.plans.isEmpty else { throw table.fault("", "no device; expected [[printers]] or [[patterns]]") }
    guard fleet.plans.count <= Fleet.devicesMax else {
      throw table.fault("", "\(fleet.plans.count) devices; at most \(Fleet.devicesMax)")
    }
    var seen: Set<HostAddress> = []
    for plan in fleet.plans where !seen.insert(plan.address).inserted {
      throw table.fault("printers", "the address \(plan.address) is used twice; expected one device for each address")
    }
    return fleet
  }

  private static func path(_ name: String, from folder: String) -> String {
    name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
  }

  private static func user(_ row: SettingsTable, _ name: String) throws -> USMUser {
    try row.allowOnly("name", "authentication", "authentication_password", "privacy", "privacy_password")
    let authentication = try row.choice("authentication", AuthenticationAlgorithm.self).map {
      USMUser.Authentication($0, password: Array(try row.requiredString("authentication_password").utf8))
    }
    let privacy = try row.choice("privacy", PrivacyAlgorithm.self).map {
      USMUser.Privacy($0, password: Array(try row.requiredString("privacy_password").utf8))
    }
    do {
      return try USMUser(name: name, authentication: authentication, privacy: privacy)
    } catch {
      throw row.fault("name", error.description)
    }
  }

  private mutating func plan(_ row: SettingsTable) throws -> DevicePlan {
    try row.allowOnly(
      "address", "model", "walk", "ipp_file", "name", "location", "communities", "versions", "users", "context",
      "faults", "pages_per_day", "ipp")
    let text = try row.requiredString("address")
    guard let address = HostAddress(text) else {
      throw row.fault("address", "'\(text)' is not an IPv4 address; expected one such as 127.20.0.11")
    }
    var plan: DevicePlan
    switch (try row.string("model"), try row.string("walk"), try row.string("ipp_file")) {
    case (let name?, nil, nil):
      plan = DevicePlan(address: address, contents: .model(try model(name, row, "model")))
    case (nil, let name?, nil):
      let file = Self.path(name, from: folder)
      plan = DevicePlan(address: address, contents: .recording(try Fleet.recording(file: file), file: file))
    case (nil, nil, let name?):
      let file = Self.path(name, from: folder)
      plan = DevicePlan(address: address, contents: .recording(Walk(), file: file))
      plan.communities = []
      plan.ipp = try IPPContents.load(file: file)
    default:
      throw row.fault("model", "expected one of model, walk and ipp_file")
    }
    plan.name = try row.string("name") ?? ""
    try complete(&plan, row)
    return plan
  }

  private mutating func pattern(_ row: SettingsTable) throws -> [DevicePlan] {
    try row.allowOnly(
      "addresses", "count", "models", "location", "communities", "versions", "users", "context", "faults",
      "pages_per_day", "ipp")
    let text = try row.requiredString("addresses")
    guard let addresses = HostAddress.block(text) else {
      throw row.fault("addresses", "'\(text)' is not a block; expected one such as 127.21.0.0/22, from /16 to /30")
    }
    let count = try row.requiredInteger("count", in: 1...Fleet.devicesMax)
    guard count <= addresses.count else {
      throw row.fault("count", "\(count) printers do not fit \(text), which has \(addresses.count) addresses")
    }
    guard let names = try row.strings("models"), !names.isEmpty else {
      throw row.fault("models", "missing; expected a list of model names")
    }
    let models = try names.map { try model($0, row, "models") }
    return try addresses.prefix(count).enumerated().map { position, address in
      var plan = DevicePlan(address: address, contents: .model(models[position % models.count]))
      try complete(&plan, row)
      return plan
    }
  }

  /// The keys that single printers and patterns share.
  private func complete(_ plan: inout DevicePlan, _ row: SettingsTable) throws {
    plan.location = try row.string("location") ?? ""
    plan.versions = try row.versions("versions")
    if let communities = try row.strings("communities") { plan.communities = communities }
    plan.contextName = try row.string("context") ?? ""
    plan.users = try (row.strings("users") ?? []).map { name in
      guard let user = users[name] else {
        throw row.fault("users", "there is no [[users]] named '\(name)'")
      }
      return user
    }
    for text in try row.strings("faults") ?? [] {
      do { plan.faults.append(try Fault(text)) } catch { throw row.fault("faults", error.description) }
    }
    if let pages = try row.integer("pages_per_day", in: 0...500_000) {
      guard case .model(var model) = plan.contents else {
        throw row.fault("pages_per_day", "a recorded walk prints nothing")
      }
      model.usage.pagesPerDay = pages
      plan.contents = .model(model)
    }
    if try row.flag("ipp") ?? false {
      guard plan.ipp == nil else {
        throw row.fault("ipp", "expected only with model or walk; ipp_file is served anyway")
      }
      plan.ipp = .objects
    }
    guard !plan.spoken.isEmpty || plan.ipp != nil else {
      throw row.fault(
        "versions", "the device would answer nobody; expected a version with a community or a user, or ipp = true")
    }
  }

  private mutating func model(_ name: String, _ row: SettingsTable, _ key: String) throws -> DeviceModel {
    if let known = models[name] { return known }
    guard !name.contains("/"), !name.isEmpty else {
      throw row.fault(key, "'\(name)' is not a model; expected the name of a file in \(modelFolder) without .toml")
    }
    let file = modelFolder + "/" + name + ".toml"
    guard FileManager.default.fileExists(atPath: file) else {
      throw row.fault(key, "there is no model '\(name)': \(file) does not exist")
    }
    let model = try DeviceModel.load(file: file, name: name)
    models[name] = model
    return model
  }
}
