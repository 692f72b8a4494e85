// From a browser's request at a session's origin to the device, and back.
//
//     Host ──> origin ──> cookie ──> standing ──> RequestRules ──> tunnel ──> ResponseRules ──> links of pages rewritten ──> browser
//
// Whatever is not exactly a session of whoever asks gets the same answer: 404, and nothing more. One request of a connection is answered after the other;
// bodies stream both ways as fast as the slower side takes them, but for pages that are rewritten, which are held up to `LinkRewriter.bytesMax`.

internal import DevicePages
internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP1
internal import NIOHTTP2
internal import Synchronization

struct RemoteProxy: Sendable {
  typealias Writer = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
  typealias Parts = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator

  static let enterPath = "/.printtrail/enter"
  private static let keyBytesMax = 64
  static let tooMany = "Too much is asked for at once. Try again in a moment."

  let gate: RemoteGate
  let sessions: TunnelSessions
  let domain: RemoteDomainBox
  let strangers: StrangerLog
  /// Requests and WebSockets that are under way.
  let requests = SessionTally(max: HubLimits.remoteRequestsPerSessionMax)

  func serve(_ browser: RemoteWebListener.Browser, _ visitor: Visitor) async {
    let peer = Self.peer(browser.channel)
    do {
      try await browser.executeThenClose { inbound, outbound in
        var parts = inbound.makeAsyncIterator()
        while let part = try await parts.next(isolation: #isolation) {
          guard case .head(let head) = part else { continue }
          let request = RemoteRequest(head, peer: peer, visitor)
          visitor.asks()
          guard try await answer(request, &parts, outbound), head.isKeepAlive else { break }
          visitor.isAnswered()
        }
        // What was written may wait for the browser still: only this side is closed, after that.
        outbound.finish()
        try await Self.farewell(&parts, visitor)
      }
    } catch {
      // The browser went, or the device broke its answer off: closing the connection is what is left to say.
    }
  }

  /// Reads on for a moment: a browser whose connection is reset while it sends does not show the answer.
  private static func farewell(_ parts: inout Parts, _ visitor: Visitor) async throws {
    let channel = visitor.channel
    let end = channel.eventLoop.scheduleTask(in: TimeAmount(HubLimits.remoteFarewellMax)) {
      channel.close(promise: nil)
    }
    defer { end.cancel() }
    var count = 0
    while count <= HubLimits.remoteStrangerBytesMax, let part = try await parts.next(isolation: #isolation) {
      if case .body(let buffer) = part { count += buffer.readableBytes }
    }
  }

  static func peer(_ channel: any Channel) -> String {
    guard let address = channel.remoteAddress?.ipAddress else { return "unknown" }
    return address.contains(":") ? "ipv6:[\(address)]" : "ipv4:\(address)"
  }

  // MARK: Who asks

  /// - Returns: whether the connection can take another request.
  private func answer(_ request: RemoteRequest, _ parts: inout Parts, _ writer: Writer) async throws -> Bool {
    guard let domain = domain.value, let origin = SessionOrigin(host: request.host, domain: domain) else {
      return try await tellNothing(request, &parts, writer)
    }
    if request.path.hasPrefix("/.printtrail/enter") { return try await enter(origin, request, &parts, writer) }
    let visit: RemoteVisit?
    do { visit = try await gate.visit(origin, cookies: request.fields.values("cookie")) } catch {
      return try await tell(503, "The hub cannot look it up now. Try again in a moment.\n", request, &parts, writer)
    }
    guard let visit else {
      strangers.note(request.peer)
      return try await tellNothing(request, &parts, writer)
    }
    if case .refused(let why) = visit.standing {
      return try await tellOver(why, request, &parts, writer)
    }
    guard request.visitor.isOfSession() else { return try await tell(503, Self.tooMany, request, &parts, writer) }
    if let refusal = refusal(request, ownOrigin: origin.url(in: domain)) {
      return try await tell(refusal.status, refusal.sentence, title: "Refused", request, &parts, writer)
    }
    if request.path.hasPrefix(LinkRewriter.switchPath) {
      return try await go(visit, request, origin.url(in: domain), &parts, writer)
    }
    guard !request.path.hasPrefix("/.printtrail/") else {
      return try await tellNothing(request, &parts, writer)
    }
    return try await counted(request, visit, origin.url(in: domain), &parts, writer)
  }

  private func counted(
    _ request: RemoteRequest, _ visit: RemoteVisit, _ ownOrigin: String, _ parts: inout Parts, _ writer: Writer
  ) async throws -> Bool {
    guard requests.begins(visit.session.number) else {
      return try await tell(503, Self.tooMany, request, &parts, writer)
    }
    defer { requests.ends(visit.session.number) }
    return try await forward(request, visit, ownOrigin, &parts, writer)
  }

