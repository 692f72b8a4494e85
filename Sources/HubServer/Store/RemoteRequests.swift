// What was asked of devices' own pages: a row for each record `RemoteRequest` of an agent, made in the transaction that stores the record. The records are
// the evidence; the rows are what finds them by their job.

internal import Events
internal import FoundationEssentials
internal import HubDatabase
internal import OpenSSL
internal import SwiftProtobuf

enum RemoteLedger {
  /// `RemoteRequest` of events.proto.
  private static let type: UInt16 = 93
  /// What is shown of a path: agents cut it, too.
  private static let pathCharactersMax = 1_000

  static func note(
    _ record: DeliveredRecord, _ install: InstallNumber, epoch: UInt32, sequence: UInt64, _ db: any SQLConnection
  ) throws {
    guard let time = timeOfRequest(record.payload),
      let request = try? Printtrail_Events_V1_RemoteRequest(
        serializedBytes: record.payload.dropFirst(EventHeader.size)),
      let job = JobID(request.job)
    else { return }
    // Of a session of this install alone: what an agent says of another's counts for nothing.
    let isOwn = try db.count(
      "SELECT count(*) FROM remote_session WHERE job = ? AND install = ?", job.description, install)
    guard isOwn == 1 else { return }
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

  /// When it was, by the agent's clock, milliseconds since 1970 UTC; nil for a record of another type. It is asked for each record.
  private static func timeOfRequest(_ payload: Data) -> Int64? {
    payload.withUnsafeBytes { bytes in
      guard bytes.count >= EventHeader.size, bytes[0] == EventHeader.version,
        UInt16(bytes[1]) << 8 | UInt16(bytes[2]) == type
      else { return nil }
      return Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 3, as: Int64.self))
    }
  }
}

extension SQLStore {
  /// As many requests of a session as are shown.
  private static let requestsShownMax = 500

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
