import GRPCCore
import HTTP2
import TLS
import Testing

@testable import Replicator

@Suite struct StreamEndingTests {
  private enum Kind { case unavailable, refused, foreign }

  private static let cases: [(RPCError, Kind, String)] = [
    (lost(.timedOut(step: "connecting")), .unavailable, "firewalls let the connection through"),
    (lost(.refused(address: "h:1")), .unavailable, "Check hub.dcam, and that the hub runs."),
    (lost(.certificateNotTrusted(reason: "self-signed")), .foreign, "If the hub was made anew"),
    (lost(.certificateExpired(subject: "CN=hub")), .foreign, "must renew the hub's certificate"),
    (lost(.certificateNotYetValid(subject: "CN=hub")), .foreign, "Set this machine's clock"),
    (lost(.ownCertificateRefused(reason: "unknown")), .refused, "Ask the hub's operator"),
    (RPCError(code: .unavailable, message: "HTTP 503"), .unavailable, "the hub's log"),
    (RPCError(code: .unimplemented, message: "m"), .unavailable, "names the hub's dcam port"),
    (RPCError(code: .permissionDenied, message: "m"), .refused, "enroll --again"),
  ]

  private static func lost(_ failure: TLSError) -> RPCError {
    RPCError(code: .unavailable, message: "\(failure)", cause: HTTP2Error.connection(failure))
  }

  @Test(arguments: cases.indices)
  func `why a stream ended is told with its own cause and remedy`(index: Int) {
    let (error, kind, remedy) = Self.cases[index]
    let (found, trouble): (Kind, DeliveryStatus.Trouble) =
      switch StreamEnding(error) {
      case .unavailable(let trouble, _): (.unavailable, trouble)
      case .refused(let trouble): (.refused, trouble)
      case .foreign(let trouble): (.foreign, trouble)
      }
    #expect(found == kind)
    #expect(trouble.remedy.contains(remedy), "\(trouble.remedy)")
    #expect(trouble.remedy.contains("firewall") == remedy.contains("firewall"))
  }
}