  /// What is asked of no device, whoever asks.
  private func refusal(_ request: RemoteRequest, ownOrigin: String) -> (status: Int, sentence: String)? {
    guard request.path.hasPrefix("/"), request.path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      return (400, "The address is not one that is read here.")
    }
    if ["CONNECT", "TRACE"].contains(request.method) { return (405, "This method is not passed to devices.") }
    if request.fields["service-worker"] != nil {
      return (403, "Devices' pages install no service workers here.")
    }
    // A link from elsewhere may lead here; nothing else of another site's may. Browsers without these fields send the origin with all but GET and HEAD.
    let site = request.fields["sec-fetch-site"]
    let isLink = ["GET", "HEAD"].contains(request.method) && request.fields["sec-fetch-mode"] == "navigate"
    let isForeign = request.fields["origin"].map { $0 != ownOrigin && $0 != "null" } ?? false
    if (site == "cross-site" || site == "same-site") && !isLink || isForeign {
      return (403, "Another site's page asked for this.")
    }
    if request.fields["upgrade"] != nil { return (502, "The device opened no WebSocket.") }
    return nil
  }

  // MARK: What the hub answers itself

  private func enter(
    _ origin: SessionOrigin, _ request: RemoteRequest, _ parts: inout Parts, _ writer: Writer
  ) async throws -> Bool {
    let url = domain.value.map { origin.url(in: $0) }
    switch (request.method, request.path) {
    case ("GET", Self.enterPath):
      return try await send(
        200, RemotePages.headers(type: "text/html; charset=utf-8"), RemotePages.enter, request, &parts, writer)
    case ("GET", Self.enterPath + ".js"):
      return try await send(
        200, RemotePages.headers(type: "text/javascript; charset=utf-8"), RemotePages.script, request, &parts, writer)
    case ("POST", Self.enterPath):
      // No form and no other site's script can send this header with this origin.
      guard request.fields["x-printtrail"] == "1", request.fields["origin"] == url else {
        return try await tellNothing(request, &parts, writer)
      }
      guard let key = try await body(&parts), let cookie = try? await gate.enter(origin, key: key, peer: request.peer)
      else { return try await tellNothing(request, &parts, writer, isRead: true) }
      let set = "\(RemoteGate.cookieName)=\(cookie); Path=/; Secure; HttpOnly; SameSite=Strict"
      // The origin is new: what a browser has for it already, pages at other sessions' origins have set for all that are below the domain.
      let tossed = domain.value.map { TossedCookies.removal(request.fields.values("cookie"), in: $0) } ?? []
      let cookies = ([set] + tossed).map { ("set-cookie", $0) }
      return try await send(
        204, RemotePages.headers(type: "text/plain") + cookies, "", request, &parts, writer, isRead: true)
    default: return try await tellNothing(request, &parts, writer)
    }
  }

  private func body(_ parts: inout Parts) async throws -> String? {
    var bytes: [UInt8] = []
    while let part = try await parts.next(isolation: #isolation) {
      switch part {
      case .body(let buffer):
        guard bytes.count + buffer.readableBytes <= Self.keyBytesMax else { throw ChannelError.inputClosed }
        bytes.append(contentsOf: buffer.readableBytesView)
      case .end: return String(validating: bytes, as: UTF8.self)
      case .head: return nil
      }
    }
    return nil
  }

  /// A link of the device's to another of its targets (`LinkRewriter`). Who follows it goes over to that target, with all of his tabs; a picture or a style that
  /// lies there is asked for there, and nothing goes over.
  private func go(
    _ visit: RemoteVisit, _ request: RemoteRequest, _ ownOrigin: String, _ parts: inout Parts, _ writer: Writer
  ) async throws -> Bool {
    let rest = request.path.dropFirst(LinkRewriter.switchPath.utf8.count)
    let words = rest.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count >= 2, let named = DeviceTarget("\(words[0]):\(words[1].prefix { $0 != "?" })"),
      let target = visit.place.leading(to: named)
    else { return try await tellNothing(request, &parts, writer) }
    // Browsers read a backslash as a slash: after the first, neither may lead to another host.
    let path = words.count > 2 ? "/" + words[2].drop { $0 == "/" || $0 == "\\" } : "/"
    guard request.isNavigation else {
      var (asked, place) = (request, visit.place)
      (asked.path, place.current) = (path, target)
      let there = RemoteVisit(session: visit.session, standing: visit.standing, place: place)
      return try await counted(asked, there, ownOrigin, &parts, writer)
    }
    try await gate.go(to: target, visit)
    // A form is sent there as it is (RFC 9110, section 15.4.8).
    return try await send(
      ["GET", "HEAD"].contains(request.method) ? 302 : 307,
      RemotePages.headers(type: "text/plain") + [("location", path)], "", request, &parts, writer)
  }

  func tellOver(
    _ why: String, _ request: RemoteRequest, _ parts: inout Parts, _ writer: Writer
  ) async throws -> Bool {
    try await tell(403, why, title: "This page is closed", isOver: true, request, &parts, writer)
  }

  /// The same, as late, for whatever is not exactly a session of whoever asks.
  private func tellNothing(
    _ request: RemoteRequest, _ parts: inout Parts, _ writer: Writer, isRead: Bool = false
  ) async throws -> Bool {
    try await Task.sleep(for: HubLimits.remoteRefusalDelay)
    return try await tell(404, RemotePages.nothing, request, &parts, writer, isRead: isRead)
  }

  /// - Parameter isOver: what the browser keeps of the origin is to go.
  func tell(
    _ status: Int, _ sentence: String, title: String? = nil, isOver: Bool = false, _ request: RemoteRequest,
    _ parts: inout Parts, _ writer: Writer, isRead: Bool = false
  ) async throws -> Bool {
    let isPage = title != nil && (request.fields["accept"] ?? "").contains("text/html")
    var headers = RemotePages.headers(type: isPage ? "text/html; charset=utf-8" : "text/plain; charset=utf-8")
    if isOver { headers.append(("clear-site-data", "\"cache\", \"storage\"")) }
    return try await send(
      status, headers, isPage ? RemotePages.page(title ?? "", sentence) : sentence, request, &parts, writer,
      isRead: isRead)
  }

  /// - Parameter isRead: whether the request's body was read already.
  private func send(
    _ status: Int, _ headers: [(String, String)], _ text: String, _ request: RemoteRequest, _ parts: inout Parts,
    _ writer: Writer, isRead: Bool = false
  ) async throws -> Bool {
    var head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: status), headers: HTTPHeaders(headers))
    if status != 204 { head.headers.replaceOrAdd(name: "content-length", value: "\(text.utf8.count)") }
    try await writer.write(.head(head))
    if request.method != "HEAD", !text.isEmpty { try await writer.write(.body(.byteBuffer(ByteBuffer(string: text)))) }
    try await writer.write(.end(nil))
    return isRead ? true : try await drained(&parts, upTo: request.visitor.drainedBytesMax)
  }

  /// Reads the rest of a request that was answered already.
  ///
  /// - Returns: false where it is too long to wait for.
  private func drained(_ parts: inout Parts, upTo most: Int) async throws -> Bool {
    var count = 0
    while let part = try await parts.next(isolation: #isolation) {
      switch part {
      case .body(let buffer):
        count += buffer.readableBytes
        guard count <= most else { return false }
      case .end: return true
      case .head: return false
      }
    }
    return false
  }
}

