// Sessions with devices' own pages as JSON: see `EventJSON`.

internal import Events

extension JSONWriter {
  mutating func remote(_ event: RemoteSessionOpened) {
    member("job", event.job.description)
    visit(event.visit)
    member("address", event.address)
    member("evidence", event.evidence)
    key("targets")
    array(event.targets) { $0.string($1) }
  }

  mutating func remote(_ event: RemoteRequestBegun) {
    member("job", event.job.description)
    member("method", event.method)
    member("target", event.target)
    member("path", event.path)
    if !event.parameters.isEmpty {
      key("parameters")
      array(event.parameters) { $0.string($1) }
    }
  }

  mutating func remote(_ event: RemoteRequest) {
    member("job", event.job.description)
    member("method", event.method)
    if !event.target.isEmpty { member("target", event.target) }
    member("path", event.path)
    if !event.parameters.isEmpty {
      key("parameters")
      array(event.parameters) { $0.string($1) }
    }
    if event.begun > 0 { member("begun", event.begun) }
    member("status", event.status)
    if !event.error.isEmpty { member("error", event.error) }
    member("bytesSent", event.bytesSent)
    member("bytesReceived", event.bytesReceived)
    member("milliseconds", event.milliseconds)
  }

  mutating func remote(_ event: RemoteSessionClosed) {
    member("job", event.job.description)
    member("reason", event.reason)
    member("message", event.message)
    member("requests", event.requests)
    member("bytesSent", event.bytesSent)
    member("bytesReceived", event.bytesReceived)
    member("milliseconds", event.milliseconds)
  }

  mutating func remote(_ event: RemoteCertificate) {
    member("port", event.port)
    key("digest")
    hex(event.digest)
    if !event.former.isEmpty {
      key("former")
      hex(event.former)
    }
    member("subject", event.subject)
  }

  /// Who wants to see a device's own pages, and why.
  /// Who wanted to see which device's own pages, where a job was for that.
  mutating func wanted(_ visit: JobOrder.Visit?, _ device: DeviceID?) {
    if let visit { self.visit(visit) }
    if let device { member("device", device.description) }
  }

  mutating func visit(_ visit: JobOrder.Visit) {
    key("visit")
    object { json in
      json.member("user", visit.user)
      json.member("reason", visit.reason)
      json.member("from", visit.from)
      json.member("seconds", visit.seconds)
    }
  }
}
