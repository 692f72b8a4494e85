// What the next poll of a device may build on.

package import SNMP

/// Kept between polls of one device. Losing it costs a full poll, nothing else.
///
/// A value behind one reference: a poll hands it from the schedule to its task, to the engine's thread and back, ten thousand devices have one, and
/// it is copied once, by the first change.
package struct PollMemory: Sendable {
  private struct Content: Sendable {
    var session: Session
    var abilities: DeviceAbilities
    var rest: ReadingAtRest?
    var inUseReadAt: Instant?
    var rowsReadAt: Instant?
    var alertCounting = AlertCounting.unproven
    var canStandStill = true
    var lightPlan: LightPlan?
    var still: StillAnswers?
    var suppliesContext: String?
    var isContextSilent = false
  }

  /// `@unchecked Sendable`: what others hold as well is never changed.
  private final class Storage: @unchecked Sendable {
    var content: Content

    init(_ content: Content) { self.content = content }
  }

  private var storage: Storage

  package init(session: Session, abilities: DeviceAbilities? = nil) {
    let abilities = abilities ?? DeviceAbilities(version: session.credential.version)
    storage = Storage(Content(session: session, abilities: abilities))
  }

  private var content: Content {
    _read { yield storage.content }
    _modify {
      if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.content) }
      yield &storage.content
    }
  }
}

extension PollMemory {
  /// The session: the device's SNMPv3 engine and its round-trip times.
  package var session: Session {
    _read { yield content.session }
    _modify { yield &content.session }
  }

  /// How large a request the device bears.
  package var abilities: DeviceAbilities {
    _read { yield content.abilities }
    _modify { yield &content.abilities }
  }

  /// All objects as of the last poll that came to its end, and what they mean; nil before the first.
  package var rest: ReadingAtRest? {
    _read { yield content.rest }
    _modify { yield &content.rest }
  }

  /// When trays, bins, covers and the console were read last; light polls leave them out while a device stands still.
  package var inUseReadAt: Instant? {
    get { content.inUseReadAt }
    _modify { yield &content.inUseReadAt }
  }

  /// When the descriptions and units of all rows were read last.
  package var rowsReadAt: Instant? {
    get { content.rowsReadAt }
    _modify { yield &content.rowsReadAt }
  }

  /// What was seen of the device's own count of alerts.
  package var alertCounting: AlertCounting {
    get { content.alertCounting }
    _modify { yield &content.alertCounting }
  }

  /// Whether the device can say that nothing happened, as of the last light poll; what moves in use is asked for at once of one that cannot.
  package var canStandStill: Bool {
    get { content.canStandStill }
    _modify { yield &content.canStandStill }
  }

  /// What a light poll asks for; nil until the first one after a full poll.
  package var lightPlan: LightPlan? {
    _read { yield content.lightPlan }
    _modify { yield &content.lightPlan }
  }

  /// What the last light poll was answered; nil where everything is to be compared.
  package var still: StillAnswers? {
    _read { yield content.still }
    _modify { yield &content.still }
  }

  /// The SNMP context that the device's supplies were read in, where the default one has none.
  package var suppliesContext: String? {
    _read { yield content.suppliesContext }
    _modify { yield &content.suppliesContext }
  }

  /// Whether such a context was asked, and was silent: it is not asked again.
  package var isContextSilent: Bool {
    get { content.isContextSilent }
    _modify { yield &content.isContextSilent }
  }
}
