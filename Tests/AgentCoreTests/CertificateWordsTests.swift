@testable import AgentCore
import Enrolment
import Testing

@Suite struct CertificateWordsTests {
  private static let made: Int64 = 1_767_225_600
  private static let day: Int64 = 86_400

  /// What is said `after` seconds of a certificate that is good for so many days.
  private func words(_ circumstances: IdentityCircumstances = .init(), days: Int64 = 90, after: Int64)
    -> CertificateWords
  {
    let life = CertificateLife(
      notBefore: Self.made - 900, notAfter: Self.made + days * Self.day, fingerprint: [128, 0, 0, 0])
    return CertificateWords("install i-1 of Acme", life, circumstances, seconds: Self.made + after)
  }

  @Test func `a certificate that is good is good for so many days`() {
    let told = words(after: Self.day / 2)
    #expect(told.state == .ok && told.remedy == nil)
    #expect(told.message == "install i-1 of Acme, certificate good for 89 days")
  }

  @Test func `one that ends soon is told with the remedy, a short one only when it is due`() {
    let late = words(after: 80 * Self.day)
    #expect(late.state == .degraded && late.message.contains("ends in 10 days"))
    #expect(late.remedy?.contains("ptagent enroll --again") == true)
    #expect(words(days: 1, after: 3600).state == .ok)
    #expect(words(days: 1, after: Self.day - 3600).state == .degraded)
  }

  @Test func `one that has ended is a failure, fifteen minutes after its end`() {
    #expect(words(after: 90 * Self.day + 899).state == .degraded)
    let ended = words(after: 90 * Self.day + 901)
    #expect(ended.state == .failed && ended.remedy?.contains("clock") == true)
  }

  @Test func `a renewal that fails is told with its reason while there is time`() {
    let told = words(IdentityCircumstances(renewalTrouble: "the hub is away"), after: 61 * Self.day)
    #expect(told.state == .degraded)
    #expect(told.message.contains("ends in 29 days and could not be renewed: the hub is away"))
  }

  @Test(arguments: [(301, "ahead of"), (-301, "behind"), (Int64.max, "ahead of"), (Int64.min, "behind")])
  func `a wrong clock is told, and which way`(ahead: Int64, way: String) {
    let told = words(IdentityCircumstances(clockAheadSeconds: ahead), after: Self.day)
    #expect(told.state == .degraded && told.message.contains("\(way) the hub's"))
    #expect(told.remedy?.contains("15 min") == true, "\(told.remedy ?? "")")
  }

  @Test(arguments: [0, 299, -299] as [Int64]) func `a few minutes are nothing`(ahead: Int64) {
    #expect(words(IdentityCircumstances(clockAheadSeconds: ahead), after: Self.day).state == .ok)
  }
}
