import Evidence
import Foundation
import TestPrograms
import Testing

@testable import ReadModels

/// Evidence that was tampered with is found out, by the library behind `ptjournal verify` and by tools/verify_export.py, which shares
/// no code with it, and both say the same. A failing case says its seed.
@Suite struct `Evidence for a dispute` {
  private static let python = ProcessInfo.processInfo.environment["PT_PYTHON"]
  private static let script =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../../tools/verify_export.py"

  /// Repetitions of each mutation of each export, and of each proof.
  private static let exportSeeds: Range<UInt64> = 0..<8
  private static let proofSeeds: Range<UInt64> = 0..<12

  @Test func `as it was made is sound`() async throws {
    let ground = try await TamperingGround()
    for specimen in ground.exports + ground.proofs {
      #expect(try Self.fault(specimen, ground, as: specimen.name) == nil, "\(specimen.name)")
    }
  }

  @Test(.enabled(if: python != nil, "skipped: PT_PYTHON is not set"))
  func `tampered with is found out, and judged alike by the independent verifier`() async throws {
    let ground = try await TamperingGround()
    let sound = ground.exports + ground.proofs
    let tampered = Self.tampered(ground)
    #expect(tampered.count { $0.kind == .export } >= 1_000)
    var statuses: [String: Int32] = [:]
    for specimen in sound + tampered {
      statuses[specimen.name] = try Self.fault(specimen, ground, as: specimen.name)?.rawValue ?? 0
    }
    for specimen in tampered { #expect(statuses[specimen.name] != 0, "\(specimen.name)") }
    let counts = Dictionary(grouping: tampered) { statuses[$0.name] ?? 0 }.mapValues(\.count)
    print("\(tampered.count) tampered pieces of evidence, by exit status: \(counts.sorted { $0.key < $1.key })")
    let found = try Self.pythonStatuses(ground)
    #expect(found.count == statuses.count)
    for (name, status) in statuses { #expect(found[name] == status, "\(name)") }
  }

  @Test func `that the journal's own key forged is found out by the hub's key alone`() async throws {
    let ground = try await TamperingGround()
    let journalAlone = try ground.own.keys()
    for (number, original) in ground.exports.enumerated() {
      var (forged, random) = (original, Seeded(seed: UInt64(number)))
      Mutation.withoutCheckpoints.apply(&forged, original, &random)
      let name = "forged \(original.name)"
      #expect(try Self.fault(forged, ground, as: name) == .fault(.notCountersigned), "\(name)")
      let verifier = ExportVerifier(directory: ground.own.directory + "/batch/" + name, trusted: journalAlone)
      #expect(try verifier.verify().isSound, "\(name)")
    }
  }

  /// What was really changed, of all mutations of all specimens.
  private static func tampered(_ ground: TamperingGround) -> [Specimen] {
    mutants(of: ground.exports, ground.foreign, Mutation.ofExports, exportSeeds)
      + mutants(of: ground.proofs, ground.foreignProofs, Mutation.ofProofs, proofSeeds)
  }

  private static func mutants(
    of specimens: [Specimen], _ foreign: [Specimen], _ mutations: [Mutation], _ seeds: Range<UInt64>
  ) -> [Specimen] {
    var mutants: [Specimen] = []
    for (original, foreign) in zip(specimens, foreign) {
      for (number, mutation) in mutations.enumerated() {
        for seed in seeds {
          var random = Seeded(seed: seed << 16 | UInt64(number))
          var mutant = original
          mutation.apply(&mutant, foreign, &random)
          guard mutant.files != original.files else { continue }
          mutant.name = "\(original.name) \(mutation.name) seed \(seed)"
          mutants.append(mutant)
        }
      }
    }
    return mutants
  }

  /// What `ptjournal verify` ends with; nil where the evidence is sound.
  private static func fault(_ specimen: Specimen, _ ground: TamperingGround, as name: String) throws -> Status? {
    let directory = ground.own.directory + "/batch"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let path = try specimen.write(to: directory, as: name)
    let trusted = try ground.trusted
    do {
      switch specimen.kind {
      case .export:
        return try ExportVerifier(directory: path, trusted: trusted).verify().gravest.map { .fault($0.fault) }
      case .proof:
        guard case .failure(let finding) = try ProofCheck.outcome(ofProofAt: path, trusted) else { return nil }
        return .fault(finding.fault)
      }
    } catch {
      return .otherFormat
    }
  }

  enum Status: Equatable {
    case fault(EvidenceFault), otherFormat
    var rawValue: Int32 {
      switch self {
      case .fault(let fault): fault.rawValue
      case .otherFormat: 65
      }
    }
  }

  /// One run over everything that was written.
  private static func pythonStatuses(_ ground: TamperingGround) throws -> [String: Int32] {
    let process = try ChildProgram(
      try #require(python),
      [script, "--batch", ground.own.directory + "/batch"] + (try ground.keyTexts.flatMap { ["--key", $0] }),
      output: .pipe, errors: .inherited)
    var statuses: [String: Int32] = [:]
    for line in process.readToEnd().split(separator: "\n") {
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
      if parts.count == 3, let status = Int32(parts[0]) { statuses[String(parts[1])] = status }
    }
    return statuses
  }
}
