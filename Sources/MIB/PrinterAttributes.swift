// The attributes that a printer is asked for over IPP. The names are IANA's (IPP registrations); each is used by an interpretation.

/// An attribute of a printer's description or status.
package struct PrinterAttribute: Hashable, Sendable {
  /// How its values are named.
  package enum Form: Sendable {
    /// One value.
    case single
    /// A set: values count from 1.
    case set
    /// A collection of integers: each member is named behind a slash.
    case collection
  }

  package let keyword: String
  package let form: Form

  private init(_ keyword: String, _ form: Form = .single) {
    self.keyword = keyword
    self.form = form
  }

  /// What is asked for: some 40 names instead of `all`, because `all` of a large printer is 100 KB of media and finishings.
  package static let all: [PrinterAttribute] = [
    // Who it is: RFC 8011, PWG 5100.13.
    PrinterAttribute("printer-make-and-model"), PrinterAttribute("printer-device-id"), PrinterAttribute("printer-uuid"),
    PrinterAttribute("printer-serial-number"), PrinterAttribute("printer-name"), PrinterAttribute("printer-info"),
    PrinterAttribute("printer-location"), PrinterAttribute("printer-uri-supported", .set),
    PrinterAttribute("printer-firmware-name", .set), PrinterAttribute("printer-firmware-string-version", .set),
    // A print server's queues tell it.
    PrinterAttribute("cups-version"),
    // How it is.
    PrinterAttribute("printer-state"), PrinterAttribute("printer-state-reasons", .set),
    PrinterAttribute("printer-state-message"), PrinterAttribute("printer-up-time"),
    PrinterAttribute("printer-config-changes"), PrinterAttribute("printer-alert", .set),
    PrinterAttribute("printer-alert-description", .set),
    // What it counted: PWG 5100.22.
    PrinterAttribute("printer-impressions-completed"),
    PrinterAttribute("printer-impressions-completed-col", .collection),
    PrinterAttribute("printer-media-sheets-completed"),
    PrinterAttribute("printer-media-sheets-completed-col", .collection),
    PrinterAttribute("printer-pages-completed"), PrinterAttribute("printer-pages-completed-col", .collection),
    // What is in it: PWG 5100.13; marker-* are CUPS's.
    PrinterAttribute("printer-supply", .set), PrinterAttribute("printer-supply-description", .set),
    PrinterAttribute("printer-input-tray", .set), PrinterAttribute("printer-output-tray", .set),
    PrinterAttribute("marker-names", .set), PrinterAttribute("marker-types", .set),
    PrinterAttribute("marker-colors", .set), PrinterAttribute("marker-levels", .set),
    PrinterAttribute("marker-low-levels", .set), PrinterAttribute("marker-high-levels", .set),
  ]

  /// The names alone.
  package static let keywords = all.map(\.keyword)
}
