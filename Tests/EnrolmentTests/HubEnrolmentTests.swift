import OpenSSL
import TLS
import Testing

@testable import Enrolment

@Suite struct HubEnrolmentTests {
  private static let cases: [(TLSError, isOurHub: Bool, String)] = [
    (.nameNotResolved(host: "h", reason: "unknown"), true, "Check the name in hub.csr"),
    (.unreachable(address: "h:1", reason: "no route"), true, "firewalls let the connection through"),
    (.wrongPin(expected: PublicKeyPin(subjectPublicKeyInfo: [])), false, "Compare hub.ca_pin"),
    (.certificateNotTrusted(reason: "self-signed"), false, "Compare hub.ca_pin"),
    (.certificateExpired(subject: "CN=hub"), false, "must renew the hub's certificate"),
    (.certificateNotYetValid(subject: "CN=hub"), false, "Set this machine's clock"),
    (.notTLS(reason: "http"), false, "Check that hub.csr names the hub's own port."),
  ]

  @Test(arguments: cases.indices)
  func `a hub that is not reached or not recognised is told with its own cause and remedy`(index: Int) {
    let (failure, isOurHub, remedy) = Self.cases[index]
    let error = HubEnrolmentService.explain(failure, hub: "h:1")
    switch error {
    case .unreachable: #expect(isOurHub)
    case .notOurHub: #expect(!isOurHub)
    default: Issue.record("\(error)")
    }
    #expect(error.description.contains(failure.description) && error.description.contains(remedy), "\(error)")
    #expect(error.description.contains("ca_pin") == remedy.contains("ca_pin"))
    #expect(error.description.contains("firewall") == remedy.contains("firewall"))
  }
}
