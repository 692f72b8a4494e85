import Platform

/// A new directory of a test's own.
func temporaryDirectory() throws -> String {
  let path = "/tmp/printtrail-tests/platform-\(UInt64.random(in: 0 ... .max))"
  try Files.makeDirectory(path)
  return path
}
