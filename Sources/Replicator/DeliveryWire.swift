// Between the plain values of this room and the messages of dcam.proto.

internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
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
enum StreamEnding {
  /// The hub or the way to it is not there: try again soon.
  case unavailable(reason: String, hint: Duration?)
  /// The hub does not want this agent: try again rarely.
  case refused(reason: String)
  /// What answers is not the hub: try again rarely.
  case foreign(reason: String)

  init(_ error: any Error) {
    switch error {
    case let error as DeliveryViolation: self = .unavailable(reason: error.description, hint: nil)
    case let error as RPCError: self.init(error)
    default: self = .unavailable(reason: "\(error)", hint: nil)
    }
  }

  private init(_ error: RPCError) {
    switch error.cause as? TLSError {
    case .ownCertificateRefused(let reason):
      self = .refused(reason: "the hub does not accept this agent's certificate (\(reason))")
      return
    case let cause? where cause.isAboutServer:
      self = .foreign(reason: cause.description)
      return
    default: break
    }
    let reason = (error.cause as? TLSError)?.description ?? error.message
    switch error.code {
    case .unauthenticated: self = .refused(reason: "the hub does not know this agent's certificate (\(reason))")
    case .permissionDenied: self = .refused(reason: "the hub has revoked this install (\(reason))")
    default: self = .unavailable(reason: reason, hint: error.retryAfter)
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
