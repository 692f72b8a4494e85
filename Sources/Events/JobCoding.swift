// The bodies of what happens to jobs, to bytes and back (Protos/events.proto says what the numbers mean).

internal import FoundationEssentials
internal import SwiftProtobuf

extension JobOrder {
  fileprivate var wire: Wire.JobOrder {
    .with {
      $0.kind = kind
      $0.ranges = ranges
      $0.devices = devices.map { Data($0.bytes) }
      $0.option = option
      if let visit { $0.visit = visit.wire }
    }
  }
}

extension JobOrder.Visit {
  var wire: Wire.Visit {
    .with { ($0.user, $0.reason, $0.from, $0.seconds) = (user, reason, from, seconds) }
  }
}

extension JobReceived {
  var wire: Wire.JobReceived {
    .with {
      $0.id = Data(id.bytes)
      $0.order = order.wire
      $0.created = created
      $0.deadline = deadline
    }
  }
}

extension JobStarted {
  var wire: Wire.JobStarted { .with { $0.id = Data(id.bytes) } }
}

extension JobCompleted {
  var wire: Wire.JobCompleted {
    .with {
      $0.id = Data(id.bytes)
      $0.result = result
      $0.milliseconds = milliseconds
      $0.attachment = Data(attachment)
      $0.path = path
    }
  }
}

extension JobFailed {
  var wire: Wire.JobEnded {
    .with {
      ($0.id, $0.reason, $0.message) = (Data(id.bytes), reason, message)
      if let visit { $0.visit = visit.wire }
      if let device { $0.device = Data(device.bytes) }
    }
  }
}

extension JobExpired {
  var wire: Wire.JobExpired { .with { ($0.id, $0.hadStarted) = (Data(id.bytes), hadStarted) } }
}

extension JobRefused {
  var wire: Wire.JobEnded {
    .with {
      ($0.id, $0.reason, $0.message) = (Data(id.bytes), reason, message)
      ($0.kind, $0.deadline) = (kind, deadline)
      if let visit { $0.visit = visit.wire }
      if let device { $0.device = Data(device.bytes) }
    }
  }
}

extension EventDecoder {
  func jobReceived(_ bytes: UnsafeRawBufferPointer) throws -> JobReceived {
    var (id, order, created, deadline) = ([UInt8](), JobOrder(kind: ""), Int64(0), Int64(0))
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: id = fields.octets ?? id
      case 2: if let bytes = fields.bytes { order = try jobOrder(bytes) }
      case 3: created = fields.int64 ?? created
      case 4: deadline = fields.int64 ?? deadline
      default: break
      }
    }
    return JobReceived(id: try jobID(id), order: order, created: created, deadline: deadline)
  }

  private func jobOrder(_ bytes: UnsafeRawBufferPointer) throws -> JobOrder {
    var order = JobOrder(kind: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: order.kind = try fields.string() ?? order.kind
      case 2: try fields.append(to: &order.ranges)
      case 3: if let octets = fields.octets { order.devices.append(try jobDevice(octets)) }
      case 4: order.option = try fields.string() ?? order.option
      case 5: if let bytes = fields.bytes { order.visit = try visit(bytes) }
      default: break
      }
    }
    return order
  }

  func visit(_ bytes: UnsafeRawBufferPointer) throws -> JobOrder.Visit {
    var visit = JobOrder.Visit(user: "", reason: "", from: "", seconds: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: visit.user = try fields.string() ?? visit.user
      case 2: visit.reason = try fields.string() ?? visit.reason
      case 3: visit.from = try fields.string() ?? visit.from
      case 4: visit.seconds = fields.uint64.map { UInt32(clamping: $0) } ?? visit.seconds
      default: break
      }
    }
    return visit
  }

  func jobStarted(_ bytes: UnsafeRawBufferPointer) throws -> JobStarted {
    var id: [UInt8] = []
    var fields = FieldReader(bytes)
    while try fields.next() {
      if fields.number == 1 { id = fields.octets ?? id }
    }
    return JobStarted(id: try jobID(id))
  }

  func jobCompleted(_ bytes: UnsafeRawBufferPointer) throws -> JobCompleted {
    var (id, result, milliseconds) = ([UInt8](), "", UInt64(0))
    var (attachment, path) = ([UInt8](), "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: id = fields.octets ?? id
      case 2: result = try fields.string() ?? result
      case 3: milliseconds = fields.uint64 ?? milliseconds
      case 4: attachment = fields.octets ?? attachment
      case 5: path = try fields.string() ?? path
      default: break
      }
    }
    return JobCompleted(
      id: try jobID(id), result: result, milliseconds: milliseconds, attachment: attachment, path: path)
  }

  func jobFailed(_ bytes: UnsafeRawBufferPointer) throws -> JobFailed {
    let body = try jobEnded(bytes)
    return JobFailed(
      id: body.id, reason: body.reason, message: body.message, visit: body.visit, device: body.device)
  }

  func jobRefused(_ bytes: UnsafeRawBufferPointer) throws -> JobRefused { try jobEnded(bytes) }

  func jobExpired(_ bytes: UnsafeRawBufferPointer) throws -> JobExpired {
    var (id, hadStarted) = ([UInt8](), false)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: id = fields.octets ?? id
      case 2: hadStarted = fields.bool ?? hadStarted
      default: break
      }
    }
    return JobExpired(id: try jobID(id), hadStarted: hadStarted)
  }

  /// Both kinds of `JobEnded`, of which one has more.
  private func jobEnded(_ bytes: UnsafeRawBufferPointer) throws -> JobRefused {
    var (id, reason, message, kind, deadline) = ([UInt8](), "", "", "", Int64(0))
    var (visit, device): (JobOrder.Visit?, DeviceID?) = (nil, nil)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: id = fields.octets ?? id
      case 2: reason = try fields.string() ?? reason
      case 3: message = try fields.string() ?? message
      case 4: kind = try fields.string() ?? kind
      case 5: deadline = fields.int64 ?? deadline
      case 6: if let bytes = fields.bytes { visit = try self.visit(bytes) }
      case 7: if let octets = fields.octets, !octets.isEmpty { device = try jobDevice(octets) }
      default: break
      }
    }
    return JobRefused(
      id: try jobID(id), reason: reason, message: message, kind: kind, deadline: deadline, visit: visit, device: device)
  }

  private func jobID(_ bytes: [UInt8]) throws -> JobID {
    guard let id = JobID(bytes) else {
      throw WireVocabularyError(description: "the id of a job must have 16 bytes, not \(bytes.count)")
    }
    return id
  }

  private func jobDevice(_ bytes: [UInt8]) throws -> DeviceID {
    guard let id = DeviceID(bytes) else {
      throw WireVocabularyError(description: "the id of a job's device must have 16 bytes, not \(bytes.count)")
    }
    return id
  }
}