/// A request's head, as the rules have it.
struct RemoteRequest: Sendable {
  let method: String
  var path: String
  let host: String
  let fields: Fields
  let peer: String
  /// Whose connection it came over.
  let visitor: Visitor

  init(_ head: HTTPRequestHead, peer: String, _ visitor: Visitor) {
    self.visitor = visitor
    method = head.method.rawValue
    path = head.uri
    // Several hosts are none: whoever stands between could read another one than this does.
    let hosts = head.headers["host"]
    host = hosts.count == 1 ? hosts[0] : ""
    fields = Fields(head.headers.map { ($0.name, $0.value) })
    self.peer = peer
  }
}

extension RemoteRequest {
  /// Whether a window or a frame goes where this leads (Fetch Metadata, section 2.1). A browser that does not say so is taken to.
  var isNavigation: Bool {
    switch fields["sec-fetch-dest"] {
    case nil, "document", "iframe", "frame", "embed", "object": true
    default: false
    }
  }
}

/// Tells the log of those who come to a session's origin without being its user: one a second, and how many there were since the last.
final class StrangerLog: Sendable {
  private struct State {
    var told: ContinuousClock.Instant?
    var count = 0
  }

  private let logger: Logger
  private let state = Mutex(State())

  init(_ logger: Logger) { self.logger = logger }

  func note(_ peer: String) {
    let count = state.withLock { state -> Int? in
      state.count += 1
      let now = ContinuousClock.now
      if let told = state.told, told.advanced(by: .seconds(1)) > now { return nil }
      defer { (state.told, state.count) = (now, 0) }
      return state.count
    }
    guard let count else { return }
    logger.notice(
      "a device's page was asked for without a session that is the asker's",
      metadata: ["peer": "\(peer)", "requests": "\(count)"])
  }
}

/// What each session has under way, up to a number.
final class SessionTally: Sendable {
  private let max: Int
  private let counts = Mutex<[Int64: Int]>([:])

  init(max: Int) { self.max = max }

  /// Counts one more until `ends`; false where there are too many.
  func begins(_ session: Int64) -> Bool {
    counts.withLock { counts in
      guard counts[session, default: 0] < max else { return false }
      counts[session, default: 0] += 1
      return true
    }
  }

  func ends(_ session: Int64) {
    counts.withLock { counts in
      let left = (counts[session] ?? 1) - 1
      counts[session] = left > 0 ? left : nil
    }
  }
}

/// The domain of sessions' origins, whose port is known once the port is open.
final class RemoteDomainBox: Sendable {
  private let domain = Mutex<RemoteDomain?>(nil)

  var value: RemoteDomain? {
    get { domain.withLock { $0 } }
    set { domain.withLock { $0 = newValue } }
  }
}
