// A whole hub on loopback sockets, in this process, and calls to it by grpc-swift-nio-transport.

internal import FoundationEssentials
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import HubProtocol
@testable internal import HubServer
internal import Logging
internal import OpenSSL
internal import SwiftProtobuf
internal import Synchronization
internal import TestPrograms
internal import Testing

struct TestHub: Sendable {
  let directory: HubDirectory
  let store: SQLStore
  let ready: Hub.Ready
  let clock: TestClock

  /// Makes a hub, serves it while `body` runs, and ends it.
  static func run(
    clock: TestClock = TestClock(), log: TestLog = TestLog(), _ body: @Sendable @escaping (TestHub) async throws -> Void
  ) async throws {
    let place = try TestDirectory()
    let directory = try HubDirectory.create(at: place.path + "/hub", names: ["hub.example.org"], clock: clock.clock)
    try await serve(directory, clock: clock, log: log, body)
    withExtendedLifetime(place) {}
  }

  /// - Parameter configure: changes what is served.
  static func serve(
    _ directory: HubDirectory, clock: TestClock, log: TestLog = TestLog(),
    configure: @Sendable (inout Hub.Configuration) -> Void = { _ in },
    _ body: @Sendable @escaping (TestHub) async throws -> Void
  ) async throws {
    let anywhere = HubServer.Endpoint(host: "127.0.0.1", port: 0)
    var configuration = Hub.Configuration(csr: anywhere, dcam: anywhere, hc: anywhere)
    configuration.metrics = anywhere
    configure(&configuration)
    let hub = try Hub(
      directory: directory, configuration: configuration, clock: clock.clock,
      logger: Logger(label: "test") { _ in LineLogHandler(format: .json, clock: clock.clock) { log.add($0) } })
    let (announcements, announce) = AsyncStream.makeStream(of: Hub.Ready.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { announce.finish() }
        do { try await hub.run { announce.yield($0) } } catch is CancellationError {
          // The test is over.
        }
      }
      for await ready in announcements.prefix(1) {
        let store = try directory.openStore(at: configuration.store)
        if try await store.entities().isEmpty { try await store.addEntity(named: "Acme", now: clock.now) }
        try await body(TestHub(directory: directory, store: store, ready: ready, clock: clock))
      }
      group.cancelAll()
    }
  }

  // MARK: Metrics

  /// The answer of the metrics' listener, by curl.
  func ask(_ path: String) async throws -> (status: Int, body: String) {
    let port = try #require(ready.metrics).port
    let text = try await ChildProgram.running(
      "/usr/bin/curl", ["-sS", "--max-time", "20", "-w", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"]
    ).output
    let split = text.lastIndex(of: "\n") ?? text.startIndex
    return (Int(text[split...].dropFirst()) ?? 0, String(text[..<split]))
  }

  /// One sample, by its name with its labels.
  func metric(_ name: String) async throws -> Double {
    let body = try await ask("/metrics").body
    let line = try #require(body.split(separator: "\n").first { $0.hasPrefix(name + " ") }, "there is no \(name)")
    return try #require(Double(line.dropFirst(name.count + 1)))
  }

  // MARK: Registry

  func code(uses: Int = 1, validity: Duration = .seconds(3_600)) async throws -> DataLinkCode {
    let code = DataLinkCode()
    _ = try await store.addCode(
      hash: code.hash(in: directory), entity: "Acme", usesMax: uses, expiresAt: clock.now + validity.milliseconds,
      now: clock.now)
    return code
  }

  /// An enrolled agent.
  func agent(_ journal: TestJournal) async throws -> (agent: TestAgent, install: String) {
    var agent = TestAgent(root: directory.authority.rootDER)
    let response = try await enroll(Self.enrolment(try await code(), agent, journal))
    agent.certificate = Array(try #require(response.certificateChain.first))
    return (agent, response.installID)
  }

  static func enrolment(
    _ code: DataLinkCode, _ agent: TestAgent, _ journal: TestJournal, id: UInt8 = 1
  ) throws -> Printtrail_Csr_V1_EnrollRequest {
    var request = Printtrail_Csr_V1_EnrollRequest()
    request.datalinkCode = code.text
    request.enrolmentID = Data(repeating: id, count: 16)
    request.enrolmentID.replaceSubrange(8..<16, with: withUnsafeBytes(of: UInt64.random(in: 0 ... .max)) { Data($0) })
    request.certificateRequest = Data(try agent.request())
    request.journalID = Data(journal.id)
    request.journalPublicKey = Data(journal.key.publicKey.rawRepresentation)
    request.machine.hostName = "pc\u{1B}[31m-17"
    request.machine.operatingSystem = "Debian 12"
    request.machine.agentVersion = "0.1.0"
    return request
  }

  // MARK: Calls

  func enroll(_ request: Printtrail_Csr_V1_EnrollRequest) async throws -> Printtrail_Csr_V1_EnrollResponse {
    try await call(ready.csr, TestAgent(root: directory.authority.rootDER)) { client in
      try await Printtrail_Csr_V1_CertificateSigning.Client(wrapping: client).enroll(request)
    }
  }

  func renew(_ agent: TestAgent, at endpoint: HubServer.Endpoint? = nil) async throws -> Printtrail_Csr_V1_RenewResponse
  {
    var request = Printtrail_Csr_V1_RenewRequest()
    request.certificateRequest = Data(try agent.request())
    return try await call(endpoint ?? ready.csr, agent) { [request] client in
      try await Printtrail_Csr_V1_CertificateSigning.Client(wrapping: client).renew(request)
    }
  }

  /// - Parameter compression: of the request; answers may have it as well then.
  func checkIn(
    _ request: Printtrail_Dcam_V1_CheckInRequest, _ agent: TestAgent, compression: CompressionAlgorithm = .none
  ) async throws -> Printtrail_Dcam_V1_CheckInResponse {
    try await Self.call(port: ready.dcam.port, agent, compression: compression) { client in
      try await Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client).checkIn(request)
    }
  }

  /// Opens a delivery stream and lets `talk` use it.
  /// - Parameter timeout: what the caller tells as its deadline; nil: none.
  func converse(
    _ agent: TestAgent, timeout: Duration? = nil, _ talk: @Sendable @escaping (Conversation) async throws -> Void
  ) async throws {
    try await Self.converse(agent, port: ready.dcam.port, timeout: timeout, talk)
  }

  static func converse(
    _ agent: TestAgent, port: Int, timeout: Duration? = nil,
    _ talk: @Sendable @escaping (Conversation) async throws -> Void
  ) async throws {
    try await call(port: port, agent) { client in
      let (outgoing, send) = AsyncStream.makeStream(of: Printtrail_Dcam_V1_AgentMessage.self)
      let request = StreamingClientRequest<Printtrail_Dcam_V1_AgentMessage> { writer in
        for await message in outgoing { try await writer.write(message) }
      }
      var options = CallOptions.defaults
      options.timeout = timeout
      try await Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client).stream(
        request: request, options: options
      ) { response in
        defer { send.finish() }
        let (incoming, receive) = AsyncThrowingStream.makeStream(of: Printtrail_Dcam_V1_HubMessage.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            do {
              for try await message in response.messages { receive.yield(message) }
              receive.finish()
            } catch {
              receive.finish(throwing: error)
            }
          }
          defer { group.cancelAll() }
          try await talk(Conversation(send: send, messages: incoming))
        }
      }
    }
  }

  func call<Result: Sendable>(
    _ endpoint: HubServer.Endpoint, _ agent: TestAgent,
    _ body: @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Result
  ) async throws -> Result {
    try await Self.call(port: endpoint.port, agent, body)
  }

  private static func call<Result: Sendable>(
    port: Int, _ agent: TestAgent, compression: CompressionAlgorithm = .none,
    _ body: @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Result
  ) async throws -> Result {
    let transport = try HTTP2ClientTransport.Posix(
      target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: agent.security,
      config: .defaults { config in
        config.http2.authority = "localhost"
        config.compression.algorithm = compression
        config.compression.enabledAlgorithms = compression == .none ? [] : [.gzip]
      })
    return try await withGRPCClient(transport: transport) { client in try await body(client) }
  }
}

