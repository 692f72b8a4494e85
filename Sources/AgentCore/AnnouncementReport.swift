// Printers that announce themselves, for people, as CSV and as JSON.

package import Discovery

internal import ReadModels

package enum AnnouncementReport {
  package static func table(_ printers: [AnnouncedPrinter]) -> String {
    guard !printers.isEmpty else { return "No printer announces itself in the networks of this machine.\n" }
    var table = TextTable([
      .init("ADDRESS"), .init("SERVICE"), .init("PORT"), .init("NAME"), .init("MODEL"), .init("HOST"),
    ])
    for printer in printers {
      table.add([
        "\(printer.address)", printer.service, "\(printer.port)", ReportText.visible(printer.instance),
        ReportText.visible(printer.model), ReportText.visible(printer.host),
      ])
    }
    return table.text
  }

  package static func csv(_ printers: [AnnouncedPrinter]) -> String {
    let lines = printers.map { printer in
      CSVLine.text([
        "\(printer.address)", printer.service, "\(printer.port)", printer.instance, printer.model ?? "", printer.host,
        printer.attributes["uuid"] ?? "", printer.attributes["note"] ?? "",
      ])
    }
    return (["address,service,port,name,model,host,uuid,note"] + lines).joined(separator: "\r\n") + "\r\n"
  }

  package static func json(_ printers: [AnnouncedPrinter]) -> String {
    var json = JSONWriter()
    json.object { json in
      json.key("announced")
      json.array(printers) { json, printer in
        json.object { json in
          json.member("address", "\(printer.address)")
          json.member("service", printer.service)
          json.member("port", Int(printer.port))
          json.member("name", printer.instance)
          json.member("model", printer.model)
          json.member("host", printer.host)
          json.key("txt")
          json.array(printer.attributes.sorted { $0.key < $1.key }) { json, attribute in
            json.object { json in
              json.member("key", attribute.key)
              json.member("value", attribute.value)
            }
          }
        }
      }
    }
    return String(decoding: json.take(), as: UTF8.self) + "\n"
  }
}
