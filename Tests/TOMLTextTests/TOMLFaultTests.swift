import Testing

@testable import TOMLText

@Suite struct `A text before the TOML library` {
  @Test(arguments: [
    ("[.]", 1), ("[[.a]]", 1), ("[[[a]]]", 1), ("a = 1\n [ .x]", 2), ("[=]", 1), ("a = \"\"\"\n[.]\n\"\"\"\n[.b]", 4),
    ("a = [\n1,\n]\n[.]", 4), ("# [.]\n[\t.]", 2), ("a = '[.'\n[.]", 2), ("a = \"\\\"\"\n[.]", 2), ("[a]]\n[.]", 2),
    ("a = [}", 1), ("a = [1,\n}", 2), ("a = {b=1]", 1), ("a = 1979-05-27T:", 1), ("a = 1979-05-27", 1),
    ("a = 07:32:00", 1),
    ("a=4[b--[--'6 6 88", 1), ("a = 10.0.0.0/24", 1), ("a = [1, \n x\"]", 2), ("a = {b = 1-2}", 1), ("a = \u{e9}", 1),
  ])
  func `has what would end the process`(text: String, line: Int) {
    #expect(TOMLFault.first(in: text)?.line == line)
  }

  @Test func `has a character that would end it early`() {
    #expect(TOMLFault.first(in: "a = 1\n\0") == TOMLFault(line: 2, message: "it has a NUL character"))
  }

  @Test(arguments: [
    "", "[a]", "[[a.b]]", "[\"a\"]", "a = [\n[1],\n[],\n[{ b = 1 }],\n]", "a = \"[.]\"", "a = \"\"\"\n[.]\n\"\"\"",
    "a = '''\n[.]\n'''", "# [.]",
    "a = [ # [.\n'[.', ]", "[", "[[", "a = \"unclosed\n[b]", "a = -1.5e-3", "a = 0x1F\nb = +inf", "a.b = true # 1-2",
    "a = { b = [1, 2], c = \"x\" }",
    "\"a-b\" = 1\n'c' = 2\nd-e = 3", "a = 1_000\r\nb = 2\r\n", "[a.'b]c']\nd = 1", "a =", "= 1", "a",
  ])
  func `is the library's to judge otherwise`(text: String) { #expect(TOMLFault.first(in: text) == nil) }
}
