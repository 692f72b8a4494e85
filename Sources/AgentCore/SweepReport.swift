// What a sweep came to, address by address: for people (neighbours with one reason share a line), as CSV and as JSON.

package import Collectors

internal import Discovery
internal import PrinterModel
internal import ReadModels

package enum SweepReport {
  /// A table, then a line of counts.
  package static func table(_ results: [AddressResult]) -> String {
    var table = TextTable([
      .init("ADDRESS"), .init("RESULT"), .init("MODEL"), .init("SERIAL"), .init("CREDENTIAL"), .init("DETAIL"),
    ])
    for group in grouped(results) {
      guard let first = group.first, let last = group.last else { continue }
      let address = group.count == 1 ? "\(first.address)" : "\(first.address)-\(last.address)"
      let detail = group.count == 1 ? first.detail : "\(group.count) addresses: \(first.detail)"
      table.add([
        address, first.reason.rawValue, ReportText.visible(first.identity?.model?.text),
        ReportText.visible(first.identity?.serial?.text),
        first.credential ?? "-", ReportText.visible(detail),
      ])
    }
    return table.text + counts(results) + "\n"
  }

  /// RFC 4180, with a header line.
  package static func csv(_ results: [AddressResult]) -> String {
    var lines = ["address,result,make,model,serial,credential,detail"]
    for result in results {
      let identity = result.identity
      let fields = [
        "\(result.address)", result.reason.rawValue, identity?.make ?? "", identity?.model?.text ?? "",
        identity?.serial?.text ?? "", result.credential ?? "", result.detail,
      ]
      lines.append(CSVLine.text(fields))
    }
    return lines.joined(separator: "\r\n") + "\r\n"
  }

  /// One JSON object with every address.
  package static func json(_ results: [AddressResult]) -> String {
    var json = JSONWriter()
    json.object { json in
      json.key("addresses")
      json.array(results) { json, result in
        json.object { json in
          json.member("address", "\(result.address)")
          json.member("result", result.reason.rawValue)
          json.member("credential", result.credential)
          json.member("detail", result.detail)
          if let identity = result.identity { json.identity(identity) }
        }
      }
    }
    return String(decoding: json.take(), as: UTF8.self) + "\n"
  }

  /// `20 found, 230 no answer, 4 excluded`
  package static func counts(_ results: [AddressResult]) -> String {
    let parts = SweepReason.allCases.compactMap { reason -> String? in
      let count = results.count { $0.reason == reason }
      return count == 0 ? nil : "\(count) \(reason.rawValue)"
    }
    return parts.isEmpty ? "no address" : parts.joined(separator: ", ")
  }

  /// Runs of neighbouring addresses of which nothing is known but one and the same reason.
  private static func grouped(_ results: [AddressResult]) -> [[AddressResult]] {
    var groups: [[AddressResult]] = []
    for result in results {
      if let last = groups.last?.last, last.identity == nil, result.identity == nil, last.reason == result.reason,
        last.detail == result.detail, last.credential == result.credential,
        last.address.value != .max, result.address.value == last.address.value + 1
      {
        groups[groups.count - 1].append(result)
      } else {
        groups.append([result])
      }
    }
    return groups
  }
}
