// Each event body as its protobuf message. Readings have a file of their own (`ReadingEncoding`); back go `EventDecoder` and its files.

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
  typealias DiscoveryFailed = Printtrail_Events_V1_DiscoveryFailed
  typealias DeviceDiscovered = Printtrail_Events_V1_DeviceDiscovered
  typealias DeviceMoved = Printtrail_Events_V1_DeviceMoved
  typealias DeviceReplaced = Printtrail_Events_V1_DeviceReplaced
  typealias DeviceSeenAlso = Printtrail_Events_V1_DeviceSeenAlso
  typealias DeviceMerged = Printtrail_Events_V1_DeviceMerged
  typealias DeviceRetired = Printtrail_Events_V1_DeviceRetired
  typealias DeviceReturned = Printtrail_Events_V1_DeviceReturned
  typealias PollFailed = Printtrail_Events_V1_PollFailed
  typealias AlertReported = Printtrail_Events_V1_AlertReported
  typealias AlertCleared = Printtrail_Events_V1_AlertCleared
  typealias AlertKey = Printtrail_Events_V1_AlertKey
  typealias Alert = Printtrail_Events_V1_Alert
  typealias MeterEpochOpened = Printtrail_Events_V1_MeterEpochOpened
  typealias MeterLeapt = Printtrail_Events_V1_MeterLeapt
  typealias MeterOffsetSet = Printtrail_Events_V1_MeterOffsetSet
  typealias UploadRejected = Printtrail_Events_V1_UploadRejected
  typealias UploadConflicted = Printtrail_Events_V1_UploadConflicted
  typealias JournalDamaged = Printtrail_Events_V1_JournalDamaged
  typealias RecordsRemoved = Printtrail_Events_V1_RecordsRemoved
  typealias ReadingsThinned = Printtrail_Events_V1_ReadingsThinned
  typealias JournalRestored = Printtrail_Events_V1_JournalRestored
  typealias JobOrder = Printtrail_Events_V1_JobOrder
  typealias Visit = Printtrail_Events_V1_Visit
  typealias JobReceived = Printtrail_Events_V1_JobReceived
  typealias JobStarted = Printtrail_Events_V1_JobStarted
  typealias JobCompleted = Printtrail_Events_V1_JobCompleted
  typealias JobEnded = Printtrail_Events_V1_JobEnded
  typealias JobExpired = Printtrail_Events_V1_JobExpired
  typealias SettingsApplied = Printtrail_Events_V1_SettingsApplied
  typealias SettingsRefused = Printtrail_Events_V1_SettingsRefused
  typealias RemoteSessionOpened = Printtrail_Events_V1_RemoteSessionOpened
  typealias RemoteRequest = Printtrail_Events_V1_RemoteRequest
  typealias RemoteRequestBegun = Printtrail_Events_V1_RemoteRequestBegun
  typealias RemoteSessionClosed = Printtrail_Events_V1_RemoteSessionClosed
  typealias RemoteCertificate = Printtrail_Events_V1_RemoteCertificate
  typealias Setting = Printtrail_Events_V1_Setting
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
  typealias Marker = Printtrail_Events_V1_Marker
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
}

extension AgentStopped {
  var wire: Wire.AgentStopped { .with { $0.reason = reason } }
}

