// What was asked of devices' own pages: a row for each request, made in the transactions that store an agent's records of it. `RemoteRequestBegun` makes the
// row, and `RemoteRequest` takes its place; one that was refused, and one of an older agent, has that alone. The records are the evidence; the rows are what
// finds them by their job.

internal import Events
internal import FoundationEssentials
internal import HubDatabase
internal import OpenSSL
internal import SwiftProtobuf

enum RemoteLedger {
  /// `RemoteRequest` and `RemoteRequestBegun` of events.proto.
  private static let (over, begun): (UInt16, UInt16) = (93, 97)
  /// What is shown in the place of an error while a request has no end.
  private static let underWay = "begun"
  /// What is shown of a path: agents cut it, too.
  private static let pathCharactersMax = 1_000

  static func note(
    _ record: DeliveredRecord, _ install: InstallNumber, epoch: UInt32, sequence: UInt64, _ db: any SQLConnection
  ) throws {
    guard let (time, type) = header(record.payload),
      let request = request(record.payload.dropFirst(EventHeader.size), type), let job = JobID(request.job)
    else { return }
    // Of a session of this install alone: what an agent says of another's counts for nothing.
    let isOwn = try db.count(
      "SELECT count(*) FROM remote_session WHERE job = ? AND install = ?", job.description, install)
    guard isOwn == 1 else { return }
    if request.begun > 0 {
      try db.execute(
        "DELETE FROM remote_request WHERE install = ? AND epoch = ? AND sequence = ? AND job = ? AND error = ?",
        install,
        epoch, Int64(clamping: request.begun), job.description, underWay)
    }
    try db.execute(
      """
      INSERT INTO remote_request (install, epoch, sequence, job, at, method, path, parameters, status, error, bytes_sent, bytes_received,
        milliseconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (install, epoch, sequence) DO NOTHING
      """, install, epoch, Int64(clamping: sequence), job.description, time,
      cleaned(String(request.method.prefix(32))), cleaned(String(request.path.prefix(pathCharactersMax))),
      cleaned(String(request.parameters.joined(separator: " ").prefix(pathCharactersMax))), Int64(request.status),
      cleaned(String(request.error.prefix(32))), Int64(clamping: request.bytesSent),
      Int64(clamping: request.bytesReceived), Int64(clamping: request.milliseconds))
  }

  /// A request that has no end yet is one whose answer is not known.
  private static func request(_ bytes: Data, _ type: UInt16) -> Printtrail_Events_V1_RemoteRequest? {
    guard type == begun else { return try? Printtrail_Events_V1_RemoteRequest(serializedBytes: bytes) }
    guard let request = try? Printtrail_Events_V1_RemoteRequestBegun(serializedBytes: bytes) else { return nil }
    return .with {
      ($0.job, $0.method, $0.path, $0.parameters) = (request.job, request.method, request.path, request.parameters)
      $0.error = underWay
    }
  }

  /// When it was, by the agent's clock, milliseconds since 1970 UTC, and its type; nil for a record of another type. It is asked for each record.
  private static func header(_ payload: Data) -> (time: Int64, type: UInt16)? {
    payload.withUnsafeBytes { bytes in
      guard bytes.count >= EventHeader.size, bytes[0] == EventHeader.version else { return nil }
      let type = UInt16(bytes[1]) << 8 | UInt16(bytes[2])
      guard type == over || type == begun else { return nil }
      return (Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 3, as: Int64.self)), type)
    }
  }
}

extension SQLStore {
  /// As many requests of a session as are shown.
  private static let requestsShownMax = 500

  /// What sessions' devices are called: an entry for each of them.
  func remoteAbout(devices: Set<String>) async throws -> [String: ConsoleValue] {
    guard !devices.isEmpty else { return [:] }
    let marks = devices.map { _ in "?" }.joined(separator: ", ")
    return try await read { db in
      let rows = try db.rows(
        "SELECT id, make, model, serial, location FROM device WHERE id IN (\(marks))", devices.map(\.sqlValue))
      let known = Dictionary(uniqueKeysWithValues: try rows.map { (try $0("id") as String, $0) })
      return Dictionary(
        uniqueKeysWithValues: try devices.map { id in
          func text(_ name: String) throws -> ConsoleValue { ConsoleValue(try known[id]?(name) as String?) }
          let about = ConsoleValue.object([
            "id": .text(id), "make": try text("make"), "model": try text("model"), "serial": try text("serial"),
            "location": try text("location"),
          ])
          return (id, about)
        })
    }
  }

  /// The last requests of a session, the newest first.
  func remoteRequests(of session: RemoteSession) async throws -> [ConsoleValue] {
    try await read { db in
      try db.rows(
        "SELECT * FROM remote_request WHERE job = ? AND install = ? ORDER BY at DESC, epoch DESC, sequence DESC LIMIT ?",
        session.job.description, session.install, Self.requestsShownMax
      ).map { row in
        .object([
          "time": .time(try row("at")), "method": .text(try row("method")), "path": .text(try row("path")),
          "parameters": .text(try row("parameters")), "status": .integer(try row("status")),
          "error": .text(try row("error")), "bytesSent": .integer(try row("bytes_sent")),
          "bytesReceived": .integer(try row("bytes_received")), "milliseconds": .integer(try row("milliseconds")),
        ])
      }
    }
  }
}
