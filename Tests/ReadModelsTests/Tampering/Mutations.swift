import Evidence
import Foundation
import Journal
import OpenSSL

@testable import ReadModels

/// One way to tamper with evidence. It changes bytes, or says that it had nothing to change.
struct Mutation: Sendable {
  var name: String
  /// Gets the specimen, one of the same kind from another journal, and the numbers to choose by.
  var apply: @Sendable (inout Specimen, Specimen, inout Seeded) -> Void

  init(_ name: String, _ apply: @escaping @Sendable (inout Specimen, Specimen, inout Seeded) -> Void) {
    self.name = name
    self.apply = apply
  }
}

extension Mutation {
  // MARK: Of any file

  static let ofBytes: [Mutation] = [
    Mutation("flip a byte") { specimen, _, random in
      let name = specimen.someFile(&random)
      guard let index = specimen.files[name]?.indices.randomElement(using: &random) else { return }
      specimen.files[name]?[index] ^= UInt8.random(in: 1...255, using: &random)
    },
    Mutation("delete a byte") { specimen, _, random in
      let name = specimen.someFile(&random)
      guard let index = specimen.files[name]?.indices.randomElement(using: &random) else { return }
      specimen.files[name]?.remove(at: index)
    },
    Mutation("insert a byte") { specimen, _, random in
      let name = specimen.someFile(&random)
      let index = Int.random(in: 0...(specimen.files[name]?.count ?? 0), using: &random)
      specimen.files[name]?.insert(UInt8.random(in: 0...255, using: &random), at: index)
    },
    Mutation("cut a file short") { specimen, _, random in
      let name = specimen.someFile(&random)
      guard let count = specimen.files[name]?.count, count > 0 else { return }
      specimen.files[name]?.removeLast(Int.random(in: 1...count, using: &random))
    },
    Mutation("another journal's file") { specimen, foreign, random in
      let name = specimen.someFile(&random)
      if let file = foreign.files[name] { specimen.files[name] = file }
    },
  ]

  // MARK: Of exports

  static let ofLines: [Mutation] = [
    Mutation("edit a digit") { specimen, _, random in specimen.changeLine(&random) { $0.changeDigit(&$1) } },
    Mutation("edit a hash") { specimen, _, random in
      specimen.changeLine(&random) { $0.changeCharacter(after: "\"leafhash\":\"", 64, &$1) }
    },
    Mutation("edit a payload") { specimen, _, random in
      specimen.changeLine(&random) { $0.changeCharacter(after: "\"payload\":\"", 40, &$1) }
    },
    Mutation("delete a line") { specimen, _, random in
      specimen.changeLines { if let index = $0.indices.randomElement(using: &random) { $0.remove(at: index) } }
    },
    Mutation("double a line") { specimen, _, random in
      specimen.changeLines { if let line = $0.randomElement(using: &random) { $0.insertSomewhere(line, &random) } }
    },
    Mutation("insert another journal's line") { specimen, foreign, random in
      let line = foreign.lines(foreign.linesName).randomElement(using: &random)
      specimen.changeLines { if let line { $0.insertSomewhere(line, &random) } }
    },
    Mutation("swap two lines") { specimen, _, random in
      specimen.changeLines { lines in
        guard lines.count > 1 else { return }
        let index = Int.random(in: 0..<lines.count - 1, using: &random)
        lines.swapAt(index, index + 1)
      }
    },
    Mutation("truncate a line") { specimen, _, random in
      specimen.changeLine(&random) { $0.removeLast(Int.random(in: 1...$0.count, using: &$1)) }
    },
    Mutation("remove lines from the end") { specimen, _, random in
      specimen.changeLines { $0.removeLast(Int.random(in: 0...$0.count, using: &random)) }
    },
  ]

