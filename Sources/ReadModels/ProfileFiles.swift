// Vendor profiles of a site's own, laid over those of this release (docs/formats/profiles.md).

internal import FoundationEssentials
internal import Glibc
package import PrinterModel

/// Every profile file that was refused, a line each.
package struct ProfileFilesError: Error, CustomStringConvertible {
  package var refusals: [ProfileError]
  package var description: String { refusals.map(\.description).joined(separator: "\n") }
}

package enum ProfileFiles {
  /// The shipped profiles with those of `paths` over them: of two with one name the later holds.
  /// - Parameter paths: files, and directories whose files `*.toml` are taken in the order of their names.
  /// - Throws: `ExportError` where a file cannot be read, `ProfileFilesError` with every file that is no profile.
  package static func load(_ paths: [String]) throws -> ProfileSet {
    ProfileSet(ProfileSet.shipped.profiles + (try read(paths).map(\.profile)))
  }

  /// The profiles of these files, each with its file.
  /// - Throws: `ExportError` where a file cannot be read, `ProfileFilesError` with every error of every file that is no profile.
  package static func read(_ paths: [String]) throws -> [(file: String, profile: Profile)] {
    var profiles: [(file: String, profile: Profile)] = []
    var refusals: [ProfileError] = []
    for path in try paths.flatMap(files(at:)) {
      let bytes = try ExportFile.read(path, bytesMax: ProfileParser.fileBytesMax)
      let (profile, errors) = ProfileParser.check(bytes, file: path)
      refusals += errors
      if let profile { profiles.append((path, profile)) }
    }
    guard refusals.isEmpty else { throw ProfileFilesError(refusals: refusals) }
    return profiles
  }

  /// The name that a profile's file gives it, `acme` of `/etc/printtrail/profiles/acme.toml`; nil for a file that is no `*.toml`.
  package static func name(of path: String) -> String? {
    guard let file = path.split(separator: "/").last, file.hasSuffix(".toml") else { return nil }
    return String(file.dropLast(".toml".count))
  }

  private static func files(at path: String) throws(ExportError) -> [String] {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory else { return [path] }
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw ExportError.system(.open, path)
    }
    let profiles = names.filter { $0.hasSuffix(".toml") }.sorted()
    guard !profiles.isEmpty else { throw ExportError("There is no profile (*.toml) in \(path).", .missing) }
    return profiles.map { path + "/" + $0 }
  }
}
