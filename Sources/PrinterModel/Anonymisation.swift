// A walk without what tells whose device it is: for `ptagent capture`, whose file a user can send to a stranger.
//
//     goes, and is replaced                         stays
//     -------------------------------------------   ---------------------------------------------------------
//     serial numbers of the device and its          counters, levels, states, alerts' codes
//       supplies, hardware addresses, IP addresses  the maker's part of a hardware address
//     host, printer and domain names, location,     model, firmware, part numbers
//       contact, operator, asset number             words that printers use (PrinterVocabulary.swift)
//     e-mail addresses, telephone numbers, UUIDs    numbers of up to six digits, dates
//     every other word, and every other long        the maker's records of counters and supplies, less what is on
//       number, in whatever object and encoding       the left
//
// A word that is in no list of printers' words goes wherever it stands: who may have set a text cannot be told from its object. People name
// trays, consoles show whose job it is, alerts say whom to call.
//
// The same text has the same replacement everywhere in a file, also inside other texts (a serial within a device id, a description or a packed
// record), as hexadecimal digits, as UTF-16, and as the sub-identifiers of a name. Replacements have the same length and the same kinds
// of characters, so that what is cut out of a text by its form is cut out as before. They follow from a random seed that is not kept.
//
// Nothing is taken on trust: at the end every object is searched again for what was to go, in each of these forms, and one that still
// has it is left out.

package import MIB

/// A walk that can be given away, and what was done to it.
package struct AnonymisedWalk: Sendable {
  package var walk: Walk
  package var replacements: [Replacement]
  /// Texts of which words were replaced because they are not known to be a printer's.
  package var textsMasked: Int
  /// Objects outside the standard and private subtrees that a reading needs.
  package var objectsOutside: Int
  /// Objects that could not be freed of what was to go.
  package var objectsLeftOut: [ObjectIdentifier]

  /// One text or address that was replaced.
  package struct Replacement: Equatable, Sendable {
    package var kind: Kind
    package var original: String
    package var replacement: String
    /// Objects that it was found in.
    package var places: Int
  }

  package enum Kind: String, CaseIterable, Sendable {
    case serial = "serial number"
    case supplySerial = "supply's serial number"
    case hardwareAddress = "hardware address"
    case address = "IP address"
    case hostName = "host name"
    case printerName = "printer's name"
    case location, contact
    case operatorName = "operator"
    case assetNumber = "asset number"
    case email = "e-mail address"
    case telephone = "telephone number"
    case uuid = "UUID"
  }
}

extension Interpretation {
  /// The subtrees that a captured walk has: the system group, interfaces, printers among the devices of the host, Printer-MIB, private objects.
  package static let capturedSubtrees: [ObjectIdentifier] = [
    MIB2.system, MIB2.Interface.entry, HostResources.Device.entry, HostResources.Printer.entry, PrinterMIB.root,
    MIB2.enterprises,
  ]

  /// Makes a walk anonymous.
  /// - Parameters:
  ///   - seed: what replacements are made from. To be random, and not kept.
  ///   - keepsTexts: whether words that nobody knows stay as they are.
  package static func anonymised(
    _ walk: Walk, seed: UInt64, keepsTexts: Bool = false, profiles: ProfileSet = .shipped
  ) -> AnonymisedWalk {
    var work = Anonymiser(walk, seed: seed, keepsTexts: keepsTexts, profiles: profiles)
    return work.anonymised()
  }
}

/// Something that must not remain, with what stands in its place.
struct Secret {
  var kind: AnonymisedWalk.Kind
  /// As shown in the list of what was replaced.
  var shown: String
  var shownReplacement: String
  /// Byte sequences and their replacements, of equal length, the longest first.
  var forms: [(original: [UInt8], replacement: [UInt8])]
  var places = 0
}

struct Anonymiser {
  private let original: Walk
  private let profiles: ProfileSet
  private let keepsTexts: Bool
  private var random: ReplacementSource
  private var secrets: [Secret] = []
  private var known: Set<String> = []
  /// Names that are the model's own words: a printer that nobody named is called what it is.
  private let publicText: String
  /// The words that such a name may have.
  private var publicWords: PrinterVocabulary
  private let profile: Profile?
  private var mask: WordMask

