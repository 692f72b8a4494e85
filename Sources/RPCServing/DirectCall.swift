// A task that waits keeps the memory of all that it went through, some kilobytes at least. Whoever serves calls that are silent for weeks, thousands
// of them, gets them past grpc-swift's server and without a task, and does what the server would do: decode, answer with a status, keep to the
// caller's deadline.

package import GRPCCore

/// A method that is served without grpc-swift's server.
package protocol DirectCall: Sendable {
  var method: MethodDescriptor { get }

  /// Serves a call to its end, with a status. Returns at once: it is called on the event loop of the call's connection.
  ///
  /// - Parameter done: to be called once, when nothing of it goes on any more.
  func serve(_ call: RPCCall, _ context: ServerContext, done: @escaping @Sendable () -> Void)
}

extension Metadata {
  /// How long the caller waits for the end of the call; nil for ever. gRPC over HTTP/2: `grpc-timeout`, at most eight digits and a unit.
  package var callTimeout: Duration? {
    guard let text = self[stringValues: "grpc-timeout"].first(where: { _ in true }), let unit = text.last,
      (2...9).contains(text.utf8.count), text.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Int64(text.dropLast())
    else { return nil }
    switch unit {
    case "H": return .seconds(count * 3_600)
    case "M": return .seconds(count * 60)
    case "S": return .seconds(count)
    case "m": return .milliseconds(count)
    case "u": return .microseconds(count)
    case "n": return .nanoseconds(count)
    default: return nil
    }
  }
}

extension RPCError {
  /// As grpc-swift's server tells what a service threw.
  package init(thrown error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as any RPCErrorConvertible: self.init(error)
    default: self.init(code: .unknown, message: "")
    }
  }
}
