// What ptagent.toml says, checked and with defaults filled in. docs/configuration.md explains every key to its reader;
// Fixtures/config/ptagent.toml shows them all.
//
// Limits stand here with their reasons; the sections' readers refuse what lies outside.

package import AlertRules
package import Discovery
package import OpenSSL
package import Platform
package import SNMP

/// The settings of one agent.
package struct AgentConfiguration: Sendable {
  /// Nil when there is no [hub]: the agent then collects and journals, and ships nothing.
  package var hub: HubSettings?
  /// Nil: connections to the hub are made directly.
  package var proxy: ProxySettings?
  package var delivery = DeliverySettings()
  package var state = StateSettings()
  package var journal = JournalSettings()
  package var log = LogSettings()
  package var discovery = DiscoverySettings()
  package var poll = PollSettings()
  package var profiles = ProfileSettings()
  package var console = ConsoleSettings()
  package var metrics = MetricsSettings()
  package var remote = RemoteSettings()
  /// [alerts]
  package var rules = RuleSettings()
  /// [[meters.offset]]
  package var meterOffsets: [MeterOffset] = []
  /// [credentials], by name; always with `public`.
  package var credentials = ["public": NamedCredential.publicCommunity]
  /// What can hardly be meant, in the order of the file.
  package var warnings: [ConfigurationWarning] = []
  /// The file that it was read from, which a hub's settings are laid over; nil: none.
  package internal(set) var source: ConfigurationSource?

  package init() {}
}

/// A file as it was read.
package struct ConfigurationSource: Sendable {
  package let file: String
  /// Secrets among it: for nobody's eyes.
  let text: String
  /// What the console has set besides; nil: nothing.
  package internal(set) var console: ConsoleFile?
}

/// [hub]
package struct HubSettings: Sendable {
  /// Where agents enrol.
  package var csr: HostAndPort
  /// Where records go; nil: as the hub said at enrolment.
  package var dcam: HostAndPort?
  /// Where health reports go; nil: as the hub said at enrolment.
  package var hc: HostAndPort?
  /// Where technicians' sessions go; nil: to the host of dcam, at its usual port.
  package var remotetechnician: HostAndPort?
  package static let remotetechnicianPort: UInt16 = 6_000
  /// By what the hub is recognised at enrolment. Later the roots count that it handed out then.
  package var authority: HubAuthority

  package init(
    csr: HostAndPort, dcam: HostAndPort? = nil, hc: HostAndPort? = nil, remotetechnician: HostAndPort? = nil,
    authority: HubAuthority
  ) {
    self.csr = csr
    self.dcam = dcam
    self.hc = hc
    self.remotetechnician = remotetechnician
    self.authority = authority
  }
}

/// Whom the agent believes that it is its hub, before it has an identity of its own.
package enum HubAuthority: Sendable, Hashable {
  case pin(PublicKeyPin)
  case certificates([Certificate])
}

/// [delivery]
package struct DeliverySettings: Sendable {
  package enum Mode: String, CaseIterable, Sendable {
    /// A stream to the hub that stays open.
    case service
    /// Check-ins, with no connection between them.
    case normal
  }

  /// More often is what service mode is for; more rarely nobody would call it watching.
  package static let checkInRange: ClosedRange<Duration> = .seconds(10) ... .seconds(86_400)

  package var mode = Mode.service
  /// What is waited between two check-ins at least; nil: what the hub says.
  package var checkInInterval: Duration?
  package init() {}
}

/// [state]
package struct StateSettings: Sendable {
  /// Identity, status and, unless [journal] says otherwise, the journal.
  package var directory = "/var/lib/printtrail"
  package init() {}
}

/// [journal]
package struct JournalSettings: Sendable {
  /// A smaller journal would be full of its own pages.
  package static let sizeSmallest = ByteCount(bytes: 16 << 20)
  /// LMDB reserves address space for it; more than this does not fit beside everything else on a small machine.
  package static let sizeLargest = ByteCount(bytes: 1 << 40)

  package var directory = "/var/lib/printtrail/journal"
  /// At 350 bytes a record 1 GiB is three million records: 100 devices read each half hour for almost two years.
  package var sizeMax = ByteCount(bytes: 1 << 30)
  /// A year's bills can be explained from the agent alone; what is older is at the hub.
  package var keep: Duration = .seconds(400 * 86_400)
  package static let keepRange: ClosedRange<Duration> = .seconds(86_400) ... .seconds(3_650 * 86_400)
  package init() {}
}