  init(_ walk: Walk, seed: UInt64, keepsTexts: Bool, profiles: ProfileSet) {
    original = Walk(
      walk.bindings.filter { binding in
        !binding.value.isException && Interpretation.capturedSubtrees.contains { binding.name.isWithin($0) }
      })
    self.profiles = profiles
    self.keepsTexts = keepsTexts
    random = ReplacementSource(seed: seed)
    let reading = Interpretation.read(walk, profiles: profiles)
    publicText = [
      reading.identity.systemDescription?.text, reading.identity.model?.text, reading.identity.make,
      walk.first(in: HostResources.Device.entry.appending(HostResources.Device.description))?.value.octets.map {
        String(decoding: $0, as: UTF8.self)
      },
    ].compactMap { $0?.lowercased() }.joined(separator: "\n")
    let interpreter = Interpreter(walk: walk, profiles: profiles)
    profile = interpreter.profile
    publicWords = PrinterVocabulary(profiles: profiles)
    dropped = walk.bindings.count - original.bindings.count
    mask = WordMask(PrinterVocabulary(profiles: profiles), interpreter.characterSet, random)
    publicWords = vocabulary(walk, reading)
    gather(walk, reading)
    secrets.sort { ($0.forms.first?.original.count ?? 0) > ($1.forms.first?.original.count ?? 0) }
    mask = WordMask(vocabulary(walk, reading), interpreter.characterSet, random)
  }

  private let dropped: Int

  mutating func anonymised() -> AnonymisedWalk {
    var texts = 0
    var values: [ObjectValue] = []
    for binding in original.bindings {
      let value = replacing(binding.value, isMasked: !keepsTexts && !isRecord(binding))
      values.append(value.value)
      if value.isMasked { texts += 1 }
    }
    var bindings: [VarBind] = []
    var leftOut: [ObjectIdentifier] = []
    for (before, value) in zip(original.bindings, values) {
      let binding = finished(before, value)
      if remains(in: binding) { leftOut.append(binding.name) } else { bindings.append(binding) }
    }
    let replacements = secrets.filter { $0.places > 0 }.map {
      AnonymisedWalk.Replacement(
        kind: $0.kind, original: $0.shown, replacement: $0.shownReplacement, places: $0.places)
    }
    return AnonymisedWalk(
      walk: Walk(bindings), replacements: replacements, textsMasked: texts, objectsOutside: dropped,
      objectsLeftOut: leftOut)
  }

  // MARK: What must go

  /// Shorter texts are replaced where they are all that an object holds, and nowhere else: `Lab` is within too many words.
  private static let substringBytesMin = 4

  /// prtGeneralCurrentOperator and prtGeneralServicePerson.
  private static let personColumns: [UInt32] = [4, 5]

  private mutating func gather(_ walk: Walk, _ reading: Reading) {
    let identity = reading.identity
    addSerials(walk, identity)
    for supply in reading.supplies { add(.supplySerial, supply.serialNumber) }
    add(.assetNumber, identity.assetNumber?.text)
    for host in [identity.hostName, identity.systemDescription.flatMap(Self.nodeName)] {
      if let host { addHost(host.text) }
    }
    add(.location, identity.location?.text)
    add(.contact, text(walk[MIB2.sysContact]))
    add(.printerName, identity.printerName?.text)
    for column in Self.personColumns {
      for binding in walk.subtree(PrinterMIB.General.entry.appending(column)) {
        add(.operatorName, text(binding.value))
      }
    }
    for binding in walk.bindings { addAddresses(binding) }
    for binding in walk.bindings {
      if let text = text(binding.value) { addPatterns(text) }
    }
  }