  /// With every length and hash made to fit, as far as that goes without the journal's key.
  static let fitted: [Mutation] = ofLines.map { mutation in
    Mutation(mutation.name + ", all fitted") { specimen, foreign, random in
      mutation.apply(&specimen, foreign, &random)
      specimen.fitManifest()
    }
  }

  static let ofManifests: [Mutation] = [
    Mutation("recompute an edited record") { specimen, _, random in
      specimen.forgeRecord(&random)
      specimen.fitManifest()
    },
    Mutation("recompute an edited record, without a seal") { specimen, _, random in
      specimen.forgeRecord(&random)
      specimen.fitManifest()
      specimen.files[Export.sealName] = nil
    },
    Mutation("leave out a record, all numbers fitted") { specimen, _, _ in specimen.leaveOut() },
    Mutation("add a file") { specimen, foreign, random in
      let names = Export.fileNames + ["events-2.jsonl", ".hidden", Export.eventsName + OutputDirectory.unfinished]
      guard let name = names.filter({ specimen.files[$0] == nil }).randomElement(using: &random) else { return }
      specimen.files[name] = foreign.files[specimen.linesName]
    },
    Mutation("remove a file") { specimen, _, random in specimen.files[specimen.someFile(&random)] = nil },
    Mutation("edit a number of the manifest") { specimen, _, random in
      var text = specimen.text(Export.manifestName)
      text.changeDigit(&random)
      specimen.files[Export.manifestName] = Array(text.utf8)
    },
    Mutation("another journal's checkpoint") { specimen, foreign, random in
      guard let own = specimen.checkpoints.randomElement(using: &random),
        let other = foreign.checkpoints.randomElement(using: &random)
      else { return }
      specimen.replace(own, with: other, in: Export.manifestName)
    },
    Mutation("another epoch's checkpoint") { specimen, _, _ in
      let checkpoints = specimen.checkpoints
      guard checkpoints.count == 2 else { return }
      specimen.replace(checkpoints[0], with: checkpoints[1], in: Export.manifestName)
    },
    Mutation("another journal's key") { specimen, foreign, _ in
      guard let own = specimen.statedKey, let other = foreign.statedKey, let ownKey = try? VerifierKey(own),
        let otherKey = try? VerifierKey(other)
      else { return }
      let swapped = VerifierKey(name: ownKey.name, publicKey: otherKey.publicKey)
      specimen.replace(own, with: swapped.description, in: Export.manifestName)
    },
    Mutation("another journal's whole export") { specimen, foreign, _ in specimen = foreign },
    Mutation("another option") { specimen, _, _ in
      let manifest = specimen.text(Export.manifestName)
      let device = manifest.contains("\"device\":\"") ? "\"device\":\"ff" : "\"options\":{\"device\":\"00\","
      specimen.replace(
        manifest.contains("\"device\":\"") ? "\"device\":\"00" : "\"options\":{", with: device, in: Export.manifestName)
      specimen.replace("\"device\":\"01", with: "\"device\":\"fe", in: Export.manifestName)
    },
    Mutation("signed anew with another key") { specimen, _, random in specimen.signAnew(&random) },
    withoutCheckpoints,
  ]

  /// All that can be done with the journal's key, but not the hub's.
  static let withoutCheckpoints = Mutation("signed anew with the journal's key, without checkpoints") {
    specimen, _, random in
    specimen.forgeRecord(&random)
    specimen.dropCheckpoints()
    specimen.fitManifest()
    specimen.seal(with: specimen.signer)
  }

  static let ofExports = ofBytes + ofLines + fitted + ofManifests

  // MARK: Of proofs

