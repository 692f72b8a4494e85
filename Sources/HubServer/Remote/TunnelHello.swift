// What an agent says of a session that it has opened (docs/formats/tunnel.md). It comes from a customer's network: nothing of it is taken that does not
// look as it should.

internal import DevicePages
internal import Events
internal import FoundationEssentials
internal import OpenSSL

struct TunnelHello: Equatable, Sendable {
  let session: JobID
  let device: DeviceID
  let endsInSeconds: Int64
  /// The best first; at least one.
  let targets: [DeviceTarget]
  /// In lower case; at least one.
  let names: [String]

  /// A list of some names.
  static let bytesMax = 16 << 10
  private static let targetsMax = 8
  private static let namesMax = 16
  private static let nameBytesMax = 253

  private struct Text: Decodable {
    let session: String
    let device: String
    let endsInSeconds: Int64
    let targets: [String]
    let names: [String]
  }

  /// Nil for what is none.
  init?(_ json: [UInt8]) {
    guard let text = try? JSONDecoder().decode(Text.self, from: Data(json)),
      let session = bytes(hexadecimal: text.session).flatMap({ JobID($0) }),
      let device = bytes(hexadecimal: text.device).flatMap({ DeviceID($0) }),
      (1...HubLimits.remoteTimeMax.components.seconds).contains(text.endsInSeconds)
    else { return nil }
    let targets = text.targets.prefix(Self.targetsMax).compactMap { DeviceTarget($0) }
    // What a device calls itself is a claim: a name that is none is left out, and the address stays.
    let names = text.names.prefix(Self.namesMax).map { $0.lowercased() }.filter(Self.isName)
    guard !targets.isEmpty, !names.isEmpty else { return nil }
    (self.session, self.device, endsInSeconds) = (session, device, text.endsInSeconds)
    (self.targets, self.names) = (targets, names)
  }

  private static func isName(_ name: String) -> Bool {
    (1...nameBytesMax).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: ":"),
          UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
