// What happens when a technician sees a device's own pages (docs/formats/tunnel.md), as facts, and their bytes. Bodies, headers, cookies and values of
// queries and forms are in none of them.

internal import FoundationEssentials
internal import SwiftProtobuf

/// A session is open: the device was looked at, and the hub has the connection.
package struct RemoteSessionOpened: Equatable, Sendable {
  package var job: JobID
  package var visit: JobOrder.Visit
  /// Where the device is reached, without a port.
  package var address: String
  /// What showed that it is this device, by a fresh poll: `serial X` or `MAC X`.
  package var evidence: String
  /// What answers there, the best first: `https:443`, `http:80`.
  package var targets: [String]

  package init(job: JobID, visit: JobOrder.Visit, address: String, evidence: String, targets: [String]) {
    self.job = job
    self.visit = visit
    self.address = address
    self.evidence = evidence
    self.targets = targets
  }
}

/// A request of a session is about to be made of the device: not before this is on the disk.
package struct RemoteRequestBegun: Equatable, Sendable {
  package var job: JobID
  package var method: String
  /// As in `RemoteRequest`.
  package var path: String
  package var parameters: [String]
  package var target: String

  package init(job: JobID, method: String, path: String, parameters: [String] = [], target: String) {
    self.job = job
    self.method = method
    self.path = path
    self.parameters = parameters
    self.target = target
  }
}

/// A request of a session is over.
package struct RemoteRequest: Equatable, Sendable {
  package var job: JobID
  package var method: String
  /// Without its query, and without what stands behind semicolons.
  package var path: String
  /// The names of the query's parameters.
  package var parameters: [String]
  /// What the browser was answered; 0: it was broken off before.
  package var status: UInt32
  /// A word of docs/formats/tunnel.md where the agent answered for the device; empty: the device answered.
  package var error: String
  /// Of bodies, to the device and from it.
  package var bytesSent: UInt64
  package var bytesReceived: UInt64
  package var milliseconds: UInt64
  /// Where it went, `https:443`; of a refused one what was asked for.
  package var target: String
  /// The sequence of its `RemoteRequestBegun`; 0: it has none.
  package var begun: UInt64

  package init(
    job: JobID, method: String, path: String, parameters: [String] = [], status: UInt32 = 0, error: String = "",
    bytesSent: UInt64 = 0, bytesReceived: UInt64 = 0, milliseconds: UInt64 = 0, target: String = "", begun: UInt64 = 0
  ) {
    self.target = target
    self.begun = begun
    self.job = job
    self.method = method
    self.path = path
    self.parameters = parameters
    self.status = status
    self.error = error
    self.bytesSent = bytesSent
    self.bytesReceived = bytesReceived
    self.milliseconds = milliseconds
  }
}

/// A session is over.
package struct RemoteSessionClosed: Equatable, Sendable {
  package enum Reason: String, CaseIterable, Sendable {
    /// Its time was over.
    case time
    /// Somebody ended it at the agent.
    case closed
    /// Its bytes or requests were used up.
    case limit
    /// Another device answers at the address, or the device is gone from it.
    case device
    /// The hub asked for another machine.
    case target
    /// The hub ended it, or the connection to it broke.
    case hub
    /// The agent went down.
    case stopping
    /// What it needs at the agent failed.
    case failed
  }

  package var job: JobID
  /// A `Reason`, or a word of a newer release.
  package var reason: String
  /// A sentence.
  package var message: String
  package var requests: UInt64
  package var bytesSent: UInt64
  package var bytesReceived: UInt64
  package var milliseconds: UInt64

  package init(
    job: JobID, reason: String, message: String, requests: UInt64 = 0, bytesSent: UInt64 = 0,
    bytesReceived: UInt64 = 0, milliseconds: UInt64 = 0
  ) {
    self.job = job
    self.reason = reason
    self.message = message
    self.requests = requests
    self.bytesSent = bytesSent
    self.bytesReceived = bytesReceived
    self.milliseconds = milliseconds
  }
}

/// A device's certificate at one port: pinned, or another than the pinned one.
package struct RemoteCertificate: Equatable, Sendable {
  package var port: UInt32
  /// SHA-256 of its DER; empty: the device answers without TLS.
  package var digest: [UInt8]
  /// Of the pinned one before it; empty: there was none.
  package var former: [UInt8]
  /// Its subject, as text.
  package var subject: String

  package init(port: UInt32, digest: [UInt8], former: [UInt8] = [], subject: String) {
    self.port = port
    self.digest = digest
    self.former = former
    self.subject = subject
  }
}

// MARK: - To bytes

extension RemoteSessionOpened {
  var wire: Wire.RemoteSessionOpened {
    .with {
      $0.job = Data(job.bytes)
      $0.visit = visit.wire
      ($0.address, $0.evidence, $0.targets) = (address, evidence, targets)
    }
  }
}

extension RemoteRequestBegun {
  var wire: Wire.RemoteRequestBegun {
    .with {
      $0.job = Data(job.bytes)
      ($0.method, $0.path, $0.parameters, $0.target) = (method, path, parameters, target)
    }
  }
}

