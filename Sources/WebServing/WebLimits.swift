// What a console takes of its clients, and why so much.

/// The limits of one listener.
package struct WebLimits: Sendable {
  /// A request's head: cookies and a long list of filters are a few kilobytes.
  package var headBytesMax = 16 << 10
  /// A request's body: forms are small, and each connection holds one.
  package var bodyBytesMax = 64 << 10
  /// A browser has six to a console, and a few more while it reloads; a machine has a few people.
  package var connectionsMax = 128
  /// Of one address. Behind a proxy all come from one.
  package var connectionsPerClientMax = 64
  /// A page asks for twenty files and a few answers; nobody presses a button two hundred times a second.
  package var requestsPerSecond = 200.0
  /// Those that may come at once.
  package var requestsBurst = 400.0
  /// What somebody above the pace waits for the refusal, so that a flood costs its sender more than us.
  package var refusalDelay: Duration = .milliseconds(250)
  /// From the first byte of a request (or of a connection) to the last: a slow network needs a second or two.
  package var requestTimeMax: Duration = .seconds(10)
  /// A connection between two requests.
  package var idleTimeMax: Duration = .seconds(60)
  /// How long a client may leave unread what the connection's buffer holds.
  package var unreadTimeMax: Duration = .seconds(60)
  /// An answer is made in this time, or not at all; those that say so take longer.
  package var answerTimeMax: Duration = .seconds(60)
  /// Event streams: one for each open page.
  package var streamsMax = 32
  /// A comment this often keeps a stream open through whatever lies between, and shows that a client is gone.
  package var heartbeat: Duration = .seconds(15)
  /// Below this compressing saves no packet.
  package static let compressedFromBytes = 1_024

  package init() {}
}
