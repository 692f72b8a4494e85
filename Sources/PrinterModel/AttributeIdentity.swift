// What of a device's identity IPP tells and no object of the MIBs has.

internal import MIB

extension AttributeTranslation {
  /// Adds the UUID, the firmware, the host name, and a hardware address where the UUID holds one.
  func complete(_ identity: inout DeviceIdentity, _ sources: inout [ValueSource]) {
    func tell(_ value: String, _ binding: VarBind, _ rule: Rule) {
      sources.append(ValueSource(value, Source(binding), rule: rule))
    }
    if let binding = first("printer-uuid"), let uuid = UniqueIdentifier(binding.value.text) {
      identity.uuid = uuid.description
      tell("uuid", binding, .attribute(.pwg510013, binding.name))
      if let node = uuid.hardwareAddress {
        identity.macAddress = node
        tell("macAddress", binding, Rule("rfc9562/node@1"))
      }
    }
    if let binding = firmware(), let text = DeviceText(decoding: binding.value.octets ?? [], characterSet: nil) {
      identity.firmware = text
      tell("firmware", binding, .attribute(.pwg510013, binding.name))
    }
    for binding in walk.attribute("printer-uri-supported") {
      guard let host = binding.value.text.flatMap(Self.hostName) else { continue }
      identity.hostName = DeviceText(host)
      tell("hostName", binding, Rule("rfc8011/printer-uri-supported-host@1"))
      break
    }
  }

  /// The version of the device's own firmware. Some list versions of what they understand beside it; a name tells them apart.
  private func firmware() -> VarBind? {
    let versions = walk.attribute("printer-firmware-string-version")
    let names = walk.attribute("printer-firmware-name").map { $0.value.text?.uppercased() ?? "" }
    guard names.count == versions.count else { return versions.count == 1 ? versions.first : nil }
    return zip(names, versions).first { !Self.formats.contains($0.0) && $0.1.value.octets?.isEmpty == false }?.1
  }

  /// Protocols and document formats, whose versions are none of a firmware.
  private static let formats: Set<String> = ["IPP", "URF", "JPEG", "PDF", "PCL", "PCLM", "PWG", "POSTSCRIPT", "PS"]

  /// The host of a URI, if it is a name.
  private static func hostName(_ uri: String) -> String? {
    let parts = uri.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 2, parts[0].hasSuffix(":"), parts[1].isEmpty else { return nil }
    let host = parts[2].prefix { $0 != ":" && $0 != "?" }
    let isAddress = host.allSatisfy { $0.isNumber || $0 == "." } || host.hasPrefix("[")
    return host.isEmpty || isAddress || host.lowercased() == "localhost" ? nil : String(host)
  }

  /// printer-up-time is in seconds.
  var uptime: ValueSource? {
    guard let binding = first("printer-up-time"), let seconds = binding.value.number(as: .integer32), seconds > 0 else {
      return nil
    }
    return ValueSource(
      "uptimeTicks", Source(binding), unit: "seconds", rule: .attribute(.rfc8011, binding.name))
  }

  var uptimeTicks: UInt64? { uptime?.source.raw.number.flatMap { UInt64(exactly: $0) }.map { $0 * 100 } }
}

extension ObjectValue {
  fileprivate var text: String? { octets.map { String(decoding: $0, as: UTF8.self) } }
}

/// A UUID (RFC 9562), as IPP and DNS-SD write it: `urn:uuid:4509a320-00a0-008f-00b6-002507510eca`, with or without the prefix.
struct UniqueIdentifier: CustomStringConvertible {
  private static let groups = [8, 4, 4, 4, 12]

  /// Sixteen.
  let bytes: [UInt8]

  /// Nil for what is no UUID, and for the nil UUID and the one of all ones, which name nothing.
  init?(_ text: String?) {
    guard var text = text?.trimmed.lowercased() else { return nil }
    if text.hasPrefix("urn:uuid:") { text = String(text.dropFirst("urn:uuid:".count)) }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.count) == Self.groups else { return nil }
    let digits = Array(parts.joined())
    bytes = stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
    guard bytes.count == 16, Set(bytes) != [0], Set(bytes) != [0xFF] else { return nil }
  }

  var description: String {
    var rest = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()[...]
    return Self.groups.map { count in
      defer { rest = rest.dropFirst(count) }
      return String(rest.prefix(count))
    }.joined(separator: "-")
  }

  /// The node of a version 1 UUID is the hardware address of its maker's interface, unless the group bit says that it is a random number
  /// (RFC 9562, sections 5.1 and 6.10) or the local bit that it is none of a manufacturer.
  var hardwareAddress: [UInt8]? {
    guard bytes[6] >> 4 == 1, bytes[8] >> 6 == 2, bytes[10] & 3 == 0, bytes[10...].contains(where: { $0 != 0 }) else {
      return nil
    }
    return Array(bytes[10...])
  }
}
