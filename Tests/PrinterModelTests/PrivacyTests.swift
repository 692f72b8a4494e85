// What docs/security/privacy.md promises never to ask a printer for.

import MIB
import PrinterModel
import Testing

@Suite("What is never asked") struct PrivacyTests {
  /// Objects that name people or what they printed.
  private static let personal: [(name: String, object: ObjectIdentifier)] = [
    ("sysContact", [1, 3, 6, 1, 2, 1, 1, 4]),
    ("prtGeneralCurrentOperator", [1, 3, 6, 1, 2, 1, 43, 5, 1, 1, 4]),
    ("prtGeneralServicePerson", [1, 3, 6, 1, 2, 1, 43, 5, 1, 1, 5]),
    ("Job Monitoring MIB (RFC 2707)", [1, 3, 6, 1, 4, 1, 2699, 1, 1]),
    ("hrSWRun", [1, 3, 6, 1, 2, 1, 25, 4]),
    ("tcpConnTable", [1, 3, 6, 1, 2, 1, 6, 13]),
    ("ipNetToMediaTable", [1, 3, 6, 1, 2, 1, 4, 22]),
  ]

  @Test func `no poll reads who uses, serves or administers a printer, or what it prints`() {
    let asked = PollTargets.tables + PollTargets.evidence.tables
    let names = asked.flatMap(\.columnNames) + PollTargets.evidence.scalars + Self.profileObjects
    #expect(names.count > 250, "the list of what is asked has come apart")
    for name in names {
      for (what, object) in Self.personal {
        #expect(!name.isWithin(object), "\(name) is of \(what)")
      }
    }
  }

  @Test func `no IPP request asks for jobs or their owners`() {
    #expect(PrinterAttribute.keywords.count > 20)
    for keyword in PrinterAttribute.keywords {
      #expect(!keyword.hasPrefix("job-"), "\(keyword)")
      #expect(
        !keyword.contains("user-name") && !keyword.contains("owner") && !keyword.contains("contact"), "\(keyword)")
    }
  }

  private static var profileObjects: [ObjectIdentifier] {
    var names: [ObjectIdentifier] = []
    for profile in ProfileSet.shipped.profiles {
      names += profile.counters.map(\.name)
      names += profile.records.map(\.name)
      names += profile.supplyRecords.map(\.name)
      for table in profile.tables { names += table.describingColumns + [table.values] }
      names += profile.identity.serial + profile.identity.model + profile.identity.console
    }
    return names
  }
}
