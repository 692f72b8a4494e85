// Why a fleet cannot be served, in one sentence for the operator.

package enum SimulatorError: Error, Equatable, CustomStringConvertible {
  case portInUse(address: HostAddress, port: Int)
  case addressNotAssignable(HostAddress)
  case portNotAllowed(port: Int)
  case notLoopback(HostAddress)
  case listeningFailed(address: HostAddress, port: Int, String)
  case tooManySockets(wanted: Int, allowed: Int)
  case systemCall(String, code: Int32)

  package var description: String {
    switch self {
    case .portInUse(let address, let port):
      "UDP port \(port) of \(address) is in use by another program; choose another with --port."
    case .addressNotAssignable(let address):
      "\(address) is not an address of this machine; use addresses in 127.0.0.0/8, or add it to an interface first."
    case .portNotAllowed(let port):
      "UDP port \(port) needs privileges (CAP_NET_BIND_SERVICE); choose one above 1023 with --port."
    case .notLoopback(let address):
      "\(address) is no loopback address: IPP is simulated on addresses in 127.0.0.0/8 alone."
    case .listeningFailed(let address, let port, let reason):
      "Nothing can listen on TCP port \(port) of \(address) (\(reason)); choose another with --ipp-port."
    case .tooManySockets(let wanted, let allowed):
      "\(wanted) sockets are needed and \(allowed) files may be open; raise the limit with ulimit -n."
    case .systemCall(let call, let code):
      "\(call) failed with error number \(code)."
    }
  }
}
