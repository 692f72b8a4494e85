// Each event body as its protobuf message and back. Readings have a file of their own (`ReadingCoding`).

internal import FoundationEssentials
internal import MIB
internal import PrinterModel
internal import SwiftProtobuf

/// Shorter names for the generated messages, which only this room sees.
enum Wire {
  typealias AgentStarted = Printtrail_Events_V1_AgentStarted
  typealias AgentStopped = Printtrail_Events_V1_AgentStopped
  typealias InstallEnrolled = Printtrail_Events_V1_InstallEnrolled
  typealias SweepStarted = Printtrail_Events_V1_SweepStarted
  typealias SweepCompleted = Printtrail_Events_V1_SweepCompleted
  typealias SweepOutcome = Printtrail_Events_V1_SweepOutcome
  typealias DeviceDiscovered = Printtrail_Events_V1_DeviceDiscovered
  typealias DeviceMoved = Printtrail_Events_V1_DeviceMoved
  typealias DeviceReplaced = Printtrail_Events_V1_DeviceReplaced
  typealias PollFailed = Printtrail_Events_V1_PollFailed
  typealias AlertReported = Printtrail_Events_V1_AlertReported
  typealias AlertCleared = Printtrail_Events_V1_AlertCleared
  typealias AlertKey = Printtrail_Events_V1_AlertKey
  typealias Alert = Printtrail_Events_V1_Alert
  typealias MeterEpochOpened = Printtrail_Events_V1_MeterEpochOpened
  typealias UploadRejected = Printtrail_Events_V1_UploadRejected
  typealias ReadingTaken = Printtrail_Events_V1_ReadingTaken
  typealias ReadingChanged = Printtrail_Events_V1_ReadingChanged
  typealias ReadingUnchanged = Printtrail_Events_V1_ReadingUnchanged
  typealias PollCost = Printtrail_Events_V1_PollCost
  typealias Reading = Printtrail_Events_V1_Reading
  typealias Identity = Printtrail_Events_V1_Identity
  typealias Status = Printtrail_Events_V1_Status
  typealias Detectors = Printtrail_Events_V1_Detectors
  typealias Meter = Printtrail_Events_V1_Meter
  typealias Supply = Printtrail_Events_V1_Supply
  typealias Input = Printtrail_Events_V1_Input
  typealias Output = Printtrail_Events_V1_Output
  typealias Cover = Printtrail_Events_V1_Cover
  typealias Check = Printtrail_Events_V1_Check
  typealias Finding = Printtrail_Events_V1_Finding
  typealias Text = Printtrail_Events_V1_Text
}

/// A field whose text is not of its vocabulary.
struct WireVocabularyError: Error, CustomStringConvertible {
  var description: String
}

extension AgentStarted {
  var wire: Wire.AgentStarted {
    .with {
      $0.version = version
      $0.hostName = hostName
    }
  }
  init(_ wire: Wire.AgentStarted) { self.init(version: wire.version, hostName: wire.hostName) }
}

extension AgentStopped {
  var wire: Wire.AgentStopped { .with { $0.reason = reason } }
  init(_ wire: Wire.AgentStopped) { self.init(reason: wire.reason) }
}

extension InstallEnrolled {
  var wire: Wire.InstallEnrolled {
    .with {
      $0.installID = installID
      $0.entity = entity
      $0.hub = hub
      $0.certificateFingerprint = certificateFingerprint
      $0.certificateNotAfter = certificateNotAfter
    }
  }
  init(_ wire: Wire.InstallEnrolled) {
    self.init(
      installID: wire.installID, entity: wire.entity, hub: wire.hub,
      certificateFingerprint: wire.certificateFingerprint, certificateNotAfter: wire.certificateNotAfter)
  }
}

extension SweepStarted {
  var wire: Wire.SweepStarted {
    .with {
      $0.sweep = sweep
      $0.ranges = ranges
      $0.addresses = addresses
    }
  }
  init(_ wire: Wire.SweepStarted) {
    self.init(sweep: wire.sweep, ranges: wire.ranges, addresses: wire.addresses)
  }
}

