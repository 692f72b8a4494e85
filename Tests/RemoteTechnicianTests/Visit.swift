// A session between a hub and a device, as tests need one.

internal import DeviceHTTP
internal import Discovery
internal import Events
internal import HTTP2
internal import RemoteTechnician
internal import Synchronization
internal import TLS

/// What would be in the journal.
final class Records: RemoteJournal {
  struct Full: Error {}

  private struct State {
    var bodies: [EventBody] = []
    var isFull = false
  }

  private let state = Mutex(State())

  func append(_ body: EventBody, of device: DeviceID) async throws -> UInt64 {
    try state.withLock { state in
      guard !state.isFull else { throw Full() }
      state.bodies.append(body)
      return UInt64(state.bodies.count)
    }
  }

  func fill() { state.withLock { $0.isFull = true } }

  var bodies: [EventBody] { state.withLock { $0.bodies } }
  var requests: [RemoteRequest] {
    bodies.compactMap { if case .remoteRequest(let body) = $0 { body } else { nil } }
  }
  var begun: [RemoteRequestBegun] {
    bodies.compactMap { if case .remoteRequestBegun(let body) = $0 { body } else { nil } }
  }
  var changed: [RemoteCertificate] {
    bodies.compactMap { if case .remoteCertificateChanged(let body) = $0 { body } else { nil } }
  }
  var closed: RemoteSessionClosed? {
    bodies.compactMap { if case .remoteSessionClosed(let body) = $0 { body } else { nil } }.last
  }

  /// Waits for a request's record, which comes after its answer.
  func request(_ number: Int = 0) async throws -> RemoteRequest {
    while requests.count <= number { try await Task.sleep(for: .milliseconds(5)) }
    return requests[number]
  }
}

struct Answer {
  var status = 0
  var headers: [HTTP2Header] = []
  var body: [UInt8] = []

  var error: String? { headers.first(named: "pt-error") }
  var text: String { String(decoding: body, as: UTF8.self) }
}

/// One session that is open.
final class Visit: Sendable {
  static let device = DeviceID((0..<16).map { UInt8($0 * 17) })!
  static let job = JobID([UInt8](repeating: 7, count: 16))!
  /// Where tests' devices are, which else would be no device's address.
  static let loopback: AddressSet = AddressSet([AddressRange(IPv4Address(0x7f00_0001))])

  let records: Records
  let session: RemoteSession
  let hub: HTTP2Connection
  private let running: Task<RemoteEnd, any Error>
  private let fakeHub: FakeHub

  init(
    ports: [UInt16], seconds: UInt32 = 900, allowsOldTLS: Bool = false, pins: CertificatePins? = nil,
    records: Records = Records(), closesFirst: Int = 0, absence: @escaping @Sendable () -> String? = { nil },
    hub change: (inout HTTP2Configuration) -> Void = { _ in }, limits: (inout RemoteLimits) -> Void = { _ in }
  ) async throws {
    let fakeHub = try await FakeHub(closesFirst: closesFirst)
    var bounds = RemoteLimits()
    limits(&bounds)
    let order = RemoteOrder(
      job: Self.job, visit: JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: seconds),
      rules: try TargetRules(
        device: Self.device, address: IPv4Address(0x7f00_0001), ports: ports, allowed: Self.loopback, own: []),
      evidence: "serial X", targets: ports.map { "http:\($0)" }, names: ["127.0.0.1", "npi3f2a"],
      allowsOldTLS: allowsOldTLS)
    let session = RemoteSession(
      order, limits: bounds, pins: pins ?? CertificatePins(pinned: [:], standing: []), journal: records)
    let tls = try TestKeys.shared.configuration()
    let endpoint = TLS.Endpoint(host: "127.0.0.1", port: fakeHub.port)
    running = Task { try await session.run(to: endpoint, tls: tls, absence: absence) }
    (self.records, self.session, self.fakeHub) = (records, session, fakeHub)
    hub = try await fakeHub.connection(change)
  }

  func cancel() { running.cancel() }

  /// How it ended.
  func end() async throws -> RemoteEnd { try await running.value }

  /// Ends it from the agent's side and waits for that.
  func close() async throws {
    session.end(RemoteEnd(.closed, "It was ended at the agent."))
    _ = try await end()
  }

  func stream(
    _ method: String, _ path: String, port: UInt16, scheme: String = "http", headers: [HTTP2Header] = [],
    authority: String? = nil, endStream: Bool = true
  ) throws -> HTTP2Stream {
    try hub.openStream(
      [
        HTTP2Header(":method", method), HTTP2Header(":scheme", scheme),
        HTTP2Header(":authority", authority ?? "\(Self.device):\(port)"), HTTP2Header(":path", path),
      ] + headers, endStream: endStream)
  }

  func ask(
    _ method: String, _ path: String, port: UInt16, scheme: String = "http", headers: [HTTP2Header] = [],
    body: [UInt8]? = nil, authority: String? = nil
  ) async throws -> Answer {
    let stream = try stream(
      method, path, port: port, scheme: scheme, headers: headers, authority: authority, endStream: body == nil)
    if let body { try await stream.send(body, endStream: true) }
    return try await Self.answer(on: stream)
  }

  func ask(
    _ path: String, port: UInt16, scheme: String = "http", headers: [HTTP2Header] = [], authority: String? = nil
  ) async throws -> Answer {
    try await ask("GET", path, port: port, scheme: scheme, headers: headers, authority: authority)
  }

  static func answer(on stream: HTTP2Stream) async throws -> Answer {
    var answer = Answer()
    while let part = try await stream.next() {
      switch part {
      case .headers(let fields):
        answer.status = fields.first(named: ":status").flatMap { Int($0) } ?? 0
        answer.headers = fields
      case .data(let bytes): answer.body += bytes
      case .trailers: break
      }
    }
    return answer
  }
}
