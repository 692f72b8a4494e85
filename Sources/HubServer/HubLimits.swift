// Every limit of the hub, with its reason. A limit that a peer can reach is answered with a status, never with a trap.

package enum HubLimits {
  // MARK: Delivery

  /// Records that an agent may have under way unacknowledged (`Welcome.window_records`): at 300 bytes each about 6 MB,
  /// one second of the fastest agent that was measured.
  package static let windowRecords: UInt32 = 20_000
  /// The payload bytes of one batch (`Welcome.batch_bytes_max`). Large enough that the cost per batch vanishes, small
  /// enough that a slow link acknowledges every few seconds.
  package static let batchBytesMax = 1 << 20
  /// Records in one batch: bounds the work of one message whose payloads are empty.
  package static let batchRecordsMax = 10_000
  /// One gRPC message: a full batch, and the framing of its records (about 50 bytes each). The transport resets the
  /// stream of a longer one without reading it.
  package static let messageBytesMax = batchBytesMax + batchRecordsMax * 64
  /// One payload. The journal keeps records under 2,000 bytes; this much is a full reading of the largest device with
  /// its raw values.
  package static let payloadBytesMax = 256 << 10
  /// Epochs of one install. One is opened per restored or salvaged journal; thousands of them are a fault, not a
  /// history.
  package static let epochsMax = 1_000
  /// Sequences above this do not fit SQLite's signed 64-bit integers.
  package static let sequenceMax = UInt64(Int64.max)
  /// A checkpoint is a signed note of some 200 bytes.
  package static let noteBytesMax = 4_096
  /// Records ahead of their turn in one call, and their payload bytes.
  package static let expressPerCallMax = 64
  package static let expressCallBytesMax = 1 << 20
  /// One payload that may come ahead of its turn: an alert has some hundred bytes.
  package static let expressPayloadBytesMax = 64 << 10
  /// What is kept of one install ahead of its turn: more alerts than that at once are no alerts any more.
  package static let expressRecordsMax = 1_000
  package static let expressBytesMax = 8 << 20
  /// Where there is no room, what came ahead this long ago gives way: its turn will not come, the journal was put back.
  package static let expressKept: Duration = .seconds(30 * 86_400)
  /// Rejections and conflicts of which a process remembers that it wrote them into the audit trail.
  package static let troublesRememberedMax = 10_000
  /// Rejections and conflicts, each, that a welcome repeats: answers that a cut stream took with it are about one window.
  package static let troublesRepeatedMax = 1_000
  /// Bytes of one stream that wait for the commit; beyond them the stream is not read, and HTTP/2 flow control slows
  /// the agent.
  package static let streamBytesMax = 2 * messageBytesMax
  /// Bytes of all streams together that wait for the commit.
  package static let waitingBytesMax = 256 << 20
  /// Payload bytes that go into one transaction, so that the first to wait is not held up by the last.
  package static let commitBytesMax = 16 << 20
  /// Simultaneous delivery streams of one hub process.
  package static let streamsMax = 20_000
  /// Streams of one install. A sound agent has one; one on a bad network leaves some behind that the hub holds for open until a ping fails. The
  /// oldest gives way, so that whoever has one identity cannot take the places of the others.
  package static let streamsPerInstallMax = 16
  /// A stream must say Hello within this time.
  package static let helloTimeout: Duration = .seconds(30)
  /// How often an install in normal mode is asked to check in.
  package static let checkInInterval: Duration = .seconds(300)
  /// What an agent that was refused for load is told to wait at most; each gets a random part of it.
  package static let retryAfter: Duration = .seconds(60)

  // MARK: Jobs

  /// How often a hub looks for jobs that were created: an operator waits.
  package static let jobWatchInterval: Duration = .milliseconds(500)
  /// How far back it looks: the clocks of hubs and of whoever creates jobs may be apart by this, and a transaction takes its time.
  package static let jobLookBack: Duration = .seconds(10)
  /// How often it looks at all that is due.
  package static let jobWholeLook: Duration = .seconds(60)
  /// How soon a job is sent again in one stream if its receipt does not come.
  package static let jobRepeated: Duration = .seconds(50)
  /// Jobs that one answer or one look sends: what agents take at once.
  package static let jobsAtOnceMax = 64
  /// Open jobs of one install: an agent that is away for long should not come back to more.
  package static let openJobsMax = 100
  /// How far away a deadline may be: agents take no more.
  package static let jobValidityMax: Duration = .seconds(7 * 86_400)
  /// For how long after its deadline an agent may tell how a job ended that it had received: it may be switched off over a weekend.
  package static let jobUnheardMax: Duration = .seconds(3 * 86_400)
  // MARK: Settings

  /// How often it is looked whether settings have changed, in whatever process: who sets one watches an agent take it.
  package static let settingsWatchInterval: Duration = .milliseconds(500)
  /// Entities from the root of their tree to the lowest: a dealer's regions, customers, sites, buildings and departments have room.
  package static let entityDepthMax = 16

  // MARK: Connections

  /// Concurrent calls of one connection: an agent needs one stream and one unary call.
  package static let streamsPerConnectionMax = 16
  /// The HTTP/2 window of a connection and of each of its streams: one second of a 4 Mbit/s link.
  package static let windowBytes = 512 << 10
  /// What a connection keeps of the memory that it wrote from: enough for acknowledgements and pings. Thousands of them are idle at any time.
  package static let idleWriteBytesMax = 1 << 10
  /// A connection that is silent this long is pinged, and closed if it does not answer within `keepaliveTimeout`.
  package static let keepaliveInterval: Duration = .seconds(60)
  package static let keepaliveTimeout: Duration = .seconds(20)
  /// The shortest interval at which agents may ping.
  package static let agentPingInterval: Duration = .seconds(10)
  /// What a graceful shutdown waits for streams to end by themselves.
  package static let shutdownGrace: Duration = .seconds(10)
  /// An orderly end takes no longer, whatever hangs; less than a service manager's patience, which is 90 seconds.
  package static let endingMax: Duration = .seconds(60)

  // MARK: Enrolment

  /// A PKCS#10 of a P-256 key has about 300 bytes.
  package static let certificateRequestBytesMax = 8_192
  /// Each text of `Machine`, in characters; longer ones are cut.
  package static let machineTextMax = 255
  /// Failed attempts of one address before it has to wait, and the time after which one more is allowed.
  package static let attemptsBurst = 10
  package static let attemptInterval: Duration = .seconds(6)
  /// Failed attempts of all addresses together: 96 random bits stay out of reach of any number of addresses.
  package static let attemptsOverallBurst = 600
  package static let attemptOverallInterval: Duration = .milliseconds(100)
  /// Addresses that the limiter remembers; the longest unseen is forgotten first.
  package static let attemptAddressesMax = 10_000
  /// How long an enrolment can be asked for again with the same id and key: a machine that was switched off over a
  /// weekend.
  package static let enrolmentRepeatWindow: Duration = .seconds(7 * 86_400)
  /// A code for one machine lives a day at most; a code for a roll-out a month.
  package static let oneTimeCodeValidityMax: Duration = .seconds(86_400)
  package static let limitedCodeValidityMax: Duration = .seconds(30 * 86_400)
  package static let codeUsesMax = 100_000
  package static let entityNameMax = 200

  // MARK: Certificates

  package static let rootValidity: Duration = .seconds(10 * 365 * 86_400)
  package static let serverValidity: Duration = .seconds(90 * 86_400)
  package static let clientValidity: Duration = .seconds(90 * 86_400)
  /// Agents' and hubs' clocks may differ by this much: certificates begin earlier and end later by it.
  package static let clockSkew: Duration = .seconds(15 * 60)
  /// How long the old certificate is good after the new one was first used: connections that were being made keep
  /// working.
  package static let supersededGrace: Duration = .seconds(15 * 60)
  /// How often the hub looks whether its own certificate is due.
  package static let serverRenewalCheckInterval: Duration = .seconds(3_600)

  /// Certificates of one install that were issued and never used: answers that were lost. More of them mean an agent gone wrong.
  package static let unusedCertificatesMax = 5
  /// Renewals of one install, and the time after which one more is allowed. An agent needs one in two months, and a few more where answers
  /// are lost.
  package static let renewalsBurst = 10
  package static let renewalInterval: Duration = .seconds(600)
  /// How often agents are asked to look what they are to the hub: what they learn there (another root) has months of time.
  package static let standingInterval: Duration = .seconds(6 * 3_600)
  /// How often a hub looks whose streams must end, and whether its roots were changed: what an operator waits for.
  package static let identityWatchInterval: Duration = .seconds(2)
  /// How far back it looks: the clock of whoever revoked may be behind by `clockSkew`, and the store may have been away for some minutes.
  package static let endedLookBack: Duration = .seconds(30 * 60)
  /// Two streams of one install which both bring something this long after the second was opened are of two agents: what was under way
  /// when an agent lost its connection has come in by then.
  package static let twinOverlap: Duration = .seconds(15)
  /// How often one install's identity is told to be in doubt.
  package static let doubtInterval: Duration = .seconds(3_600)

  // MARK: Operators

  /// In characters: a reason that says something, and that the audit trail keeps whole.
  package static let retirementReasonRange = 3...machineTextMax

  // MARK: Console

  /// A mail address is a user's name, too.
  package static let userNameMax = 100
  /// A session that nobody used for this long has ended; at the latest it ends after a working day.
  package static let sessionIdle: Duration = .seconds(30 * 60)
  package static let sessionLifetime: Duration = .seconds(12 * 3_600)
  /// How often the use of a session is written down: a part of `sessionIdle` that nobody notices.
  package static let sessionSeenInterval: Duration = .seconds(60)
  /// Sessions of one user; the oldest gives way.
  package static let sessionsPerUserMax = 10
  /// Logins of one user from one address that fail before it has to wait, and the time after which one more is allowed.
  package static let loginsBurst = 5
  package static let loginInterval: Duration = .seconds(60)
  /// Of all users from one address: an office has one.
  package static let loginsPerPeerBurst = 20
  package static let loginPerPeerInterval: Duration = .seconds(15)
  /// Of one user from all addresses: so many that guessing with his name does not lock him out from elsewhere for long, so few that a botnet has
  /// some thousand guesses a day.
  package static let loginsPerUserBurst = 100
  package static let loginPerUserInterval: Duration = .seconds(20)
  /// How often one who has to wait is told of in the audit trail.
  package static let loginLimitTold: Duration = .seconds(300)
  /// Failed logins that the audit trail tells of: what mistakes make, and the beginning of an attack.
  package static let loginFailuresToldBurst = 1_000
  package static let loginFailureToldInterval: Duration = .seconds(10)
  /// When the longest of the limits is full again.
  package static let loginAttemptKept: Duration = .seconds(3 * 3_600)
  /// Rows of one page of a list.
  package static let pageRowsMax = 500
  package static let pageRowsDefault = 50
  /// A list is not walked to its end by pages.
  package static let pageOffsetMax = 1_000_000
  package static let searchCharactersMax = 200
  /// Days of a meter's history: what agents keep.
  package static let historyDaysMax = 400
  /// How often a hub looks whether something has changed that somebody looks at: who waits for a job sees it move.
  package static let consoleWatchInterval: Duration = .seconds(1)
  /// A look that takes long is made less often: no more than this part of the time is spent on looking.
  package static let consoleWatchShare = 20
  /// Streams of events of one hub process: a dealer's people, each with some tabs.
  package static let consoleStreamsMax = 256
  /// Connections to the console: a browser has six, one of them its stream.
  package static let consoleConnectionsMax = 1_024

  // MARK: Remote technician

  /// What a session with a device's pages may last at most; agents allow no more either.
  package static let remoteTimeMax: Duration = .seconds(1_800)
  /// How long somebody waits for an agent at most: one that checks in by itself does so each five minutes.
  package static let remoteOpenWait: Duration = .seconds(600)
  /// What an agent may need to tell that a session is over, before its job expires.
  package static let remoteGrace: Duration = .seconds(60)
  /// In characters: a reason that says something.
  package static let remoteReasonRange = 3...500
  /// How long the key is good that opens a session's origin: a browser takes a second.
  package static let remoteEntryValidity: Duration = .seconds(60)
  /// Open sessions of one user, and of one install: what an agent serves at once.
  package static let remoteSessionsPerUserMax = 5
  package static let remoteSessionsPerInstallMax = 20
  /// Sessions that one user asks for at once, and the time after which one more is allowed.
  package static let remoteAsksBurst = 10
  package static let remoteAskInterval: Duration = .seconds(10)
  /// Refused tunnels of one install that the audit trail tells of, and the time after which one more is.
  package static let remoteRefusalsToldBurst = 20
  package static let remoteRefusalToldInterval: Duration = .seconds(60)
  /// What a browser that has no session waits for the answer that there is nothing: guessing costs its guesser more than the hub.
  package static let remoteRefusalDelay: Duration = .milliseconds(250)
  /// How often it is looked which sessions must end: a red button is pressed for a reason.
  package static let remoteWatchInterval: Duration = .milliseconds(500)
  /// How long it is remembered that somebody may see a device's page: a page asks for fifty things at once.
  package static let remoteStandingKept: Duration = .seconds(2)
  /// How long a connection at `remotetechnician` may take to show whose it is.
  package static let remoteHelloTimeout: Duration = .seconds(15)
  /// Tunnels and relays that one hub holds.
  package static let remoteConnectionsMax = 512
  /// Of browsers: six for each session, and those for WebSockets.
  package static let remoteWebConnectionsMax = 1_024
  /// Connections at either port that have not shown yet whose they are, and those of one network (an IPv4 address, an IPv6 /64).
  package static let remoteWaitingMax = 256
  package static let remoteWaitingOfNetworkMax = 64
  /// How long a browser's connection that has shown no session may take for TLS and the head of a request, and how long one that has may wait between two.
  package static let remoteWebHeadTimeout: Duration = .seconds(10)
  package static let remoteWebIdleMax: Duration = .seconds(30)
  /// Requests and WebSockets of one session at once: a browser makes six, and its WebSockets.
  package static let remoteRequestsPerSessionMax = 32
  /// What is still read of whoever has shown no session, after the answer, and how long it may take.
  package static let remoteStrangerBytesMax = 64 << 10
  package static let remoteFarewellMax: Duration = .seconds(5)
  /// How long a tunnel's other side may take to read why it is closed.
  package static let remoteGoodbyeMax: Duration = .seconds(1)
  /// A silent tunnel is pinged after this time, and given up after as much again (docs/formats/tunnel.md).
  package static let remotePingAfter: Duration = .seconds(15)
  /// Streams of one connection that are answered, and a head's bytes: a page's cookies and addresses have room.
  package static let remoteStreamsMax = 256
  package static let remoteHeadBytesMax = 64 << 10
  /// Requests that another hub takes back within half a minute.
  package static let remoteResetsMax = 10_000
  /// The HTTP/2 windows of a tunnel: 200 Mbit/s at 40 ms.
  package static let remoteWindowBytes = 1 << 20
  package static let remoteConnectionWindowBytes = 8 << 20
  /// What of a request is read and thrown away after a device has answered it early: a browser that is cut off shows no answer.
  package static let remoteDrainedBytesMax = 64 << 20
  /// Nothing moves between a browser and a device for this long: the request is given up. A device may take its time to make an answer.
  package static let remoteSilenceMax: Duration = .seconds(120)

  // MARK: Operations

  /// How often a hub that commits nothing proves that it can. A balancer that asks as often learns of a fault within two of them.
  package static let probeInterval: Duration = .seconds(5)
  /// A transaction that takes longer makes no progress: the largest takes a second on a slow disk.
  package static let commitStall: Duration = .seconds(15)
  /// How long records that were refused count, when none come after them.
  package static let refusalRemembered: Duration = .seconds(60)
  /// Free bytes of the disk that a commit may need: the largest transaction, in the log and in the database.
  package static let diskBytesLeast = UInt64(2 * commitBytesMax)
  /// How often what metrics show of the database is counted: it reads a row for each epoch of each install.
  package static let figuresInterval: Duration = .seconds(15)
  /// Connections to the metrics' listener: a few that scrape, and who looks by hand.
  package static let metricsConnectionsMax = 64

  // MARK: Health and audit

  package static let healthBytesMax = 64 << 10
  /// An install without a report for this long is late: agents report each minute, and two may be lost on the way.
  package static let lateAfter: Duration = .seconds(180)
  /// How often it is looked who is late.
  package static let lateLook: Duration = .seconds(30)
  /// If nobody looked for this long, no hub listened, and the agents are given `lateAfter` to come back.
  package static let lateLookMissed: Duration = .seconds(75)
  /// If so many installs are late, and that is one in `silenceShare` of all, it is the hub or the way to it: one alert for all of them.
  package static let silenceLeast = 20
  package static let silenceShare = 4
  /// An alert that comes back this soon after it was cleared is the same one again.
  package static let alertReopened: Duration = .seconds(600)
  /// An agent's clock that is wrong by this much is told. Certificates are refused from `clockSkew` on.
  package static let agentClockSkew: Duration = .seconds(5 * 60)
  /// With less than this free where an agent keeps its journal, somebody should look: a fleet of a thousand devices writes as much in a week.
  package static let agentDiskBytesLeast: Int64 = 256 << 20
  /// A lag of up to so many records is a matter of seconds, and never growing.
  package static let lagTolerated: Int64 = 1_000
  /// A lag that has not come down for this long is growing: a backlog after an outage comes down each minute.
  package static let lagGrowing: Duration = .seconds(1_800)
  /// Rows kept of refused attempts and operators' doings; the oldest go first.
  package static let auditRowsMax = 1_000_000
  /// How long a command waits for the database while the hub commits.
  package static let busyTimeout: Duration = .seconds(15)
}

extension Duration {
  /// Whole milliseconds, rounded down.
  package var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }

  /// Seconds with their fraction, for the interfaces that count so.
  package var timeInterval: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
