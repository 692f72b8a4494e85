// Between the plain values of this room and the messages of dcam.proto.

internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import GRPCWire
internal import HubProtocol
internal import SwiftProtobuf
internal import TLS

/// Texts of a hub's are cut to this many characters before they are kept: a reason is a sentence.
private let reasonCharactersMax = 500
/// Troubles of a welcome that are looked at: no hub repeats more.
private let troublesMax = 4_096

extension Printtrail_Dcam_V1_Hello {
  init(_ heads: [RecordPosition], acknowledged: RecordPosition?, _ introduction: AgentIntroduction) {
    self = .with {
      $0.journalID = Data(introduction.journalID)
      $0.journalPublicKey = Data(introduction.journalPublicKey)
      $0.agentVersion = introduction.agentVersion
      $0.heads = heads.map { .init($0) }
      if let acknowledged { $0.acknowledged = .init(acknowledged) }
      $0.takesJobs = introduction.takesJobs
    }
  }
}

extension Printtrail_Dcam_V1_Position {
  init(_ position: RecordPosition) {
    self = .with { ($0.epoch, $0.sequence) = (position.epoch, position.sequence) }
  }
}

extension Printtrail_Dcam_V1_Record {
  init(_ record: DeliveryRecord) {
    self = .with { ($0.time, $0.hash, $0.payload) = (record.time, Data(record.hash), Data(record.payload)) }
  }
}

extension Printtrail_Dcam_V1_Express {
  init(_ express: ExpressRecord) {
    self = .with {
      ($0.epoch, $0.sequence) = (express.position.epoch, express.position.sequence)
      $0.record = .init(express.record)
    }
  }
}

extension Printtrail_Dcam_V1_AgentMessage {
  init(_ run: RecordRun) {
    self = .with {
      $0.batch = .with {
        $0.epoch = run.first.epoch
        $0.firstSequence = run.first.sequence
        $0.records = run.records.map { .init($0) }
      }
    }
  }

  init(lost range: ClosedRange<UInt64>, epoch: UInt32) {
    self = .with {
      $0.lost = .with {
        ($0.epoch, $0.firstSequence, $0.lastSequence) = (epoch, range.lowerBound, range.upperBound)
      }
    }
  }

  init(_ checkpoint: CheckpointNote) {
    self = .with {
      $0.checkpoint = .with {
        ($0.epoch, $0.sequence) = (checkpoint.position.epoch, checkpoint.position.sequence)
        $0.note = checkpoint.note
      }
    }
  }
}

extension Delivery.Event {
  /// Nil for a message of a newer hub that this agent does not know: such messages are ignored.
  init?(_ message: Printtrail_Dcam_V1_HubMessage) {
    switch message.message {
    case .welcome(let welcome)?: self = .welcomed(Welcome(welcome))
    case .acknowledgement(let body)?: self = .acknowledged(RecordPosition(epoch: body.epoch, sequence: body.sequence))
    case .rejection(let body)?:
      self = .rejected(RecordPosition(epoch: body.epoch, sequence: body.sequence), reason: body.reasonCut)
    case .conflict(let body)?:
      self = .conflicted(RecordPosition(epoch: body.epoch, sequence: body.sequence), heldHash: body.hashCut)
    case .countersignature(let body)?: self = .countersigned(CheckpointNote(body))
    // Not delivery's business.
    case .job?, nil: return nil
    }
  }
}

extension CheckpointNote {
  fileprivate init(_ body: Printtrail_Dcam_V1_Countersignature) {
    self.init(position: RecordPosition(epoch: body.epoch, sequence: body.sequence), note: body.note)
  }
}

extension Printtrail_Dcam_V1_Rejection {
  fileprivate var reasonCut: String { String(reason.prefix(reasonCharactersMax)) }
}

extension Printtrail_Dcam_V1_Conflict {
  /// A hash has 32 bytes; what is longer is none.
  fileprivate var hashCut: [UInt8] { Array(heldHash.prefix(32)) }
}

extension Welcome {
  init(_ welcome: Printtrail_Dcam_V1_Welcome) {
    let rejected = welcome.rejections.prefix(troublesMax).map {
      Trouble.rejected(RecordPosition(epoch: $0.epoch, sequence: $0.sequence), reason: $0.reasonCut)
    }
    let conflicted = welcome.conflicts.prefix(troublesMax).map {
      Trouble.conflicted(RecordPosition(epoch: $0.epoch, sequence: $0.sequence), heldHash: $0.hashCut)
    }
    self.init(
      holdings: Dictionary(welcome.holdings.map { ($0.epoch, $0.sequence) }, uniquingKeysWith: { max($0, $1) }),
      windowRecords: welcome.windowRecords, batchBytesMax: welcome.batchBytesMax, takesLost: welcome.takesLost,
      takesExpress: welcome.takesExpress, troubles: rejected + conflicted,
      countersigningKey: welcome.countersigningKey.isEmpty ? nil : welcome.countersigningKey)
  }
}

