// The request a session has in flight, and the identifiers requests are known by.

internal import MIB

/// What a session remembers of the request in flight.
struct Pending: Sendable {
  struct SentMessage: Sendable {
    let id: Int32
    let at: ContinuousClock.Instant
  }

  let request: Request
  let requestID: Int32
  let begun: ContinuousClock.Instant
  /// The device was not heard for long, so that its first answer may take seconds.
  var mayBeAsleep = false
  /// Sends since the device last corrected us; the retries are counted by these.
  var sends = 0
  var sendsInAll = 0
  var sentAt: ContinuousClock.Instant
  var deadline: ContinuousClock.Instant
  /// The bytes SNMPv1 and v2c repeat.
  var datagram: [UInt8]?
  /// The SNMPv3 messages that may still be answered.
  var messages: [SentMessage] = []
  var requestBytes = 0
  var responseBytes = 0
  var malformed: BERError?
  var malformedCount = 0
  /// Answers that carry no id of ours: the device, or what stands before it, mixes them up.
  var strangers = 0
  var notAuthenticCount = 0
  var resynchronizations = 0
  var rediscoveries = 0

  init(request: Request, requestID: Int32, begun: ContinuousClock.Instant) {
    self.request = request
    self.requestID = requestID
    self.begun = begun
    sentAt = begun
    deadline = begun
  }

  /// What to call it when nothing usable came: the nonsense that did come tells more than "timeout".
  var failureAtTimeout: SessionFailure {
    if notAuthenticCount > 0 { return .authentication(.responseNotAuthentic) }
    if let malformed { return .malformed(malformed) }
    return .timeout(sends: sendsInAll, strangers: strangers)
  }

  func pdu(_ version: CommunityVersion) -> PDU {
    switch request {
    case .get(let names): PDU(.get, requestID: requestID, names: names)
    case .getNext(let names): PDU(.getNext, requestID: requestID, names: names)
    case .getBulk(let names, _, _) where version == .v1: PDU(.getNext, requestID: requestID, names: names)
    case .getBulk(let names, let nonRepeaters, let maxRepetitions):
      PDU(
        getBulk: names, requestID: requestID, nonRepeaters: Int32(clamping: nonRepeaters),
        maxRepetitions: Int32(clamping: maxRepetitions))
    }
  }
}

/// Request ids, message ids and salts: counted on from random beginnings, so that they neither repeat soon nor can be guessed
/// by somebody who does not see the traffic.
struct IdentifierSource: Sendable {
  private var id: UInt64
  private var salt: UInt64

  init(seed: UInt64) {
    id = Self.mixed(seed)
    salt = Self.mixed(seed &+ 1)
  }

  /// 1...2^31-1: some agents take ids for unsigned, or 0 for none.
  mutating func nextID() -> Int32 {
    id &+= 1
    return Int32(Self.mixed(id) % UInt64(Int32.max)) + 1
  }

  /// For another source, whose numbers are others.
  mutating func nextSeed() -> UInt64 {
    UInt64(UInt32(bitPattern: nextID())) << 32 | UInt64(UInt32(bitPattern: nextID()))
  }

  mutating func nextSalt() -> UInt64 {
    salt &+= 1
    return salt
  }

  /// SplitMix64's output function (Steele, Lea and Flood 2014): a bijection without visible structure.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// The ids of requests that are over, to tell a late answer from a stranger's.
struct RecentIdentifiers: Sendable {
  /// A device answers late by a few requests at most.
  private static let countMax = 16

  private var ids: [Int32] = []

  mutating func insert(_ id: Int32) {
    if ids.count >= Self.countMax { ids.removeFirst() }
    ids.append(id)
  }

  func contains(_ id: Int32) -> Bool { ids.contains(id) }
}

extension CommunityVersion {
  var snmp: SNMPVersion { self == .v1 ? .v1 : .v2c }
}