/// What a hub logged: a JSON object a line.
final class TestLog: Sendable {
  private let lines = Mutex<[[String: String]]>([])

  func add(_ line: String) {
    let fields = try? JSONDecoder().decode([String: String].self, from: Data(line.utf8))
    lines.withLock { $0.append(fields ?? ["msg": "no JSON: \(line)"]) }
  }

  /// The lines with this message.
  subscript(_ message: String) -> [[String: String]] { lines.withLock { $0.filter { $0["msg"] == message } } }
}

/// One open delivery stream, seen from the agent.
struct Conversation: Sendable {
  private let outgoing: AsyncStream<Printtrail_Dcam_V1_AgentMessage>.Continuation
  private let messages: AsyncThrowingStream<Printtrail_Dcam_V1_HubMessage, any Error>

  init(
    send: AsyncStream<Printtrail_Dcam_V1_AgentMessage>.Continuation,
    messages: AsyncThrowingStream<Printtrail_Dcam_V1_HubMessage, any Error>
  ) {
    outgoing = send
    self.messages = messages
  }

  func send(_ hello: Printtrail_Dcam_V1_Hello) { outgoing.yield(.with { $0.hello = hello }) }
  func send(_ batch: Printtrail_Dcam_V1_Batch) { outgoing.yield(.with { $0.batch = batch }) }
  func send(_ checkpoint: Printtrail_Dcam_V1_SealedCheckpoint) { outgoing.yield(.with { $0.checkpoint = checkpoint }) }

  func send(lost: Printtrail_Dcam_V1_Lost) { outgoing.yield(.with { $0.lost = lost }) }
  /// A message of no kind.
  func sendNothing() { outgoing.yield(Printtrail_Dcam_V1_AgentMessage()) }

  /// Says that nothing more will be sent.
  func finish() { outgoing.finish() }

  /// The next message; nil when the hub ended the stream well.
  func next() async throws -> Printtrail_Dcam_V1_HubMessage? {
    for try await message in messages { return message }
    return nil
  }

  /// Reads up to and with the acknowledgement of `sequence` and returns what came before.
  func acknowledged(_ sequence: UInt64) async throws -> [Printtrail_Dcam_V1_HubMessage] {
    var others: [Printtrail_Dcam_V1_HubMessage] = []
    while let message = try await next() {
      if case .acknowledgement(let acknowledgement)? = message.message {
        if acknowledgement.sequence >= sequence { return others }
      } else {
        others.append(message)
      }
    }
    throw HubError(.unavailable, "the stream ended before sequence \(sequence) was acknowledged")
  }

  /// Greets and returns the answer.
  func greet(_ journal: TestJournal) async throws -> Printtrail_Dcam_V1_Welcome {
    send(journal.hello)
    return try #require(try await next()).welcome
  }
}

/// The status with which `work` fails; nil if it does not.
func status(_ work: () async throws -> Void) async throws -> RPCError? {
  do {
    try await work()
    return nil
  } catch let error as RPCError {
    return error
  }
}
