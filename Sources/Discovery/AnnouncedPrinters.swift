// What printers announce of themselves by DNS-SD (RFC 6763) over multicast DNS: put together from records that come in any order.
//
//     _ipp._tcp.local  PTR  "HP LaserJet [3F2A]._ipp._tcp.local"         which instances there are
//     that instance    SRV  NPI3F2A.local port 631                       where
//                      TXT  ty=HP LaserJet M507  rp=ipp/print  UUID=...  what
//     NPI3F2A.local    A    192.0.2.17                                   at which address

/// A service that a printer announces.
package struct AnnouncedPrinter: Hashable, Sendable {
  /// The kind of service, without its domain: `_ipp._tcp`.
  package var service: String
  /// What a person sees: `HP LaserJet [3F2A]`.
  package var instance: String
  package var host: String
  package var port: UInt16
  package var address: IPv4Address
  /// Of the TXT record: `ty` (make and model), `rp` (the resource), `UUID`, `note` (the location), `adminurl` and others (Bonjour Printing
  /// Specification 1.2.1, section 9). Keys in lower case.
  package var attributes: [String: String]

  package init(
    service: String, instance: String, host: String, port: UInt16, address: IPv4Address, attributes: [String: String]
  ) {
    (self.service, self.instance, self.host) = (service, instance, host)
    (self.port, self.address, self.attributes) = (port, address, attributes)
  }

  /// Make and model, as far as it says.
  package var model: String? {
    attributes["ty"] ?? attributes["product"].map { $0.trimming("()") }
  }
}

extension String {
  fileprivate func trimming(_ characters: String) -> String {
    String(drop { characters.contains($0) }.reversed().drop { characters.contains($0) }.reversed())
  }
}

/// Takes responses, and says what is still to be asked.
package struct AnnouncedPrinters: Sendable {
  /// The services that printers have: IPP with and without TLS, LPD and raw printing. The last is announced by many that have no IPP.
  package static let services = ["_ipp._tcp", "_ipps._tcp", "_printer._tcp", "_pdl-datastream._tcp"]
  /// Where multicast DNS is spoken (RFC 6762, section 3).
  package static let group = Endpoint(IPv4Address(0xE000_00FB), port: 5_353)
  /// Instances remembered: more in one network segment are somebody's mischief.
  package static let instancesMax = 4_096
  /// Follow-up questions in one message, which then has some 1,200 bytes.
  package static let questionsMax = 16

  private struct Instance {
    var service: String
    var location: (host: DNSName, port: UInt16)?
    var texts: [[UInt8]]?
  }

  private var instances: [DNSName: Instance] = [:]
  private var addresses: [DNSName: Set<IPv4Address>] = [:]

  package init() {}

  /// The questions to begin with.
  package static var questions: [DNSQuestion] {
    services.map { DNSQuestion(DNSName($0 + ".local"), DNSType.pointer) }
  }

  package mutating func take(_ message: DNSMessage) {
    guard message.isResponse else { return }
    // Pointers first: what they point to may stand before them.
    for record in message.records {
      guard case .pointer(let instance) = record.data, let service = Self.service(record.name),
        instances.count < Self.instancesMax, instance.labels.count == record.name.labels.count + 1
      else { continue }
      if instances[instance] == nil { instances[instance] = Instance(service: service) }
    }
    for record in message.records {
      switch record.data {
      case .service(let host, let port): instances[record.name]?.location = (host, port)
      case .texts(let texts): instances[record.name]?.texts = texts
      case .address(let address) where addresses.count < Self.instancesMax:
        addresses[record.name, default: []].insert(address)
      case .address, .pointer: break
      }
    }
  }

  private static func service(_ name: DNSName) -> String? { services.first { DNSName($0 + ".local") == name } }

  /// What was announced and not told whole; at most as much as one message asks for.
  package var missing: [DNSQuestion] {
    var questions: [DNSQuestion] = []
    for (name, instance) in instances {
      guard let (host, _) = instance.location else {
        questions += [DNSQuestion(name, DNSType.service), DNSQuestion(name, DNSType.texts)]
        continue
      }
      if addresses[host] == nil { questions.append(DNSQuestion(host, DNSType.address)) }
    }
    return Array(questions.prefix(Self.questionsMax))
  }

  /// What is known whole, by address.
  package var printers: [AnnouncedPrinter] {
    instances.flatMap { name, instance -> [AnnouncedPrinter] in
      guard let (host, port) = instance.location, let label = name.labels.first else { return [] }
      return (addresses[host] ?? []).map { address in
        AnnouncedPrinter(
          service: instance.service, instance: String(decoding: label, as: UTF8.self), host: host.description,
          port: port, address: address, attributes: Self.attributes(instance.texts ?? []))
      }
    }.sorted { ($0.address, $0.service, $0.instance) < ($1.address, $1.service, $1.instance) }
  }

  /// The first of several values under one key counts (RFC 6763, section 6.4).
  private static func attributes(_ texts: [[UInt8]]) -> [String: String] {
    let pairs = texts.compactMap { text -> (String, String)? in
      let parts = text.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else { return nil }
      return (String(decoding: parts[0], as: UTF8.self).lowercased(), String(decoding: parts[1], as: UTF8.self))
    }
    return Dictionary(pairs) { first, _ in first }
  }
}
