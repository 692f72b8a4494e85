@testable import TOMLText
import Testing

@Suite struct `A text before the TOML library` {
  @Test(arguments: [
    ("[.]", 1), ("[[.a]]", 1), ("a = 1\n [ .x]", 2), ("a = \"\"\"\n[.]\n\"\"\"\n[.b]", 4), ("a = [\n1,\n]\n[.]", 4),
    ("# [.]\n[\t.]", 2), ("a = '[.'\n[.]", 2), ("a = \"\\\"\"\n[.]", 2),
  ])
  func `has a header that would end the process`(text: String, line: Int) {
    #expect(TOMLFault.first(in: text) == TOMLFault(line: line, message: "the name of a table begins with a dot"))
  }

  @Test func `has a character that would end it early`() {
    #expect(TOMLFault.first(in: "a = 1\n\0") == TOMLFault(line: 2, message: "it has a NUL character"))
  }

  @Test(arguments: [
    "", "[a]", "[[a.b]]", "[\"a\"]", "a = [\n[1],\n[],\n[{ b = 1 }],\n]", "a = \"[.]\"", "a = \"\"\"\n[.]\n\"\"\"",
    "a = '''\n[.]\n'''", "# [.]",
    "a = [ # [.\n'[.', ]", "[", "[[", "a = \"unclosed\n[b]",
  ])
  func `is the library's to judge otherwise`(text: String) { #expect(TOMLFault.first(in: text) == nil) }
}
