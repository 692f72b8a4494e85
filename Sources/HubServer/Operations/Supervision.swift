// What the hub tells the service manager that runs it: that every port listens, that it looks after its store, that it ends.
//
// `Wellness` looks at the store again and again, whatever it finds: a store that is away or full is told by /healthz and is no reason to begin anew. If
// it does not come back from a look, or the process has stopped doing anything, the manager ends it and starts it again; what it acknowledged is
// committed.

internal import Logging
internal import Platform

struct Supervision: Sendable {
  /// Nil where nobody wants to be told.
  let manager: ServiceManager?
  let logger: Logger

  /// A manager that cannot be told does not keep the hub from its work.
  func tell(_ notices: ServiceManager.Notice...) {
    guard let manager else { return }
    do { try manager.tell(notices) } catch {
      logger.warning("the service manager was not told", metadata: ["reason": "\(error)"])
    }
  }
}