  private mutating func addSerials(_ walk: Walk, _ identity: DeviceIdentity) {
    var serials = [identity.serial?.text, identity.deviceID.flatMap { DeviceIDString($0.text).serialNumber }]
    serials += walk.subtree(PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber)).map { text($0.value) }
    serials += profiles.profiles.flatMap(\.identity.serial).map { text(walk[$0]) }
    for serial in serials {
      // Some objects have control codes in front of it.
      guard let serial = serial.map({ String($0.drop { !$0.isLetter && !$0.isNumber }) }) else { continue }
      let zeros = serial.prefix { $0 == "0" }.count
      add(
        .serial, zeros > 0 && serial.count - zeros >= Self.substringBytesMin ? String(serial.dropFirst(zeros)) : serial)
    }
  }

  /// A host's name, and of a domain name each part.
  private mutating func addHost(_ host: String) {
    let labels = host.split(separator: ".")
    if labels.count > 1, labels.allSatisfy({ !$0.allSatisfy(\.isNumber) }) {
      add(.hostName, String(labels[0]))
      add(.hostName, labels.dropFirst().joined(separator: "."))
    } else {
      add(.hostName, host)
    }
  }

  /// Hardware addresses of interfaces, and addresses of type IpAddress.
  private mutating func addAddresses(_ binding: VarBind) {
    let column = MIB2.Interface.entry.appending(MIB2.Interface.physicalAddress)
    if binding.name.isWithin(column), let address = binding.value.octets, address.count == 6,
      address.contains(where: { $0 != 0 })
    {
      addHardwareAddress(address.array)
    }
    if case .ipAddress(let bytes) = binding.value, bytes.count == 4 { addIPAddress(bytes.array) }
    if binding.name.isWithin(MIB2.enterprises) {
      for address in TextPattern.localIPAddresses(in: binding.name.components.dropFirst(Self.makersNameCount)) {
        addIPAddress(address)
      }
    }
    if let bytes = binding.value.octets, bytes.count == 16, TextPattern.isIPv6Address(bytes.array) {
      addIPv6Address(bytes.array)
    }
  }

  private mutating func addPatterns(_ text: String) {
    for word in text.split(whereSeparator: { TextPattern.separators.contains($0) }) {
      if TextPattern.isEmail(word) {
        add(.email, String(word))
      } else if TextPattern.isUUID(word) {
        add(.uuid, String(word))
      } else if let bytes = TextPattern.localIPAddress(word) {
        addIPAddress(bytes)
      }
    }
    if TextPattern.isTelephone(text) { add(.telephone, text) }
  }

  /// Notes a text that must go, unless it says what everyone may know.
  private mutating func add(_ kind: AnonymisedWalk.Kind, _ text: String?) {
    guard let text, text.contains(where: { $0.isLetter || $0.isNumber }), text.count > 1 else { return }
    let names: Set<AnonymisedWalk.Kind> = [.hostName, .printerName, .location, .contact, .assetNumber]
    if names.contains(kind), publicText.contains(text.lowercased()), publicWords.knowsAll(of: text) { return }
    guard known.insert(text).inserted else { return }
    let replacement = random.likeness(of: text)
    secrets.append(
      Secret(kind: kind, shown: text, shownReplacement: replacement, forms: SecretForms.text(text, replacement)))
  }

  private mutating func addHardwareAddress(_ address: [UInt8]) {
    guard known.insert("mac \(address)").inserted else { return }
    // The first three bytes are the maker's (IEEE OUI) and stay.
    let replacement = address.prefix(3) + (0..<3).map { _ in random.byte() }
    secrets.append(
      Secret(
        kind: .hardwareAddress, shown: address.macText, shownReplacement: Array(replacement).macText,
        forms: SecretForms.hardwareAddress(address, Array(replacement))))
  }

  private mutating func addIPAddress(_ address: [UInt8]) {
    guard address[0] != 0, address[0] != 127, address[0] < 224, known.insert("ip \(address)").inserted else { return }
    let replacement = address.map { random.number(ofDigitsOf: $0) }
    secrets.append(
      Secret(
        kind: .address, shown: address.map(String.init).joined(separator: "."),
        shownReplacement: replacement.map(String.init).joined(separator: "."),
        forms: SecretForms.address(address, replacement)))
  }

  /// The first two bytes tell what kind of an address it is, and stay.
  private mutating func addIPv6Address(_ address: [UInt8]) {
    guard known.insert("ipv6 \(address)").inserted else { return }
    let replacement = address.prefix(2) + address.dropFirst(2).map { $0 == 0 ? 0 : random.byte() | 1 }
    func shown(_ bytes: [UInt8]) -> String {
      stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
        .joined(separator: ":")
    }
    secrets.append(
      Secret(
        kind: .address, shown: shown(address), shownReplacement: shown(Array(replacement)),
        forms: SecretForms.address6(address, Array(replacement))))
  }

  private func text(_ value: ObjectValue?) -> String? {
    value?.octets.flatMap { DeviceText(decoding: $0, characterSet: nil)?.text }
  }

  // MARK: What stays

  /// The words of printers and this one's own.
  private mutating func vocabulary(_ walk: Walk, _ reading: Reading) -> PrinterVocabulary {
    var vocabulary = PrinterVocabulary(profiles: profiles)
    let identity = reading.identity
    var described = [identity.systemDescription.map(Self.withoutNodeName), identity.model?.text]
    for binding in walk.subtree(HostResources.Device.entry.appending(HostResources.Device.description)) {
      let row = binding.name.components.dropFirst(HostResources.Device.entry.count + 1)
      let type = HostResources.Device.entry.appending(HostResources.Device.type)
      if walk[ObjectIdentifier(type.components + row)] == .objectIdentifier(HostResources.Device.printerType) {
        described.append(text(binding.value))
      }
    }
    for text in described.compactMap({ $0 }) { vocabulary.learn(described: withoutSecrets(text)) }
    let deviceIDs =
      [identity.deviceID?.text] + profiles.profiles.flatMap(\.identity.deviceID).map { text(walk[$0]) }
      + walk.subtree(PortMonitorMIB.Printer.entry.appending(PortMonitorMIB.Printer.deviceID)).map { text($0.value) }
    let own = [identity.make, identity.firmware?.text] + deviceIDs.compactMap { $0 }.flatMap(DeviceIDFields.own)
    for text in own.compactMap({ $0 }) { vocabulary.learn(own: withoutSecrets(text)) }
    for supply in reading.supplies {
      if let text = supply.description?.text { vocabulary.learn(partsOf: withoutSecrets(text)) }
    }
    let model = identity.model.map(\.text).flatMap { vocabulary.knowsAll(of: $0) ? $0 : nil }
    for phrase in [model, identity.firmware?.text] + reading.supplies.map(\.partNumber) {
      if let phrase { vocabulary.keep(phrase) }
    }
    return vocabulary
  }

  private static func nodeName(_ description: DeviceText) -> DeviceText? {
    TextPattern.nodeName(description.text).map { DeviceText(String($0)) }
  }

  private static func withoutNodeName(_ description: DeviceText) -> String {
    guard let node = TextPattern.nodeName(description.text) else { return description.text }
    return description.text.replacing(node, with: " ")
  }

  /// With spaces in the place of what must go.
  private mutating func withoutSecrets(_ text: String) -> String {
    var bytes = Array(text.utf8)
    var covered = [Bool](repeating: false, count: bytes.count)
    let places = secrets.map(\.places)
    replaceSecrets(in: &bytes, &covered)
    for index in secrets.indices { secrets[index].places = places[index] }
    return String(decoding: zip(bytes, covered).map { $1 ? 0x20 : $0 }, as: UTF8.self)
  }

  /// Whether an object is numbers in bytes or digits, by the standard or a profile; only what is known to be private is replaced in it.
  private func isRecord(_ binding: VarBind) -> Bool {
    let name = binding.name
    if Self.records.contains(where: { name.isWithin($0) }) { return true }
    // Languages and countries (ISO 639, ISO 3166).
    if name.isWithin(PrinterMIB.Localization.entry) { return (binding.value.octets?.count ?? 0) <= 3 }
    guard let profile else { return false }
    return profile.counters.contains { $0.name == name } || profile.tables.contains { name.isWithin($0.values) }
      || profile.records.contains { name.isWithin($0.name) }
      || profile.supplyRecords.contains { name.isWithin($0.name) }
  }

  private static let records: [ObjectIdentifier] = [
    MIB2.Interface.entry.appending(MIB2.Interface.physicalAddress), HostResources.Printer.entry,
  ]

  // MARK: Replacing

  private mutating func replacing(
    _ value: ObjectValue, isMasked: Bool
  ) -> (value: ObjectValue, isMasked: Bool) {
    switch value {
    case .octets(let bytes):
      let replaced = replacing(bytes.array, isMasked: isMasked)
      return (.octets(Octets(replaced.bytes)), replaced.isMasked)
    case .opaque(let bytes):
      let replaced = replacing(bytes.array, isMasked: isMasked)
      return (.opaque(Octets(replaced.bytes)), replaced.isMasked)
    case .ipAddress(let bytes): return (.ipAddress(Octets(replacing(bytes.array, isMasked: false).bytes)), false)
    case .objectIdentifier(let identifier): return (.objectIdentifier(replacing(identifier)), false)
    default: return (value, false)
    }
  }

  private mutating func replacing(_ bytes: [UInt8], isMasked: Bool) -> (bytes: [UInt8], isMasked: Bool) {
    // A text whose end stands behind it in hexadecimal digits can have a word half in the one and half in the other.
    if let whole = DeviceText.rejoiningHexadecimalTail(bytes) {
      let replaced = replacingInPlace(whole, isMasked: isMasked)
      // An end that nobody can read is cut off, and stays so.
      let isJoined = whole.count > bytes.prefix { $0 != UInt8(ascii: "\n") }.count
      return replaced.bytes == whole && isJoined ? (bytes, false) : replaced
    }
    return replacingInPlace(bytes, isMasked: isMasked)
  }

  private mutating func replacingInPlace(
    _ bytes: [UInt8], isMasked: Bool
  ) -> (bytes: [UInt8], isMasked: Bool) {
    var replaced = bytes
    var covered = [Bool](repeating: false, count: bytes.count)
    replaceSecrets(in: &replaced, &covered)
    guard isMasked else { return (replaced, false) }
    let masked = mask.masked(replaced, covered: covered)
    return (masked, masked != replaced)
  }

  private mutating func replaceSecrets(in bytes: inout [UInt8], _ covered: inout [Bool]) {
    for index in secrets.indices {
      var isFound = false
      for form in secrets[index].forms {
        let isWhole = bytes.trimmed == form.original[...]
        guard isWhole || form.original.count >= Self.substringBytesMin else { continue }
        let (original, other) = (form.original, form.replacement)
        if bytes.replaceAll(original, with: other, wholeWords: original.isWord, marking: &covered) { isFound = true }
      }
      if isFound { secrets[index].places += 1 }
    }
  }

  /// The second pass, when all words that went are known: in names and in records.
  private mutating func finished(_ before: VarBind, _ value: ObjectValue) -> VarBind {
    var binding = VarBind(replacing(before.name), value)
    guard !keepsTexts else { return binding }
    if before.name.isWithin(MIB2.enterprises) {
      binding.name = mask.masked(binding.name, from: Self.makersNameCount)
    }
    switch value {
    case .octets(let bytes) where isRecord(before):
      let none = [Bool](repeating: false, count: bytes.count)
      binding.value = .octets(Octets(mask.masked(bytes.array, covered: none, learnsWords: false)))
    case .objectIdentifier(let identifier)
    where identifier.isWithin(MIB2.enterprises) && before.name != MIB2.sysObjectID:
      binding.value = .objectIdentifier(mask.masked(identifier, from: Self.makersNameCount))
    default: break
    }
    return binding
  }

  /// iso.org.dod.internet.private.enterprises and the maker's number.
  private static let makersNameCount = 7

  /// A table can be indexed by a text or an address.
  private mutating func replacing(_ name: ObjectIdentifier) -> ObjectIdentifier {
    var components = name.components
    for index in secrets.indices {
      for form in secrets[index].forms where form.original.count >= Self.nameBytesMin {
        if components.replaceAll(form.original.map(UInt32.init), with: form.replacement.map(UInt32.init)) {
          secrets[index].places += 1
        }
      }
    }
    return ObjectIdentifier(components)
  }

  /// Fewer sub-identifiers in a row may be a part of any name.
  private static let nameBytesMin = 4

  // MARK: What remains

  /// Whether an object still has something that was to go, in any form.
  private func remains(in binding: VarBind) -> Bool {
    let bytes: [UInt8]
    switch binding.value {
    case .octets(let value), .opaque(let value), .ipAddress(let value): bytes = value.array
    default: bytes = []
    }
    for secret in secrets {
      for form in secret.forms where form.original.count >= Self.substringBytesMin {
        if bytes.place(ofBytes: form.original, wholeWords: form.original.isWord) != nil { return true }
        if binding.name.components.place(of: form.original.map(UInt32.init)) != nil,
          form.original.count >= Self.nameBytesMin
        {
          return true
        }
      }
    }
    return false
  }
}
