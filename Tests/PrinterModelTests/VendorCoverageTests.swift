// Whether what is known of vendors' objects is read: the list of them (vendor-oids.csv) is not part of this repository. PT_REFERENCE names
// its folder, else `reference` beside the corpus.

internal import Foundation
internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Objects that are known of makers", .enabled(if: Reference.rows != nil, "skipped: there is no vendor-oids.csv"))
struct VendorCoverageTests {
  private static let believed: Set<String> = ["standard", "mib-defined", "device-recorded", "panel-verified"]

  @Test func `each is read, or there is a reason why not`() throws {
    let rows = try #require(Reference.rows).filter { Self.believed.contains($0.confidence) }
    #expect(rows.count >= 190)
    let uncovered = rows.filter { !ReadObjects.covers($0) }
    for row in uncovered {
      #expect(Self.reasons[row.oid] != nil, "\(row.vendor) \(row.oid) is not read: \(row.meaning)")
    }
    for oid in Self.reasons.keys {
      #expect(uncovered.contains { $0.oid == oid }, "\(oid) has a reason not to be read, and is read or not listed")
    }
  }

  @Test func `what sources contradict each other on, or nobody verified, is read only where the device proves it`()
    throws
  {
    let rows = try #require(Reference.rows).filter { ["conflicting", "unverified"].contains($0.confidence) }
    for row in rows {
      let counters = ProfileSet.shipped.profiles.flatMap(\.counters).filter { $0.name.description == row.oid }
      #expect(counters.allSatisfy { $0.confidence == .reported }, "\(row.oid)")
      #expect(counters.allSatisfy { counter in Self.isInCheck(counter) }, "\(row.oid)")
    }
  }

  @Test func `what is only reported is never believed without a sum`() throws {
    let rows = try #require(Reference.rows).filter { $0.confidence == "reported" }
    let names = Set(rows.map(\.oid))
    for counter in ProfileSet.shipped.profiles.flatMap(\.counters) where names.contains(counter.name.description) {
      #expect(counter.confidence == .reported && Self.isInCheck(counter), "\(counter.id) \(counter.name)")
    }
  }

  private static func isInCheck(_ counter: ProfileCounter) -> Bool {
    ProfileSet.shipped.profiles.contains { profile in
      profile.counters.contains(counter)
        && profile.checks.contains { ([$0.total] + $0.parts + $0.optionalParts).contains(counter.meter.description) }
    }
  }

  /// Objects that are not read, and why.
  private static let reasons: [String: String] = {
    let hp = "1.3.6.1.4.1.11.2.3.9.4.2.1."
    let brother = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5."
    return [
      "1.3.6.1.2.1.43.14.1.1.2": "how jobs reach the printer; no part of a reading",
      "1.3.6.1.2.1.43.18.2.0.1": "a notification, and no object to ask for",
      "1.3.6.1.4.1.2699.1.2.1.3.1.1.6.1.1": "where jobs are sent to; no part of a reading",
      hp + "1.16.1.2": "charge units by a price list of the site's own; no count of pages",
      hp + "1.16.1.3": "an average coverage, which goes up and down; no counter",
      hp + "1.16.2.1.5": "charge units by a price list of the site's own; no count of pages",
      hp + "4.1.10.5.1.1": "goes down; the standard's level says the same",
      hp + "4.1.10.5.1.3": "a threshold; no state of the supply",
      hp + "4.1.10.11": "begins again with each supply; no counter of the device",
      hp + "4.1.10.18": "begins again with each supply; no counter of the device",
      "1.3.6.1.4.1.1347.46.10.1.1.7.3": "a device that was recorded says 3 where its other scans are 219,030",
      "1.3.6.1.4.1.1347.43.24.1.1.5.1":
        "a device that was recorded says 15, which the codes 0, 64 and 128 do not explain",
      "1.3.6.1.4.1.1347.42.2.6.3.0.0": "a date; no part of a reading",
      brother + "18.0": "coverage in a form that no recorded device shows",
      brother + "19.0": "an estimate that goes down; no counter",
      brother + "20.0": "records of a form that one recorded device alone shows, and nothing proves",
      brother + "21.0": "records of a form that one recorded device alone shows, and nothing proves",
      brother + "51.2.1.2": "a history of errors; alerts come from prtAlertTable",
      "1.3.6.1.4.1.1248.1.2.2.27.1.1.13.1.1": "a date; no part of a reading",
    ]
  }()
}

/// A row of vendor-oids.csv.
private struct Reference {
  var vendor: String
  var oid: String
  var meaning: String
  var confidence: String

  static let rows: [Reference]? = {
    let named = ProcessInfo.processInfo.environment["PT_REFERENCE"].map { URL(fileURLWithPath: $0) }
    let folder = named ?? Corpus.root?.deletingLastPathComponent().appendingPathComponent("reference")
    guard let file = folder?.appendingPathComponent("vendor-oids.csv"),
      let text = try? String(contentsOf: file, encoding: .utf8)
    else { return nil }
    return Corpus.records(text).dropFirst().compactMap { fields in
      guard fields.count == 6 else { return nil }
      return Reference(vendor: fields[0], oid: fields[1], meaning: fields[2], confidence: fields[5])
    }
  }()
}

/// The objects that a poll asks for and a reading is made of.
private enum ReadObjects {
  private static let columns: [ObjectIdentifier] = (PollTargets.tables + PollTargets.imagingTables).flatMap {
    $0.columnNames
  }

  private static let scalars: [ObjectIdentifier] = ProfileSet.shipped.profiles.flatMap { scalars(of: $0) }

  private static func scalars(of profile: Profile) -> [ObjectIdentifier] {
    let identity = profile.identity
    var names: [ObjectIdentifier] = identity.serial + identity.model + identity.firmware
    names += identity.assetNumber + identity.deviceID + identity.console
    names += profile.counters.map(\.name)
    names += profile.records.map(\.name)
    names += profile.supplyRecords.map(\.name)
    return names
  }

  private static let tables = ProfileSet.shipped.profiles.flatMap(\.tables)

  static func covers(_ row: Reference) -> Bool {
    // `…1.1.<f>` stands for every row; `icKeyTable` for its columns.
    let digits = row.oid.split(separator: "<")[0].split(separator: ".").joined(separator: ".")
    guard let name = ObjectIdentifier(dotted: digits) else { return false }
    if (columns + scalars).contains(where: { name.isWithin($0) || isInstance($0, of: name) }) { return true }
    return tables.contains { table in
      if table.describingColumns.contains(where: { name.isWithin($0) }) { return true }
      guard name.isWithin(table.values) else { return false }
      // A cell of a table that names its rows: the name must be a known one.
      guard name != table.values, case .labels(let rows) = table.meaning, row.confidence == "device-recorded" else {
        return true
      }
      return rows.contains { CounterTable.normalizedLabel(row.meaning).hasPrefix($0.label) }
    }
  }

  /// `…4.1.2.5.0` of a list's `…4.1.2.5`, or a column of a list's entry.
  private static func isInstance(_ read: ObjectIdentifier, of listed: ObjectIdentifier) -> Bool {
    read.isWithin(listed) && read.components.count <= listed.components.count + 1
  }
}
