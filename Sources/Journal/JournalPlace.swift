// Whose a directory is: nobody but the journal's programs writes into a journal's.

internal import Glibc

package enum JournalPlace {
  /// The journal that `path` is, lies in, or holds directly; nil where there is none. `path` itself need not be there yet.
  package static func journal(around path: String) -> String? {
    let place = resolved(path)
    var above = place ?? resolved(Files.parent(of: path)) ?? "/"
    while !isJournal(above) {
      guard above != "/" else {
        return place.flatMap { place in Files.names(in: place).sorted().map { place + "/" + $0 }.first(where: isJournal)
        }
      }
      above = Files.parent(of: above)
    }
    return above
  }

  /// A journal whose identity is lost or damaged still has its key, and a copy without the key its identity.
  private static func isJournal(_ directory: String) -> Bool {
    access(directory + "/" + JournalFile.key, F_OK) == 0 || (try? JournalIdentity.read(directory: directory)) != nil
  }

  /// The path without links; nil where nothing is there.
  private static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