  static let ofProofs: [Mutation] =
    ofBytes + [
      Mutation("delete a line") { proof, _, random in
        proof.changeProof { if let index = $0.indices.randomElement(using: &random) { $0.remove(at: index) } }
      },
      Mutation("double a line above the checkpoint") { proof, _, random in
        proof.changeProof { lines in
          let end = lines.firstIndex(of: "") ?? lines.count
          let index = Int.random(in: 0..<end, using: &random)
          lines.insert(lines[index], at: index)
        }
      },
      Mutation("swap two lines above the checkpoint") { proof, _, random in
        proof.changeProof { lines in
          let index = Int.random(in: 0..<max(1, (lines.firstIndex(of: "") ?? 1) - 1), using: &random)
          lines.swapAt(index, index + 1)
        }
      },
      Mutation("edit the record") { proof, _, random in
        proof.changeProof { lines in
          guard lines[1].hasPrefix("extra "), var record = bytes(base64: lines[1].dropFirst(6)) else { return }
          record[Int.random(in: 5..<record.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
          lines[1] = "extra " + base64(record)
        }
      },
      Mutation("edit the index") { proof, _, random in
        proof.changeProof { lines in
          guard lines[2].hasPrefix("index ") else { return }
          lines[2] = "index \(UInt64.random(in: 12...UInt64.max, using: &random))"
        }
      },
      Mutation("edit a hash") { proof, _, random in
        proof.changeProof { lines in
          let hashes = lines.indices.filter { bytes(base64: lines[$0])?.count == 32 }
          guard let index = hashes.randomElement(using: &random), var hash = bytes(base64: lines[index]) else { return }
          hash[Int.random(in: 0..<32, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
          lines[index] = base64(hash)
        }
      },
      Mutation("another journal's checkpoint") { proof, foreign, _ in
        let end = proof.lines(Specimen.proofName).firstIndex(of: "") ?? 0
        let note = foreign.lines(Specimen.proofName).drop { !$0.isEmpty }
        proof.changeProof { $0 = Array($0[..<end]) + note }
      },
      Mutation("another journal's hashes") { proof, foreign, _ in
        let lines = proof.lines(Specimen.proofName)
        let own = lines.drop { !$0.isEmpty }
        proof.set(
          Specimen.proofName, lines: foreign.lines(Specimen.proofName).prefix { !$0.isEmpty } + own)
      },
      Mutation("another journal's whole proof") { proof, foreign, _ in proof = foreign },
      Mutation("without a signature") { proof, _, random in
        proof.changeProof { lines in
          let signatures = lines.indices.filter { lines[$0].hasPrefix("—") }
          if let index = signatures.randomElement(using: &random) { lines.remove(at: index) }
        }
      },
    ]
}

extension Specimen {
  fileprivate func someFile(_ random: inout Seeded) -> String {
    files.keys.sorted().randomElement(using: &random) ?? ""
  }

  fileprivate var linesName: String { files[Export.eventsName] == nil ? Export.readingsName : Export.eventsName }

  fileprivate mutating func changeLines(_ change: (inout [String]) -> Void) {
    var lines = lines(linesName)
    change(&lines)
    set(linesName, lines: lines)
  }

  fileprivate mutating func changeLine(_ random: inout Seeded, _ change: (inout String, inout Seeded) -> Void) {
    changeLines { lines in
      if let index = lines.indices.randomElement(using: &random) { change(&lines[index], &random) }
    }
  }

  fileprivate mutating func changeProof(_ change: (inout [String]) -> Void) {
    var lines = lines(Self.proofName)
    change(&lines)
    set(Self.proofName, lines: lines)
  }

  /// The checkpoints' notes as they stand in the manifest, with JSON's escapes.
  fileprivate var checkpoints: [String] {
    text(Export.manifestName).components(separatedBy: "\"checkpoint\":\"").dropFirst().compactMap {
      $0.components(separatedBy: "\"").first
    }
  }

  fileprivate var statedKey: String? {
    text(Export.manifestName).components(separatedBy: "\"key\":\"").dropFirst().first?.components(separatedBy: "\"")
      .first
  }

  private var journal: String? { statedKey.flatMap { try? VerifierKey($0) }.flatMap { TrustedKeys([$0])?.journal } }

  /// Edits a record's payload and makes its line as an export would.
  fileprivate mutating func forgeRecord(_ random: inout Seeded) {
    guard let journal else { return }
    changeLine(&random) { line, random in
      guard let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let epoch = event["epoch"] as? Int, let sequence = (event["sequence"] as? String).flatMap({ UInt64($0) }),
        let time = (event["recordtime"] as? String).flatMap({ Int64($0) }),
        var payload = (event["payload"] as? String).flatMap({ bytes(base64: $0) })
      else { return line.changeDigit(&random) }
      payload[payload.count - 1] ^= UInt8.random(in: 1...255, using: &random)
      var writer = CloudEventWriter(journal: journal)
      let position = RecordPosition(epoch: UInt32(epoch), sequence: sequence)
      line = String(
        decoding: payload.withUnsafeBytes { writer.line(position: position, time: time, payload: $0) }, as: UTF8.self)
    }
  }

  /// Removes a line of the first epoch and counts it as left out.
  fileprivate mutating func leaveOut() {
    let first = linesName == Export.readingsName ? 1 : 0
    changeLines { if $0.count > first { $0.remove(at: first) } }
    let pattern = "\"records\":[0-9]+,\"omitted\":[0-9]+"
    if let range = text(Export.manifestName).range(of: pattern, options: .regularExpression) {
      let numbers = text(Export.manifestName)[range].split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
      let fitted = "\"records\":\(max(0, numbers[0] - 1)),\"omitted\":\(numbers[1] + 1)"
      files[Export.manifestName] = Array(text(Export.manifestName).replacingCharacters(in: range, with: fitted).utf8)
    }
    fitManifest()
  }

  /// All that can be done with another key: the manifest states it, and it seals the manifest.
  fileprivate mutating func signAnew(_ random: inout Seeded) {
    guard let own = statedKey, let name = try? VerifierKey(own).name, let key = try? Ed25519PrivateKey()
    else { return }
    let signer = SignerKey(name: name, privateKey: key)
    forgeRecord(&random)
    replace(own, with: signer.verifier.description, in: Export.manifestName)
    fitManifest()
    seal(with: signer)
  }

  mutating func seal(with signer: SignerKey) {
    guard let journal else { return }
    let manifest = SHA256.hash(files[Export.manifestName] ?? [])
    files[Export.sealName] = try? ExportSeal(journal: journal, manifest: manifest, signer: signer).note.bytes
  }

  /// Without a tree no record needs hashes in its place.
  fileprivate mutating func dropCheckpoints() {
    let manifest = text(Export.manifestName).replacingOccurrences(
      of: ",\"size\":[0-9]+,\"checkpoint\":\"[^\"]*\"", with: "", options: .regularExpression)
    files[Export.manifestName] = Array(manifest.utf8)
    if files[Export.omittedName] != nil { files[Export.omittedName] = [] }
  }
}

extension Array<String> {
  fileprivate mutating func insertSomewhere(_ line: String, _ random: inout Seeded) {
    insert(line, at: Int.random(in: 0...count, using: &random))
  }
}

extension String {
  fileprivate mutating func changeDigit(_ random: inout Seeded) {
    let digits = indices.filter { self[$0].isNumber }
    guard let index = digits.randomElement(using: &random), let digit = self[index].wholeNumberValue else { return }
    replaceSubrange(index...index, with: String((digit + Int.random(in: 1...9, using: &random)) % 10))
  }

  /// Changes one of the `count` characters after a text.
  fileprivate mutating func changeCharacter(after text: String, _ count: Int, _ random: inout Seeded) {
    guard let start = range(of: text)?.upperBound,
      let place = index(start, offsetBy: Int.random(in: 0..<count, using: &random), limitedBy: index(before: endIndex))
    else { return changeDigit(&random) }
    replaceSubrange(place...place, with: self[place] == "a" ? "b" : "a")
  }
}

/// SplitMix64: the same numbers for the same seed.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
