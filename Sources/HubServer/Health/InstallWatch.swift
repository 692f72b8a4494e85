// Notices installs that do not report, and tells it: one alert for each, or one for all of them where it is no matter of single installs.
//
//     each 30 s, in one transaction that one hub of those over a database does at a time:
//       did nobody listen for a while?                 --> from now on, agents have three minutes to come back
//       no report for three minutes?                   --> the install is late
//       a quarter of all are late, and at least 20?    --> one alert, `silence`, about the hub or the way to it
//       else, late and not told yet?                   --> an alert, `late`, for each
//
// A report clears what it disproves by itself (`SQLStore.keepHealth`).

internal import HubDatabase
internal import Logging
internal import ServiceLifecycle

/// What a look found.
struct LateLook: Equatable, Sendable {
  /// Installs that became late.
  var becameLate = 0
  /// All that are.
  var late = 0
  /// Whether that is one matter.
  var isSilence = false
}

struct InstallWatch: Service {
  let store: SQLStore
  let clock: HubClock
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        await self.look()
        do { try await Task.sleep(for: HubLimits.lateLook) } catch { return }
      }
    }
  }

  func look() async {
    do {
      let look = try await store.lookForLate(now: clock.now)
      guard look.becameLate > 0 else { return }
      logger.notice(
        "installs do not report",
        metadata: ["new": "\(look.becameLate)", "late": "\(look.late)", "together": "\(look.isSilence)"])
    } catch {
      guard !Task.isCancelled else { return }
      logger.error("it was not looked who does not report", metadata: ["error": "\(error)"])
    }
  }
}