/// [log]
package struct LogSettings: Sendable {
  package enum Level: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
  }
  package enum Format: String, CaseIterable, Sendable {
    case logfmt, json
  }
  package var level = Level.info
  package var format = Format.logfmt
  package init() {}
}

/// [discovery]
package struct DiscoverySettings: Sendable {
  package static let packetsPerSecondRange = 1...10_000
  /// Shorter pauses would sweep without end; printers do not move that often.
  package static let sweepIntervalRange: ClosedRange<Duration> = .seconds(10)...(.seconds(30 * 86_400))

  /// In order; the first that holds an address decides about it.
  package var ranges: [DiscoveryRange] = []
  /// Not swept.
  package var exclusions: [AddressRange] = []
  /// Never sent a packet, whatever else is configured or asked for.
  package var doNotTouch: [AddressRange] = []
  package var packetsPerSecond = 250
  package var sweepInterval: Duration = .seconds(86_400)
  /// Instead of the interval.
  package var sweepTimetable: SweepTimetable?
  /// Where to look when there are no ranges: 0 nowhere, 1 in the machine's own networks, more also where its routes lead to.
  package var hopsMax = 1
  /// More routers than this lie between no agent and its customer's printers.
  package static let hopsRange = 0...16
  /// Whether printers are asked to announce themselves (DNS-SD).
  package var browsesAnnouncements = true
  /// The UDP port that traps are heard on; nil: none.
  package var trapPort: UInt16?
  /// The UDP port that printers answer SNMP on (RFC 3417).
  package var port: UInt16 = 161
  /// Whether what does not answer SNMP is asked over IPP, on TCP port 631.
  package var ipp = true
  package init() {}
}

/// A credential with the name that events and logs know it by.
package struct NamedCredential: Hashable, Sendable {
  package var name: String
  package var credential: Credential

  package init(name: String, credential: Credential) {
    self.name = name
    self.credential = credential
  }

  /// What most printers answer to as delivered: SNMPv2c with the community `public`.
  package static let publicCommunity = NamedCredential(
    name: "public", credential: .community(version: .v2c, community: Array("public".utf8)))
}

/// One element of discovery.ranges.
package struct DiscoveryRange: Sendable {
  package var range: AddressRange
  /// Tried in this order. Never empty.
  package var credentials: [NamedCredential]

  package init(range: AddressRange, credentials: [NamedCredential]) {
    self.range = range
    self.credentials = credentials
  }
}

/// [poll]
package struct PollSettings: Sendable {
  package static let intervalRange: ClosedRange<Duration> = .seconds(1)...(.seconds(7 * 86_400))
  /// Beyond this the socket's buffers, not the devices, decide.
  package static let concurrencyRange = 1...5_000

  package var interval: Duration = .seconds(30 * 60)
  /// Devices read at the same time.
  package var concurrency = 200
  /// Six weeks: longer than a works holiday, shorter than a lease.
  package var retireAfter: Duration = .seconds(42 * 86_400)
  /// Below a week a long weekend would retire a device, and its return would be told as news.
  package static let retireAfterRange: ClosedRange<Duration> = .seconds(7 * 86_400)...(.seconds(3_650 * 86_400))
  package init() {}
}

/// [console]
package struct ConsoleSettings: Sendable {
  /// Whether there is one.
  package var isEnabled = true
  /// An address of this machine; loopback unless there are TLS and a password.
  package var listen = HostAndPort(host: "127.0.0.1", port: 1301)
  /// The hash of its password; the file is there once one is set.
  package var passwordFile = "/var/lib/printtrail/console-password"
  /// PEM files; both or none.
  package var certificate: String?
  package var key: String?
  /// Names that it goes by, besides those of loopback and the address.
  package var hosts: [String] = []
  package static let hostsMax = 32
  package init() {}

  /// Whether only this machine reaches it.
  package var isLocal: Bool { listen.host == "::1" || listen.host.hasPrefix("127.") }
}

/// [profiles]
package struct ProfileSettings: Sendable {
  /// A directory of vendor profiles (`*.toml`) that are laid over those of the release; nil: these alone.
  package var directory: String?
  package init() {}
}
