// Events as JSON for people, exports and scripts (docs/formats/export.md). Names are those of events.proto in camel case. What a
// device did not say is left out; a level or a percentage that is unknown is never written as a number that it is not.

package import Events
internal import MIB
internal import PrinterModel

extension JSONWriter {
  /// The event's body as an object.
  package mutating func body(_ body: EventBody) {
    object { json in
      switch body {
      case .agentStarted(let event):
        json.member("version", event.version)
        json.member("hostName", event.hostName)
      case .agentStopped(let event): json.member("reason", event.reason)
      case .installEnrolled(let event):
        json.member("installId", event.installID)
        json.member("entity", event.entity)
        json.member("hub", event.hub)
        json.member("certificateFingerprint", event.certificateFingerprint)
        json.member("certificateNotAfter", event.certificateNotAfter)
        if event.isRenewal {
          json.key("isRenewal")
          json.bool(true)
        }
      case .sweepStarted(let event):
        json.member("sweep", event.sweep)
        json.key("ranges")
        json.array(event.ranges) { $0.string($1) }
        json.member("addresses", event.addresses)
      case .sweepCompleted(let event): json.sweep(event)
      case .discoveryFailed(let event):
        json.member("address", event.address)
        json.member("credential", event.credential)
        json.member("reason", event.reason)
        json.member("message", event.message)
      case .deviceDiscovered(let event):
        json.member("address", event.address)
        json.member("credential", event.credential)
        if !event.evidence.isEmpty { json.member("evidence", event.evidence) }
        json.identity(event.identity)
      case .deviceMerged(let event):
        json.member("into", event.into.description)
        json.member("address", event.address)
        json.member("evidence", event.evidence)
      case .deviceRetired(let event):
        json.member("address", event.address)
        json.member("lastRead", event.lastRead)
        json.member("evidence", event.evidence)
      case .deviceReturned(let event):
        json.member("address", event.address)
        json.member("evidence", event.evidence)
      case .deviceMoved(let event):
        json.member("from", event.from)
        json.member("to", event.to)
        json.member("evidence", event.evidence)
      case .deviceReplaced(let event):
        json.member("address", event.address)
        json.member("replacement", event.replacement.description)
        json.member("evidence", event.evidence)
      case .deviceSeenAlso(let event):
        json.member("address", event.address)
        json.member("known", event.known)
        json.member("evidence", event.evidence)
      case .readingTaken(let event):
        json.reading(event.reading)
        json.objects("raw", event.raw.bindings)
        json.cost(event.cost)
      case .readingChanged(let event): json.change(event)
      case .readingUnchanged(let event):
        json.member("uptimeTicks", event.uptimeTicks)
        json.cost(event.cost)
      case .pollFailed(let event):
        json.member("address", event.address)
        json.member("reason", event.reason)
        json.member("message", event.message)
        if event.daysAsked > 0 { json.member("daysAsked", event.daysAsked) }
      case .alertRaised(let event): json.alert(event.key, event.alert, event.evidence, event.penalty)
      case .alertUpdated(let event): json.alert(event.key, event.alert, event.evidence, event.penalty)
      case .alertCleared(let event):
        json.member("key", event.key.description)
        json.member("milliseconds", event.milliseconds)
        if event.penalty > 0 { json.member("penalty", event.penalty) }
      case .meterLeapt(let event):
        json.member("meter", event.meter.description)
        json.member("epoch", event.epoch)
        json.member("previous", event.previous)
        json.member("current", event.current)
        json.member("evidence", event.evidence)
      case .meterOffsetSet(let event):
        json.member("meter", event.meter.description)
        json.member("offset", event.offset)
        json.member("previous", event.previous)
        json.member("reason", event.reason)
      case .meterEpochOpened(let event):
        json.member("meter", event.meter.description)
        json.member("epoch", event.epoch)
        json.member("previous", event.previous)
        json.member("current", event.current)
        json.member("evidence", event.evidence)
        if !event.cause.isEmpty { json.member("cause", event.cause) }
        json.member("volume", event.volume)
        if let continues = event.continues { json.member("continues", continues) }
      case .uploadRejected(let event):
        json.member("epoch", event.epoch)
        json.member("sequence", event.sequence)
        json.member("reason", event.reason)
      case .uploadConflicted(let event):
        json.member("epoch", event.epoch)
        json.member("first", event.first)
        json.member("last", event.last)
        json.key("heldHash")
        json.hex(event.heldHash)
      case .journalDamaged(let event): json.damage(event)
      case .recordsRemoved(let event):
        json.member("epoch", event.epoch)
        json.member("through", event.through)
        json.member("records", event.records)
        json.member("reason", event.reason)
        json.member("countersigner", event.countersigner)
      case .readingsThinned(let event):
        json.member("intervalSeconds", event.intervalSeconds)
        json.member("percent", event.percent)
      case .journalRestored(let event):
        json.member("reason", event.reason)
        json.member("epoch", event.epoch)
        json.member("sequence", event.sequence)
      case .jobReceived(let event): json.job(event)
      case .jobStarted(let event): json.member("id", event.id.description)
      case .jobCompleted(let event): json.job(event)
      case .jobFailed(let event):
        json.member("id", event.id.description)
        json.member("reason", event.reason)
        json.member("message", event.message)
        json.wanted(event.visit, event.device)
      case .jobExpired(let event):
        json.member("id", event.id.description)
        json.key("hadStarted")
        json.bool(event.hadStarted)
      case .jobRefused(let event):
        json.member("id", event.id.description)
        json.member("reason", event.reason)
        json.member("message", event.message)
        json.member("kind", event.kind)
        json.member("deadline", event.deadline)
        json.wanted(event.visit, event.device)
      case .settingsApplied(let event): json.applied(event)
      case .settingsRefused(let event):
        json.member("version", event.version)
        json.key("digest")
        json.hex(event.digest)
        json.key("keys")
        json.array(event.keys) { $0.string($1) }
        json.member("reason", event.reason)
      case .remoteSessionOpened(let event): json.remote(event)
      case .remoteRequest(let event): json.remote(event)
      case .remoteSessionClosed(let event): json.remote(event)
      case .remoteCertificatePinned(let event): json.remote(event)
      case .remoteCertificateChanged(let event): json.remote(event)
      case .remoteRequestBegun(let event): json.remote(event)
      case .unknown(let type, let bytes):
        json.member("type", type)
        json.key("bytes")
        json.hex(bytes)
      }
    }
  }