extension SweepCompleted {
  var wire: Wire.SweepCompleted {
    .with {
      $0.sweep = sweep
      $0.milliseconds = milliseconds
      $0.outcomes = outcomes.map { outcome in
        .with {
          $0.reason = outcome.reason
          $0.addresses = outcome.addresses
        }
      }
    }
  }
  init(_ wire: Wire.SweepCompleted) {
    self.init(
      sweep: wire.sweep, milliseconds: wire.milliseconds,
      outcomes: wire.outcomes.map { SweepOutcome(reason: $0.reason, addresses: $0.addresses) })
  }
}

extension DeviceDiscovered {
  var wire: Wire.DeviceDiscovered {
    .with {
      $0.address = address
      $0.identity = identity.wire
      $0.credential = credential
    }
  }
  init(_ wire: Wire.DeviceDiscovered) throws {
    self.init(address: wire.address, identity: try DeviceIdentity(wire.identity), credential: wire.credential)
  }
}

extension DeviceMoved {
  var wire: Wire.DeviceMoved {
    .with {
      $0.from = from
      $0.to = to
      $0.evidence = evidence
    }
  }
  init(_ wire: Wire.DeviceMoved) { self.init(from: wire.from, to: wire.to, evidence: wire.evidence) }
}

extension DeviceReplaced {
  var wire: Wire.DeviceReplaced {
    .with {
      $0.address = address
      $0.replacement = Data(replacement.bytes)
      $0.evidence = evidence
    }
  }
  init(_ wire: Wire.DeviceReplaced) throws {
    guard let replacement = DeviceID(wire.replacement) else {
      throw WireVocabularyError(description: "the replacement's id must have 16 bytes, not \(wire.replacement.count)")
    }
    self.init(address: wire.address, replacement: replacement, evidence: wire.evidence)
  }
}

extension PollFailed {
  var wire: Wire.PollFailed {
    .with {
      $0.address = address
      $0.reason = reason
      $0.message = message
    }
  }
  init(_ wire: Wire.PollFailed) { self.init(address: wire.address, reason: wire.reason, message: wire.message) }
}

extension AlertKey {
  var wire: Wire.AlertKey {
    .with {
      $0.group = group
      $0.groupIndex = groupIndex
      $0.code = code
    }
  }
  init(_ wire: Wire.AlertKey) { self.init(group: wire.group, groupIndex: wire.groupIndex, code: wire.code) }
}

func wireAlert(_ key: AlertKey, _ alert: PrinterAlert) -> Wire.AlertReported {
  .with {
    $0.key = key.wire
    $0.alert = alert.wire
  }
}

func alert<Reported>(_ wire: Wire.AlertReported, _ make: (AlertKey, PrinterAlert) -> Reported) throws -> Reported {
  make(AlertKey(wire.key), try PrinterAlert(wire.alert))
}

extension AlertCleared {
  var wire: Wire.AlertCleared {
    .with {
      $0.key = key.wire
      $0.milliseconds = milliseconds
    }
  }
  init(_ wire: Wire.AlertCleared) { self.init(key: AlertKey(wire.key), milliseconds: wire.milliseconds) }
}

extension MeterEpochOpened {
  var wire: Wire.MeterEpochOpened {
    .with {
      $0.meter = meter.description
      $0.epoch = epoch
      $0.previous = previous
      $0.current = current
      $0.evidence = evidence
    }
  }
  init(_ wire: Wire.MeterEpochOpened) throws {
    self.init(
      meter: try meterName(wire.meter), epoch: wire.epoch, previous: wire.previous, current: wire.current,
      evidence: wire.evidence)
  }
}

extension UploadRejected {
  var wire: Wire.UploadRejected {
    .with {
      $0.epoch = epoch
      $0.sequence = sequence
      $0.reason = reason
    }
  }
  init(_ wire: Wire.UploadRejected) { self.init(epoch: wire.epoch, sequence: wire.sequence, reason: wire.reason) }
}

func meterName(_ text: String) throws -> MeterName {
  guard let name = MeterName(text) else {
    throw WireVocabularyError(description: "\"\(text)\" is not the name of a meter")
  }
  return name
}

func rowIndex(_ text: String) throws -> RowIndex {
  guard let name = ObjectIdentifier(dotted: text) else {
    throw WireVocabularyError(description: "\"\(text)\" is not the index of a row")
  }
  return RowIndex(name.components)
}