extension Printtrail_Dcam_V1_CheckInRequest {
  /// What one message of a stream is in an exchange.
  init(_ message: Printtrail_Dcam_V1_AgentMessage) {
    self = .with {
      switch message.message {
      case .hello(let hello)?: $0.hello = hello
      case .batch(let batch)?: $0.batch = batch
      case .checkpoint(let checkpoint)?: $0.checkpoint = checkpoint
      case .lost(let lost)?: $0.lost = lost
      case nil: break
      }
    }
  }
}

extension Printtrail_Dcam_V1_CheckInResponse {
  /// What a stream would have said to the request, in its order: all that is wrong before the acknowledgement that counts it as dealt with.
  var events: [Delivery.Event] {
    var events = conflictEvents
    events += rejections.map {
      .rejected(RecordPosition(epoch: $0.epoch, sequence: $0.sequence), reason: $0.reasonCut)
    }
    if hasAcknowledgement {
      events.append(
        .acknowledged(RecordPosition(epoch: acknowledgement.epoch, sequence: acknowledgement.sequence)))
    }
    if hasCountersignature { events.append(.countersigned(CheckpointNote(countersignature))) }
    return events
  }

  /// What it says of records ahead of their turn.
  var expressEvents: [Delivery.Event] {
    let answers = expressAnswers.map { answer in
      ExpressAnswer(
        position: RecordPosition(epoch: answer.epoch, sequence: answer.sequence),
        refusal: answer.refusal.isEmpty ? nil : String(answer.refusal.prefix(reasonCharactersMax)))
    }
    return conflictEvents + [.expressAnswered(answers)]
  }

  private var conflictEvents: [Delivery.Event] {
    conflicts.map { .conflicted(RecordPosition(epoch: $0.epoch, sequence: $0.sequence), heldHash: $0.hashCut) }
  }
}

/// Why a stream ended, sorted by what helps.
enum StreamEnding: Equatable {
  typealias Trouble = DeliveryStatus.Trouble

  /// The hub or the way to it is not there: try again soon.
  case unavailable(Trouble, hint: Duration?)
  /// The hub does not want this agent: try again rarely.
  case refused(Trouble)
  /// What answers is not the hub: try again rarely.
  case foreign(Trouble)

  private static let setting = "hub.dcam"
  private static let refusedRemedy =
    "Ask the hub's operator; a revoked install needs: ptagent enroll --again --code CODE"
  private static let hubsRemedy = "If it stays, ask the hub's operator what the hub's log says."

  init(_ error: any Error) {
    if let failure = TLSError.below(error) {
      self.init(failure)
    } else if let error = error as? RPCError {
      self.init(error)
    } else {
      self = .unavailable(Trouble(reason: "\(error)", remedy: Self.hubsRemedy), hint: nil)
    }
  }

  private init(_ failure: TLSError) {
    let remedy = failure.remedy(setting: Self.setting, untrusted: TLSError.otherAuthorityRemedy)
    switch failure {
    case .ownCertificateRefused(let reason):
      let words = "the hub does not accept this agent's certificate (\(reason))"
      self = .refused(Trouble(reason: words, remedy: remedy))
    case _ where failure.isAboutServer: self = .foreign(Trouble(reason: failure.description, remedy: remedy))
    default: self = .unavailable(Trouble(reason: failure.description, remedy: remedy), hint: nil)
    }
  }

  private init(_ error: RPCError) {
    let reason = error.message
    switch error.code {
    case .unauthenticated:
      let words = "the hub does not know this agent's certificate (\(reason))"
      self = .refused(Trouble(reason: words, remedy: Self.refusedRemedy))
    case .permissionDenied:
      let words = "the hub has revoked this install (\(reason))"
      self = .refused(Trouble(reason: words, remedy: Self.refusedRemedy))
    case .unimplemented:
      let remedy = "Check that \(Self.setting) names the hub's dcam port."
      self = .unavailable(Trouble(reason: reason, remedy: remedy), hint: error.retryAfter)
    default: self = .unavailable(Trouble(reason: reason, remedy: Self.hubsRemedy), hint: error.retryAfter)
    }
  }
}

extension RPCError {
  /// The trailer `retry-after-ms`, if it is there and a number.
  var retryAfter: Duration? {
    for text in metadata[stringValues: "retry-after-ms"] {
      if let milliseconds = Int64(text), milliseconds >= 0 { return .milliseconds(milliseconds) }
    }
    return nil
  }
}
