// Live changes: a hub looks at the database, whoever changed it, and tells the pages that are open what is to be fetched anew.
//
// One look for all pages, not more often than each second, and a look that takes long less often (`HubLimits.consoleWatchShare`), so that it costs the
// same with one page and with hundreds; none while nobody listens. What is told is a word, never what changed: whoever hears it asks, and gets what
// his scope lets him see.

internal import HubDatabase
internal import Logging
internal import ServiceLifecycle
internal import WebServing

/// Marks that are others once something has changed.
struct ConsoleMarks: Equatable, Sendable {
  /// Records that are in the read models, and what an operator retired: devices, meters, supplies, alerts.
  var fleet: Int64
  var alerts: [Int64]
  var jobs: Int64
  var installs: [Int64]
  /// Whatever operators do: entities, codes, settings, users.
  var audit: Int64

  /// The events of what differs from before; all of them where nobody knows what was before.
  func events(since before: ConsoleMarks?) -> [String] {
    guard let before else { return ["device", "alert", "job", "install", "audit"] }
    return [
      (fleet != before.fleet, "device"), (alerts != before.alerts, "alert"), (jobs != before.jobs, "job"),
      (installs != before.installs, "install"), (audit != before.audit, "audit"),
    ].filter(\.0).map(\.1)
  }
}

struct ConsoleWatch: Service {
  let store: SQLStore
  let streams: ConsoleStreams
  let clock: HubClock
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var last: ConsoleMarks?
      while !Task.isCancelled {
        let start = ContinuousClock.now
        last = await self.look(last)
        let pause = max(
          HubLimits.consoleWatchInterval, (ContinuousClock.now - start) * HubLimits.consoleWatchShare)
        do { try await Task.sleep(for: pause) } catch { return }
      }
    }
  }

  /// Looks once, and tells what differs. Whoever is the first to listen has asked for what he shows some time ago: he is told of everything.
  func look(_ last: ConsoleMarks?) async -> ConsoleMarks? {
    guard streams.feed.hasListeners else { return nil }
    do {
      // Who was disabled, or has logged out elsewhere, sees nothing more.
      streams.keep(try await store.goodSessions(among: streams.sessions, now: clock.now))
      let marks = try await store.consoleMarks()
      for event in marks.events(since: last) { streams.feed.publish(event, Array("{}".utf8)) }
      return marks
    } catch {
      guard !Task.isCancelled else { return last }
      logger.warning("the console is not told of changes", metadata: ["error": "\(error)"])
      return last
    }
  }
}

extension SQLStore {
  func consoleMarks() async throws -> ConsoleMarks {
    try await read { db in
      func number(_ sql: String) throws -> Int64 { try db.value("SELECT CAST(coalesce(\(sql), 0) AS BIGINT)") ?? 0 }
      return ConsoleMarks(
        fleet: try number("(SELECT sum(sequence) FROM projected)") + number("(SELECT sum(at) FROM retirement)"),
        alerts: [
          try number("(SELECT max(number) FROM alert)"),
          try number("(SELECT count(*) FROM alert WHERE cleared_at IS NULL)"),
          try number("(SELECT max(told_at) FROM early_alert)"),
          try number("(SELECT max(number) FROM install_alert)"),
          try number("(SELECT count(*) FROM install_alert WHERE cleared_at IS NULL)"),
        ],
        // A session with a device's page is a job's, and takes steps that are none of the job's.
        jobs: try number("(SELECT max(number) FROM job_step)")
          + number("(SELECT count(opened_at) + count(entered_at) + count(ended_at) FROM remote_session)"),
        installs: [
          try number("(SELECT max(seen_at) FROM install)"), try number("(SELECT max(number) FROM install)"),
          try number("(SELECT max(received_at) FROM health)"),
          try number("(SELECT count(*) FROM install_health WHERE late_at IS NOT NULL)"),
        ], audit: try number("(SELECT max(number) FROM audit)"))
    }
  }

  /// Those of these sessions that are still good.
  func goodSessions(among sessions: Set<Int64>, now: Int64) async throws -> Set<Int64> {
    guard !sessions.isEmpty else { return [] }
    return try await read { db in
      Set(
        try db.rows(
          """
          SELECT s.number FROM console_session s JOIN console_user u ON u.number = s.user_number
          WHERE s.expires_at > ? AND s.seen_at > ? AND u.disabled_at IS NULL
          """, now, now - HubLimits.sessionIdle.milliseconds
        ).map { try $0("number") as Int64 }
      ).intersection(sessions)
    }
  }
}
