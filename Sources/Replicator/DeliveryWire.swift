// Between the plain values of this room and the messages of dcam.proto.

internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import GRPCWire
internal import HubProtocol
internal import SwiftProtobuf
internal import TLS

extension Printtrail_Dcam_V1_AgentMessage {
  init(hello heads: [RecordPosition], _ introduction: AgentIntroduction) {
    self = .with {
      $0.hello = .with {
        $0.journalID = Data(introduction.journalID)
        $0.journalPublicKey = Data(introduction.journalPublicKey)
        $0.agentVersion = introduction.agentVersion
        $0.heads = heads.map { head in .with { ($0.epoch, $0.sequence) = (head.epoch, head.sequence) } }
      }
    }
  }

  init(_ run: RecordRun) {
    self = .with {
      $0.batch = .with {
        $0.epoch = run.first.epoch
        $0.firstSequence = run.first.sequence
        $0.records = run.records.map { record in
          .with { ($0.time, $0.hash, $0.payload) = (record.time, Data(record.hash), Data(record.payload)) }
        }
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
    case .welcome(let welcome)?:
      let holdings = Dictionary(welcome.holdings.map { ($0.epoch, $0.sequence) }, uniquingKeysWith: { max($0, $1) })
      self = .welcomed(
        Welcome(
          holdings: holdings, windowRecords: welcome.windowRecords, batchBytesMax: welcome.batchBytesMax,
          takesLost: welcome.takesLost,
          countersigningKey: welcome.countersigningKey.isEmpty ? nil : welcome.countersigningKey))
    case .acknowledgement(let body)?: self = .acknowledged(RecordPosition(epoch: body.epoch, sequence: body.sequence))
    case .rejection(let body)?:
      self = .rejected(RecordPosition(epoch: body.epoch, sequence: body.sequence), reason: body.reason)
    case .conflict(let body)?:
      self = .conflicted(RecordPosition(epoch: body.epoch, sequence: body.sequence), heldHash: Array(body.heldHash))
    case .countersignature(let body)?:
      self = .countersigned(
        CheckpointNote(position: RecordPosition(epoch: body.epoch, sequence: body.sequence), note: body.note))
    case nil: return nil
    }
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
