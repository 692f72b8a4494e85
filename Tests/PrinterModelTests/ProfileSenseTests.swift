// Profile files that are as the schema has them, and cannot be meant.

internal import Foundation
internal import PrinterModel
internal import Testing

@Suite struct `A profile that makes no sense` {
  private static let head = """
    name = "example"
    version = 3
    make = "Example"
    [match]
    object-ids = ["1.3.6.1.4.1.99999"]

    """

  private func refusal(_ text: String) -> ProfileError? {
    ProfileParser.check(Array(text.utf8), file: "example.toml").errors.first
  }

  /// A counter of the maker's own, whose id, object and meter may be wrong.
  private func counter(id: String = "a", oid: String = "1.3.6.1.4.1.99999.5.0", meter: String = "fax") -> String {
    "[[counter]]\nid = \"\(id)\"\noid = \"\(oid)\"\nmeter = \"\(meter)\"\nunit = \"impressions\"\nconfidence = \"mib-defined\"\n"
  }

  @Test func `checks in a circle prove one another, and are refused`() {
    let counters = ["print", "copy", "fax"].enumerated().map { index, meter in
      counter(id: meter, oid: "1.3.6.1.4.1.99999.\(index + 1).0", meter: meter)
    }
    func checks(_ all: [(String, String)]) -> String {
      all.map { "[[check]]\nname = \"\($0.0) is \($0.1)\"\ntotal = \"\($0.0)\"\nparts = [\"\($0.1)\"]\n" }.joined()
    }
    let head = Self.head + counters.joined()
    #expect(refusal(head + checks([("life", "print"), ("print", "copy"), ("life", "copy")])) == nil)
    let two = refusal(head + checks([("print", "copy"), ("copy", "print")]))
    #expect(two?.key == "check[1].parts" && two?.expected.contains("circle") == true)
    let three = refusal(head + checks([("print", "copy"), ("fax", "print"), ("copy", "fax")]))
    #expect(three?.key == "check[2].parts" && three?.expected.contains("`copy` is a part of its own parts") == true)
  }

  @Test(arguments: ["H", "HP", " H"])
  func `a beginning of fewer than three characters is many makers', and refused`(text: String) {
    let head = Self.head.replacingOccurrences(of: "[match]", with: "[match]\ndescriptions = [\"OKI\", \"\(text)\"]")
    #expect(refusal(head)?.key == "match.descriptions")
    #expect(refusal(Self.head + "[[brand]]\nprefix = \"\(text)\"\nmake = \"A\"")?.key == "brand[0].prefix")
    #expect(refusal(Self.head + "[[brand]]\nprefix = \"HP \"\nmake = \"HP\"") == nil)
  }

  @Test func `an empty mark of a cut is refused, and none is the whole text`() {
    let cut = "[[cut]]\nfield = \"model\"\nfrom = \"sysDescr\"\n"
    #expect(refusal(Self.head + cut) == nil)
    for key in ["after", "until"] { #expect(refusal(Self.head + cut + "\(key) = \"\"")?.key == "cut[0].\(key)") }
  }

  @Test(arguments: ["a@b/c d", "", "Pages", String(repeating: "a", count: 65)])
  func `an id is a part of a rule's name`(id: String) {
    #expect(refusal(Self.head + counter(id: id))?.key == "counter[0].id")
    #expect(refusal(Self.head + counter(id: String(repeating: "a", count: 64))) == nil)
  }

  @Test func `a qualifier is a name that people read`() {
    func fax(_ count: Int) -> String { counter(meter: "fax#" + String(repeating: "q", count: count)) }
    let error = refusal(Self.head + fax(65))
    #expect(error?.key == "counter[0].meter" && error?.expected.contains("64 characters at most") == true)
    #expect(refusal(Self.head + fax(64)) == nil)
  }

  @Test func `columns of one table are of one maker, and a counter is none of them`() {
    func table(labels: String) -> String {
      """
      [[table]]
      id = "t"
      labels = "\(labels)"
      values = "1.3.6.1.4.1.99999.2.1.3"
      unit = "impressions"
      confidence = "mib-defined"
      row = [{ label = "Copies", meter = "copy" }]

      """
    }
    let other = refusal(Self.head + table(labels: "1.3.6.1.4.1.11.2.3"))
    #expect(other?.key == "table[0].labels" && other?.expected.contains("another maker's tree") == true)
    #expect(refusal(Self.head + table(labels: "1.3.6.1.2.1.43.11.1.1.6")) == nil, "a standard's, which it extends")
    let own = table(labels: "1.3.6.1.4.1.99999.2.1.2")
    for column in ["1.3.6.1.4.1.99999.2.1.3", "1.3.6.1.4.1.99999.2.1.2", "1.3.6.1.4.1.99999.2"] {
      let error = refusal(Self.head + own + counter(oid: column))
      #expect(error?.key == "counter[0].oid" && error?.expected.contains("with its instance") == true)
    }
    let numbers = "[[supply-numbers]]\ndescriptions = \"1.3.6.1.4.1.99999.7\"\npart-numbers = \"1.3.6.1.4.1.11.7\"\n"
    #expect(refusal(Self.head + numbers)?.key == "supply-numbers[0].part-numbers")
  }
}
