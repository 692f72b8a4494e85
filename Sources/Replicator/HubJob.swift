// A job as the hub sent it, in plain values: for whoever runs it to check. It has nothing to do with the delivery of records but that it comes
// by the same way.

internal import FoundationEssentials
internal import HubProtocol
internal import SwiftProtobuf

package struct HubJob: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    case scanDevices(ranges: [String])
    /// Devices here and below: 16 bytes each, if the hub is right.
    case uploadReadings(devices: [[UInt8]])
    case processAlerts(devices: [[UInt8]])
    /// - device: empty: the install's own.
    case updateSettings(device: [UInt8])
    case restart(standalone: Bool)
    case openDevicePage(device: [UInt8], Visit)
    case captureDiagnostics
  }

  /// Who wants to see a device's page, and for how long at most.
  package struct Visit: Equatable, Sendable {
    package var user: String
    package var reason: String
    package var from: String
    package var seconds: UInt32

    package init(user: String, reason: String, from: String, seconds: UInt32) {
      self.user = user
      self.reason = reason
      self.from = from
      self.seconds = seconds
    }
  }

  /// 16 bytes, if the hub is right.
  package var id: [UInt8]
  /// Milliseconds since 1970 UTC by the hub's clock.
  package var created: Int64
  package var millisecondsLeft: Int64
  package var isCancelled: Bool
  /// Nil for one that this release does not know.
  package var kind: Kind?

  package init(id: [UInt8], created: Int64, millisecondsLeft: Int64, isCancelled: Bool = false, kind: Kind?) {
    self.id = id
    self.created = created
    self.millisecondsLeft = millisecondsLeft
    self.isCancelled = isCancelled
    self.kind = kind
  }
}

extension HubJob {
  init(_ job: Printtrail_Dcam_V1_Job) {
    self.init(
      id: Array(job.id), created: job.created, millisecondsLeft: job.millisecondsLeft, isCancelled: job.cancelled,
      kind: job.kind.map { Kind($0) })
  }
}

extension HubJob.Kind {
  fileprivate init(_ kind: Printtrail_Dcam_V1_Job.OneOf_Kind) {
    self =
      switch kind {
      case .scanDevices(let body): .scanDevices(ranges: body.ranges)
      case .uploadReadings(let body): .uploadReadings(devices: body.devices.map { Array($0) })
      case .processAlerts(let body): .processAlerts(devices: body.devices.map { Array($0) })
      case .updateSettings(let body): .updateSettings(device: Array(body.device))
      case .restart(let body): .restart(standalone: body.standalone)
      case .openDevicePage(let body):
        .openDevicePage(
          device: Array(body.device),
          .init(user: body.user, reason: body.reason, from: body.from, seconds: body.seconds))
      case .captureDiagnostics: .captureDiagnostics
      }
  }
}
