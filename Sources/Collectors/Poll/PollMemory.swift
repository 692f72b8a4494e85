// What the next poll of a device may build on.

package import SNMP

/// Kept between polls of one device. Losing it costs a full poll, nothing else.
package struct PollMemory: Sendable {
  /// The session: the device's SNMPv3 engine and its round-trip times.
  package var session: Session
  /// How large a request the device bears.
  package var abilities: DeviceAbilities
  /// All objects as of the last poll that came to its end, and what they mean; nil before the first.
  package var rest: ReadingAtRest?
  /// When trays, bins, covers and the console were read last; light polls leave them out while a device stands still.
  package var inUseReadAt: Instant?
  /// When the descriptions and units of all rows were read last.
  package var rowsReadAt: Instant?
  /// What was seen of the device's own count of alerts.
  package var alertCounting = AlertCounting.unproven
  /// What a light poll asks for; nil until the first one after a full poll.
  package var lightPlan: LightPlan?
  /// What the last light poll was answered; nil where everything is to be compared.
  package var still: StillAnswers?

  /// The SNMP context that the device's supplies were read in, where the default one has none.
  package var suppliesContext: String?
  /// Whether such a context was asked, and was silent: it is not asked again.
  package var isContextSilent = false

  package init(session: Session, abilities: DeviceAbilities? = nil) {
    self.session = session
    self.abilities = abilities ?? DeviceAbilities(version: session.credential.version)
  }
}