extension RemoteRequest {
  var wire: Wire.RemoteRequest {
    .with {
      ($0.target, $0.begun) = (target, begun)
      $0.job = Data(job.bytes)
      ($0.method, $0.path, $0.parameters) = (method, path, parameters)
      ($0.status, $0.error, $0.milliseconds) = (status, error, milliseconds)
      ($0.bytesSent, $0.bytesReceived) = (bytesSent, bytesReceived)
    }
  }
}

extension RemoteSessionClosed {
  var wire: Wire.RemoteSessionClosed {
    .with {
      $0.job = Data(job.bytes)
      ($0.reason, $0.message, $0.requests) = (reason, message, requests)
      ($0.bytesSent, $0.bytesReceived, $0.milliseconds) = (bytesSent, bytesReceived, milliseconds)
    }
  }
}

extension RemoteCertificate {
  var wire: Wire.RemoteCertificate {
    .with {
      ($0.port, $0.digest, $0.former, $0.subject) = (port, Data(digest), Data(former), subject)
    }
  }
}

// MARK: - From bytes

extension EventDecoder {
  func remoteSessionOpened(_ bytes: UnsafeRawBufferPointer) throws -> RemoteSessionOpened {
    var (job, visit) = ([UInt8](), JobOrder.Visit(user: "", reason: "", from: "", seconds: 0))
    var (address, evidence, targets) = ("", "", [String]())
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: job = fields.octets ?? job
      case 2: if let bytes = fields.bytes { visit = try self.visit(bytes) }
      case 3: address = try fields.string() ?? address
      case 4: evidence = try fields.string() ?? evidence
      case 5: try fields.append(to: &targets)
      default: break
      }
    }
    return RemoteSessionOpened(
      job: try remoteJob(job), visit: visit, address: address, evidence: evidence, targets: targets)
  }

  func remoteRequestBegun(_ bytes: UnsafeRawBufferPointer) throws -> RemoteRequestBegun {
    var job: [UInt8] = []
    var body = RemoteRequestBegun(job: .zero, method: "", path: "", target: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: job = fields.octets ?? job
      case 2: body.method = try fields.string() ?? body.method
      case 3: body.path = try fields.string() ?? body.path
      case 4: try fields.append(to: &body.parameters)
      case 5: body.target = try fields.string() ?? body.target
      default: break
      }
    }
    body.job = try remoteJob(job)
    return body
  }

  func remoteRequest(_ bytes: UnsafeRawBufferPointer) throws -> RemoteRequest {
    var job: [UInt8] = []
    var body = RemoteRequest(job: .zero, method: "", path: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: job = fields.octets ?? job
      case 2: body.method = try fields.string() ?? body.method
      case 3: body.path = try fields.string() ?? body.path
      case 4: try fields.append(to: &body.parameters)
      case 5: body.status = fields.uint32 ?? body.status
      case 6: body.error = try fields.string() ?? body.error
      case 7: body.bytesSent = fields.uint64 ?? body.bytesSent
      case 8: body.bytesReceived = fields.uint64 ?? body.bytesReceived
      case 9: body.milliseconds = fields.uint64 ?? body.milliseconds
      case 10: body.target = try fields.string() ?? body.target
      case 11: body.begun = fields.uint64 ?? body.begun
      default: break
      }
    }
    body.job = try remoteJob(job)
    return body
  }

  func remoteSessionClosed(_ bytes: UnsafeRawBufferPointer) throws -> RemoteSessionClosed {
    var job: [UInt8] = []
    var body = RemoteSessionClosed(job: .zero, reason: "", message: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: job = fields.octets ?? job
      case 2: body.reason = try fields.string() ?? body.reason
      case 3: body.message = try fields.string() ?? body.message
      case 4: body.requests = fields.uint64 ?? body.requests
      case 5: body.bytesSent = fields.uint64 ?? body.bytesSent
      case 6: body.bytesReceived = fields.uint64 ?? body.bytesReceived
      case 7: body.milliseconds = fields.uint64 ?? body.milliseconds
      default: break
      }
    }
    body.job = try remoteJob(job)
    return body
  }

  func remoteCertificate(_ bytes: UnsafeRawBufferPointer) throws -> RemoteCertificate {
    var body = RemoteCertificate(port: 0, digest: [], subject: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.port = fields.uint32 ?? body.port
      case 2: body.digest = fields.octets ?? body.digest
      case 3: body.former = fields.octets ?? body.former
      case 4: body.subject = try fields.string() ?? body.subject
      default: break
      }
    }
    return body
  }

  private func remoteJob(_ bytes: [UInt8]) throws -> JobID {
    guard let id = JobID(bytes) else {
      throw WireVocabularyError(description: "the id of a session's job must have 16 bytes, not \(bytes.count)")
    }
    return id
  }
}

extension JobID {
  /// Until the right one was read.
  fileprivate static let zero = JobID([UInt8](repeating: 0, count: byteCount))!
}
