// Why a service cannot listen, as the operator sees it.

internal import Glibc
internal import NIOCore

extension HubError {
  /// - Parameters:
  ///   - name: of the service, which is that of its option, too.
  ///   - error: what binding the port threw.
  init(listening name: String, on endpoint: Endpoint, _ error: any Error) {
    let failed = "Could not serve \(name) on \(endpoint)"
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE?:
      self.init(
        .unavailable, "\(failed): another program uses the port. Stop it, or choose another port with --\(name).")
    case EADDRNOTAVAIL?:
      self.init(
        .unavailable,
        "\(failed): this machine has no such address. Give one of its own with --\(name); 0.0.0.0 stands for all.")
    case EACCES?:
      self.init(
        .permission,
        "\(failed): the port needs privileges (CAP_NET_BIND_SERVICE). Choose one above 1023 with --\(name).")
    default: self.init(.unavailable, "\(failed): \(error). Choose another address with --\(name).")
    }
  }
}
