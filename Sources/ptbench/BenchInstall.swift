// An install of a real hub for the measurements of delivery: enrolled with a DataLink code, known by the hub's pin.

internal import ArgumentParser
internal import Enrolment
internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import HubProtocol
internal import NIOCore
internal import OpenSSL
internal import Platform
internal import SwiftProtobuf
internal import TLS

/// Which hub, and with which code.
struct BenchHub: ParsableArguments {
  @Option(help: "Where the hub's csr listens, host:port.") var csr: String
  @Option(help: "The pin of the hub's authority, as `pthub serve` prints it.") var pin: String
  @Option(help: "A DataLink code with enough uses.") var code: String

  func enrolment() throws -> (service: HubEnrolmentService, code: DataLinkCode) {
    guard let address = HostAndPort(csr), let pin = PublicKeyPin(pin), let code = DataLinkCode(code) else {
      throw ValidationError("Expected --csr host:port, --pin sha256/… and --code as the hub printed them.")
    }
    return (HubEnrolmentService(address: address, trust: .pinnedAuthority(pin), product: "ptbench"), code)
  }

  /// Makes a new install for a journal.
  func enrol(journal: JournalReference, name: String) async throws -> BenchInstall {
    let (service, code) = try enrolment()
    let key = try P256PrivateKey()
    let answer = try await service.enrol(
      EnrolmentRequest(
        code: code, enrolmentID: Array(UUID().bytes),
        certificateRequest: try CertificateRequest(key: key, commonName: name),
        journal: journal, machine: MachineDescription(hostName: name, operatingSystem: "Linux", agentVersion: "bench")))
    guard let dcam = HostAndPort(answer.dcamAddress) else {
      throw ValidationError("The hub named no address for dcam.")
    }
    return BenchInstall(
      key: key, chain: try answer.chain.map { try Certificate(der: $0) },
      roots: try answer.roots.map { try Certificate(der: $0) }, dcam: dcam)
  }
}

struct BenchInstall: Sendable {
  let key: P256PrivateKey
  let chain: [Certificate]
  let roots: [Certificate]
  let dcam: HostAndPort

  var tls: TLSConfiguration {
    get throws {
      TLSConfiguration(trust: .authorities(roots), identity: try TLSConfiguration.Identity(chain: chain, key: key))
    }
  }

  /// grpc-swift-nio-transport with the same identity.
  /// - Parameter compresses: whether messages may be compressed, both ways.
  func plainTransport(compresses: Bool, group: any EventLoopGroup) throws -> HTTP2ClientTransport.Posix {
    let key = TLSConfig.PrivateKeySource.bytes(Array(try key.pem().utf8), format: .pem)
    return try HTTP2ClientTransport.Posix(
      target: .ipv4(address: dcam.host, port: Int(dcam.port)),
      transportSecurity: .mTLS(certificateChain: chain.map { .bytes($0.der, format: .der) }, privateKey: key) {
        $0.trustRoots = .certificates(roots.map { .bytes($0.der, format: .der) })
      },
      config: .defaults { config in
        config.http2.targetWindowSize = 1 << 20
        config.compression.enabledAlgorithms = compresses ? [.gzip] : []
      },
      eventLoopGroup: group)
  }

  static func hello(_ journal: JournalReference, heads: [RecordPosition]) -> Printtrail_Dcam_V1_AgentMessage {
    .with {
      $0.hello.journalID = Data(journal.id)
      $0.hello.journalPublicKey = Data(journal.publicKey.rawRepresentation)
      $0.hello.agentVersion = "bench"
      $0.hello.heads = heads.map { head in .with { ($0.epoch, $0.sequence) = (head.epoch, head.sequence) } }
    }
  }
}

extension UUID {
  fileprivate var bytes: [UInt8] { withUnsafeBytes(of: uuid) { Array($0) } }
}
