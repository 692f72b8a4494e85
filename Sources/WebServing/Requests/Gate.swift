// Whom the console lets in before anything is read of a request but its head. Pure.
//
//     host         one of our names                                    else 421: DNS rebinding
//     site         Sec-Fetch-Site same-origin or none; Origin ours     else 403: another site's page
//     header       X-PrintTrail: 1 on what changes anything            else 403: no form and no simple request of a page can have it
//     body         application/json                                    else 415: likewise
//
// A browser asks before it sends a header of that kind to another origin (a CORS preflight), and is never answered that it may.

package struct Gate: Sendable {
  package static let headerName = "x-printtrail"

  private let hosts: HostNames

  package init(_ hosts: HostNames) { self.hosts = hosts }

  /// - Throws: `WebError`.
  package func check(_ request: WebRequest, hasBody: Bool) throws(WebError) {
    try checkHost(request)
    try checkSite(request)
    if !request.method.isSafe, request.header(Self.headerName) != "1" {
      throw WebError(
        403, "header_missing",
        "What changes anything needs the header X-PrintTrail: 1, which pages of other sites cannot send.")
    }
    if hasBody { try Self.checkType(request) }
  }

  private func checkHost(_ request: WebRequest) throws(WebError) {
    let named = request.headers.filter { $0.name == "host" }
    guard named.count == 1, hosts.hold(named[0].value) else {
      throw WebError(
        421, "wrong_host",
        "This server does not go by that name. Use its address, or localhost on the machine itself"
          + (hosts.setting.map { ", or have the name added to \($0)." } ?? ".")
      )
    }
  }

  private func checkSite(_ request: WebRequest) throws(WebError) {
    let crossSite = WebError(403, "cross_site", "Another site's page asked for this; open the console itself.")
    // A link from elsewhere to a page of ours is fine: it says who asks by nothing, and changes nothing.
    let isNavigation =
      request.method.isSafe && request.header("sec-fetch-mode") == "navigate" && request.path.first != "api"
    if let site = request.header("sec-fetch-site"), site != "same-origin", site != "none", !isNavigation {
      throw crossSite
    }
    guard let origin = request.header("origin") else { return }
    let scheme = request.isSecure ? "https://" : "http://"
    guard origin.lowercased() == scheme + (request.header("host") ?? "").lowercased() else { throw crossSite }
  }

  private static func checkType(_ request: WebRequest) throws(WebError) {
    let parts = (request.header("content-type") ?? "").lowercased().split(separator: ";").map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    let isJSON =
      parts.first == "application/json" && (parts.count == 1 || parts.count == 2 && parts[1] == "charset=utf-8")
    guard isJSON, request.header("content-encoding") == nil else {
      throw WebError(
        415, "not_json", "The body has to be JSON: send it as Content-Type: application/json, uncompressed.")
    }
  }
}