extension InstallEnrolled {
  var wire: Wire.InstallEnrolled {
    .with {
      $0.installID = installID
      $0.entity = entity
      $0.hub = hub
      $0.certificateFingerprint = certificateFingerprint
      $0.certificateNotAfter = certificateNotAfter
      $0.isRenewal = isRenewal
    }
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
}

extension DeviceDiscovered {
  var wire: Wire.DeviceDiscovered {
    .with {
      $0.address = address
      $0.identity = identity.wire
      $0.credential = credential
      $0.evidence = evidence
    }
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
}

extension DeviceReplaced {
  var wire: Wire.DeviceReplaced {
    .with {
      $0.address = address
      $0.replacement = Data(replacement.bytes)
      $0.evidence = evidence
    }
  }
}

extension DeviceSeenAlso {
  var wire: Wire.DeviceSeenAlso {
    .with {
      $0.address = address
      $0.known = known
      $0.evidence = evidence
    }
  }
}

extension DeviceMerged {
  var wire: Wire.DeviceMerged {
    .with {
      $0.into = Data(into.bytes)
      $0.address = address
      $0.evidence = evidence
    }
  }
}

extension DeviceRetired {
  var wire: Wire.DeviceRetired {
    .with {
      $0.address = address
      $0.lastRead = lastRead
      $0.evidence = evidence
    }
  }
}

extension DeviceReturned {
  var wire: Wire.DeviceReturned {
    .with {
      $0.address = address
      $0.evidence = evidence
    }
  }
}

extension DiscoveryFailed {
  var wire: Wire.DiscoveryFailed {
    .with {
      $0.address = address
      $0.credential = credential
      $0.reason = reason
      $0.message = message
    }
  }
}

extension PollFailed {
  var wire: Wire.PollFailed {
    .with {
      $0.address = address
      $0.reason = reason
      $0.message = message
      $0.daysAsked = daysAsked
    }
  }
}

extension AlertKey {
  var wire: Wire.AlertKey {
    .with {
      $0.group = group
      $0.groupIndex = groupIndex
      $0.code = code
    }
  }
}

func wireAlert(
  _ key: AlertKey, _ alert: PrinterAlert, _ evidence: String, _ penalty: UInt32
) -> Wire.AlertReported {
  .with {
    $0.key = key.wire
    $0.alert = alert.wire
    $0.evidence = evidence
    $0.penalty = penalty
  }
}

extension AlertCleared {
  var wire: Wire.AlertCleared {
    .with {
      $0.key = key.wire
      $0.milliseconds = milliseconds
      $0.penalty = penalty
    }
  }
}

extension MeterEpochOpened {
  var wire: Wire.MeterEpochOpened {
    .with {
      $0.meter = meter.description
      $0.epoch = epoch
      $0.previous = previous
      $0.current = current
      $0.evidence = evidence
      $0.cause = cause
      if let volume { $0.volume = volume }
      if let continues { $0.continues = continues }
    }
  }
}

extension MeterLeapt {
  var wire: Wire.MeterLeapt {
    .with {
      $0.meter = meter.description
      $0.epoch = epoch
      $0.previous = previous
      $0.current = current
      $0.evidence = evidence
    }
  }
}

extension MeterOffsetSet {
  var wire: Wire.MeterOffsetSet {
    .with {
      $0.meter = meter.description
      $0.offset = offset
      $0.previous = previous
      $0.reason = reason
    }
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
}

extension UploadConflicted {
  var wire: Wire.UploadConflicted {
    .with {
      $0.epoch = epoch
      $0.first = first
      $0.last = last
      $0.heldHash = Data(heldHash)
    }
  }
}

extension JournalDamaged {
  var wire: Wire.JournalDamaged {
    .with {
      $0.reason = reason
      $0.quarantine = quarantine
      $0.lost = lost.map { range in
        .with {
          $0.epoch = range.epoch
          $0.first = range.first
          if let last = range.last { $0.last = last }
        }
      }
      $0.rangesLost = rangesLost
      $0.recordsKept = recordsKept
      $0.hasNewKey_p = hasNewKey
    }
  }
}

extension RecordsRemoved {
  var wire: Wire.RecordsRemoved {
    .with {
      $0.epoch = epoch
      $0.through = through
      $0.records = records
      $0.reason = reason
      $0.countersigner = countersigner
    }
  }
}

extension ReadingsThinned {
  var wire: Wire.ReadingsThinned {
    .with {
      $0.intervalSeconds = intervalSeconds
      $0.percent = percent
    }
  }
}

extension JournalRestored {
  var wire: Wire.JournalRestored {
    .with {
      $0.reason = reason
      $0.epoch = epoch
      $0.sequence = sequence
    }
  }
}
