// What the console cannot know or do by itself, and asks the agent for. Everything else it reads from the journal.
//
// Calls that are not asynchronous are answered from memory, at once; those that go over the journal say so, and are made on a thread of their own.

package import Events
package import Journal
package import PrinterModel
package import Projections
package import WebServing

/// What somebody wants of hub and proxy at the first run. What is nil is left as it is.
package struct SetupWish: Sendable {
  package struct Hub: Sendable {
    package var csr: String?
    package var dcam: String?
    package var hc: String?
    package var remotetechnician: String?
    package var caPin: String?

    package init(
      csr: String? = nil, dcam: String? = nil, hc: String? = nil, remotetechnician: String? = nil, caPin: String? = nil
    ) {
      self.csr = csr
      self.dcam = dcam
      self.hc = hc
      self.remotetechnician = remotetechnician
      self.caPin = caPin
    }
  }

  package struct Proxy: Sendable {
    package var address: String
    package var user: String?
    package var password: String?

    package init(address: String, user: String? = nil, password: String? = nil) {
      self.address = address
      self.user = user
      self.password = password
    }
  }

  package enum ProxyWish: Sendable {
    case asItIs
    case none
    case through(Proxy)
  }

  package var hub: Hub?
  package var proxy = ProxyWish.asItIs

  package init(hub: Hub? = nil, proxy: ProxyWish = .asItIs) {
    self.hub = hub
    self.proxy = proxy
  }
}

/// What the latest sweep that met an address found there.
package struct ConsoleAddress: Sendable {
  /// As a number, so that addresses sort.
  package let order: UInt32
  package let address: String
  package let reason: String
  package let detail: String
  package let credential: String?
  package let make: String?
  package let model: String?
  package let serial: String?
  /// Milliseconds since 1970 UTC.
  package let time: Int64

  package init(
    order: UInt32, address: String, reason: String, detail: String, credential: String?, make: String?, model: String?,
    serial: String?,
    time: Int64
  ) {
    self.order = order
    self.address = address
    self.reason = reason
    self.detail = detail
    self.credential = credential
    self.make = make
    self.model = model
    self.serial = serial
    self.time = time
  }
}

package protocol ConsoleAgent: Sendable {
  var reader: JournalReader { get }
  var version: String { get }
  var hostName: String { get }
  /// The fleet after the last record.
  var fleet: FleetState { get }

  /// Percent at or below which the supply is low.
  func lowThreshold(_ device: DeviceID, _ identity: DeviceIdentity, _ supply: Supply) -> Double

  // MARK: First run

  func setup() -> WebJSON
  func connectivity(_ wish: SetupWish) async throws -> WebJSON
  /// - Returns: as `setup`.
  func activate(code: String, again: Bool, _ wish: SetupWish) async throws -> WebJSON

  // MARK: Shown

  /// The members `agent`, `install`, `journal`, `delivery`, `sweep` and `lastSweep` of the dashboard.
  func overview() -> [(String, WebJSON)]
  func discovery() -> WebJSON
  func addresses() -> [ConsoleAddress]
  func collection(of device: DeviceID) async -> WebJSON
  /// Why a device cannot be read now; nil where it can.
  func obstacle(to device: DeviceState) -> String?
  /// Goes over the journal.
  func queue() throws -> [UInt8]
  /// Goes over the journal. One JSON value.
  func jobs(_ max: Int) throws -> [UInt8]
  /// `directory`, `bytesMax`, `keep`, `diskFreeBytes`.
  func journalSettings() -> [(String, WebJSON)]
  func outgoing() -> WebJSON
  /// Whether records go to a hub.
  var isShipping: Bool { get }
  func settings() -> WebJSON

  /// Sessions with devices' own pages.
  func remote() -> ConsoleRemote

  // MARK: Done

  /// Ends a session at once, or all and those that are being opened.
  /// - Returns: how many.
  func endRemote(_ session: JobID?) -> Int
  func readNow(_ device: DeviceID) async throws -> (status: Int, WebJSON)
  func sweep(_ ranges: [String]?) async throws
  /// - Parameter changes: keys with TOML; nil takes a value away.
  func change(_ changes: [(key: String, value: String?)], dryRun: Bool, revision: Int64?) async throws -> WebJSON
  /// Compressed with gzip.
  func diagnostics() throws -> [UInt8]
}
