// An event in one line, for people who watch.

internal import AlertRules
package import Events
package import Journal
internal import MIB
internal import OpenSSL
internal import PrinterModel

package enum EventLine {
  /// Time, position, type, the device's first digits, and what happened in short. Control characters become spaces.
  package static func text(_ view: RecordView) -> String {
    let event: Event
    do throws(EventCodingError) {
      event = try Event(payload: view.payload)
    } catch {
      return "\(UTCTime.text(nanoseconds: view.time))  \(view.position)  unreadable  \(error)"
    }
    let device = event.device?.short ?? "agent"
    let type = EventType.name(event.body.type)
    return "\(UTCTime.text(milliseconds: event.time))  \(view.position)  \(type)  \(device)  \(summary(event.body))"
      .replacingControls
  }

  /// What happened, in short.
  package static func summary(_ body: EventBody) -> String {
    switch body {
    case .agentStarted(let event): "version \(event.version) on \(event.hostName)"
    case .agentStopped(let event): event.reason
    case .installEnrolled(let event):
      "\(event.installID) under \(event.entity)\(event.isRenewal ? ", with another certificate" : "")"
    case .sweepStarted(let event):
      "\(counted(event.addresses, "address", plural: "addresses")) in \(event.ranges.joined(separator: ", "))"
    case .sweepCompleted(let event):
      event.outcomes.map { "\($0.addresses) \($0.reason)" }.joined(separator: ", ") + " in \(event.milliseconds) ms"
    case .discoveryFailed(let event): "at \(event.address): \(event.message)"
    case .deviceDiscovered(let event):
      "\(event.identity.model?.text ?? "unknown model"), serial \(event.identity.serial?.text ?? "unknown"), at \(event.address)"
    case .deviceMerged(let event): "is \(event.into.short), seen at \(event.address): \(event.evidence)"
    case .deviceRetired(let event): event.evidence
    case .deviceReturned(let event): "at \(event.address): \(event.evidence)"
    case .deviceMoved(let event):
      "from \(event.from.isEmpty ? "nowhere" : event.from) to \(event.to): \(event.evidence)"
    case .deviceReplaced(let event): "at \(event.address): \(event.evidence)"
    case .deviceSeenAlso(let event): "at \(event.address) while it answers at \(event.known): \(event.evidence)"
    case .readingTaken(let event): "\(meters(event.reading.meters)); \(counted(event.raw.bindings.count, "object"))"
    case .readingChanged(let event): changes(event.change)
    case .readingUnchanged: "as before"
    case .pollFailed(let event): event.message
    case .alertRaised(let event): alert(event.alert, event.key, event.evidence)
    case .alertUpdated(let event): alert(event.alert, event.key, event.evidence)
    case .alertCleared(let event): "\(words(event.key)) after \(event.milliseconds / 1000) s"
    case .meterEpochOpened(let event): "\(event.meter): \(event.previous) then \(event.current), \(event.evidence)"
    case .meterLeapt(let event): "\(event.meter): \(event.previous) then \(event.current), \(event.evidence)"
    case .meterOffsetSet(let event): "\(event.meter): \(event.offset) after \(event.previous), \(event.reason)"
    case .uploadRejected(let event): "\(event.epoch)/\(event.sequence): \(event.reason)"
    case .uploadConflicted(let event):
      "the hub holds other records under \(event.epoch)/\(event.first) to \(event.epoch)/\(event.last)"
    case .journalDamaged(let event):
      "\(event.reason); \(counted(event.recordsKept, "record")) kept, \(counted(event.rangesLost, "range")) lost"
    case .recordsRemoved(let event):
      "\(counted(event.records, "record")) through \(event.epoch)/\(event.through), because of \(event.reason)"
    case .readingsThinned(let event) where event.intervalSeconds == 0: "over: each reading is recorded again"
    case .readingsThinned(let event):
      "one each \(event.intervalSeconds) s and device: \(event.percent) % of the journal are not at the hub"
    case .journalRestored(let event): "to \(event.epoch)/\(event.sequence): \(event.reason)"
    case .jobReceived(let event): "\(event.id) \(event.order.summary)"
    case .jobStarted(let event): "\(event.id)"
    case .jobCompleted(let event): "\(event.id) in \(event.milliseconds) ms: \(event.result)"
    case .jobFailed(let event): "\(event.id) \(event.reason): \(event.message)\(wanted(event.visit, event.device))"
    case .jobExpired(let event): "\(event.id) \(event.hadStarted ? "while it ran" : "before it began")"
    case .jobRefused(let event): "\(event.id) \(event.reason): \(event.message)\(wanted(event.visit, event.device))"
    case .settingsApplied(let event):
      "version \(event.version): \(counted(event.values.count, "setting")), \(counted(event.devices.count, "device")) with settings of their own"
    case .settingsRefused(let event): "version \(event.version): \(event.reason.replacing("\n", with: " "))"
    case .remoteSessionOpened(let event):
      "\(event.job) for \(event.visit.user) from \(event.visit.from) at \(event.address) (\(event.evidence)): \(event.visit.reason)"
    case .remoteRequest(let event):
      "\(event.job) \(event.method) \(asked(event.target, event.path)): \(event.status)\(event.error.isEmpty ? "" : " \(event.error)"), \(event.bytesSent) bytes there and \(event.bytesReceived) back"
    case .remoteSessionClosed(let event):
      "\(event.job) \(event.reason): \(event.message) \(counted(event.requests, "request"))"
    case .remoteRequestBegun(let event): "\(event.job) \(event.method) \(asked(event.target, event.path)) begins"
    case .remoteCertificatePinned(let event): "port \(event.port): \(certificate(event))"
    case .remoteCertificateChanged(let event): "port \(event.port): \(certificate(event)), and not the pinned one"
    case .unknown(_, let bytes): "\(counted(bytes.count, "byte")) of a newer release"
    }
  }

  /// Who wanted to see which device's own pages, behind the sentence that says why he did not.
  private static func wanted(_ visit: JobOrder.Visit?, _ device: DeviceID?) -> String {
    visit.map { " (\(device.map { "\($0.short) for " } ?? "")\($0.summary))" } ?? ""
  }

  /// A key's numbers, and their names where they have some: of our own rules, of RFC 2790 for the bits of hrPrinterDetectedErrorState (group 0), and
  /// of IANA-PRINTER-MIB for everything else.
  static func words(_ key: AlertKey) -> String {
    let names: [String?] =
      switch key.group {
      case AlertRule.group: [AlertRule(rawValue: key.code).map { "\($0)" }]
      case RemoteAlert.group: [RemoteAlert.name(key)]
      case 0: [EnumerationNames.detectedError(key.code)]
      default: [EnumerationNames.alertGroup(key.group), EnumerationNames.alertCode(key.code)]
      }
    let known = names.compactMap { $0 }.joined(separator: ", ")
    return known.isEmpty ? "\(key)" : "\(key) (\(known))"
  }

  private static func asked(_ target: String, _ path: String) -> String { target.isEmpty ? path : "\(target) \(path)" }

  /// Its SHA-256 is what `ptagent remote trust` is told.
  private static func certificate(_ event: RemoteCertificate) -> String {
    event.digest.isEmpty ? "no TLS" : "\(event.subject), SHA-256 \(hexadecimal(event.digest))"
  }

  private static func meters(_ meters: [Meter]) -> String {
    meters.map(meter).joined(separator: ", ")
  }

  private static func meter(_ meter: Meter) -> String {
    "\(meter.name) \(meter.quality.isNumber ? String(meter.value) : meter.quality.word)"
  }

  private static func changes(_ change: ReadingChange) -> String {
    var parts = change.meters.changed.map(meter)
    parts += change.supplies.changed.map { "\(FleetReport.name(of: $0)) \($0.remaining)" }
    if change.identity != nil { parts.append("identity") }
    if change.status != nil { parts.append("status") }
    if !change.inputs.isEmpty || !change.outputs.isEmpty || !change.covers.isEmpty { parts.append("trays and covers") }
    return parts.isEmpty ? "details" : parts.joined(separator: ", ")
  }

  private static func alert(_ alert: PrinterAlert, _ key: AlertKey, _ evidence: String) -> String {
    let text = alert.description?.text ?? ""
    return (text.isEmpty ? "alert \(key)" : text) + (evidence.isEmpty ? "" : ": \(evidence)")
  }
}
