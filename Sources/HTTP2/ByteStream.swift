// What HTTP/2 needs of the connection below it. `TLSConnection` is one; this room knows no sockets and no OpenSSL.

/// A connection that carries bytes both ways without blocking, owned by one thread. Only `wake` and `interrupt` may be
/// called from other threads.
package protocol ByteStream: AnyObject, Sendable {
  /// Connects; blocks until done or until the deadline.
  func open(until deadline: ContinuousClock.Instant) throws
  /// Returns the bytes read, 0 at the end, or nil when nothing is there for now.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int?
  /// Returns the bytes taken, or nil when none can be taken for now.
  func write(_ buffer: UnsafeRawBufferPointer) throws -> Int?
  /// Blocks until there may be something to read, room to write if `writing`, `wake` was called, or the deadline passed.
  func wait(writing: Bool, until deadline: ContinuousClock.Instant?) throws
  /// Closes, once or more often.
  func close()

  /// Ends a `wait` that goes on, or the next one.
  func wake()
  /// Makes an `open` that goes on, or the next one, fail.
  func interrupt()

  /// The other end, such as `ipv4:127.0.0.1:443`; known after `open`.
  var remoteAddress: String { get }
  /// The own end; known after `open`.
  var localAddress: String { get }
}