  private mutating func job(_ event: JobReceived) {
    member("id", event.id.description)
    member("kind", event.order.kind)
    if !event.order.ranges.isEmpty {
      key("ranges")
      array(event.order.ranges) { $0.string($1) }
    }
    if !event.order.devices.isEmpty {
      key("devices")
      array(event.order.devices) { $0.string($1.description) }
    }
    if !event.order.option.isEmpty { member("option", event.order.option) }
    if let visit = event.order.visit { self.visit(visit) }
    member("created", event.created)
    member("deadline", event.deadline)
  }

  private mutating func job(_ event: JobCompleted) {
    member("id", event.id.description)
    member("result", event.result)
    member("milliseconds", event.milliseconds)
    if !event.attachment.isEmpty {
      key("attachment")
      hex(event.attachment)
    }
    if !event.path.isEmpty { member("path", event.path) }
  }

  private mutating func applied(_ event: SettingsApplied) {
    member("version", event.version)
    key("digest")
    hex(event.digest)
    key("values")
    settings(event.values)
    key("devices")
    array(event.devices) { json, device in
      json.object { json in
        json.member("device", device.device)
        json.key("values")
        json.settings(device.values)
      }
    }
    key("overridden")
    array(event.overridden) { $0.string($1) }
  }

  private mutating func settings(_ values: [RecordedSetting]) {
    array(values) { json, setting in
      json.object { json in
        json.member("key", setting.key)
        json.member("value", setting.value)
      }
    }
  }

  private mutating func damage(_ event: JournalDamaged) {
    member("reason", event.reason)
    member("quarantine", event.quarantine)
    member("recordsKept", event.recordsKept)
    key("newKey")
    bool(event.hasNewKey)
    member("rangesLost", event.rangesLost)
    key("lost")
    array(event.lost) { json, range in
      json.object { json in
        json.member("epoch", range.epoch)
        json.member("first", range.first)
        json.member("last", range.last)
      }
    }
  }

  private mutating func sweep(_ event: SweepCompleted) {
    member("sweep", event.sweep)
    member("milliseconds", event.milliseconds)
    key("outcomes")
    object { json in
      for outcome in event.outcomes { json.pair(outcome.reason) { $0.number(outcome.addresses) } }
    }
  }

  private mutating func change(_ event: ReadingChanged) {
    let change = event.change
    if let identity = change.identity { self.identity(identity) }
    if let status = change.status { self.status(status) }
    if let detectors = change.detectors { self.detectors(detectors) }
    rows("meters", change.meters.changed) { $0.meter($1) }
    rows("supplies", change.supplies.changed) { $0.supply($1) }
    rows("inputs", change.inputs.changed) { $0.input($1) }
    rows("outputs", change.outputs.changed) { $0.output($1) }
    rows("covers", change.covers.changed) { $0.cover($1) }
    rows("markers", change.markers.changed) { $0.marker($1) }
    if let checks = change.checks { self.checks(checks) }
    if let findings = change.findings { self.findings(findings) }
    rows("removedMeters", change.meters.removed) { $0.string($1.description) }
    rows("removedSupplies", change.supplies.removed) { $0.string($1.description) }
    rows("removedInputs", change.inputs.removed) { $0.string($1.description) }
    rows("removedOutputs", change.outputs.removed) { $0.string($1.description) }
    rows("removedCovers", change.covers.removed) { $0.string($1.description) }
    rows("removedMarkers", change.markers.removed) { $0.string($1.description) }
    objects("raw", event.raw)
    rows("rawRemoved", event.removed) { $0.string($1.description) }
    cost(event.cost)
  }
}
