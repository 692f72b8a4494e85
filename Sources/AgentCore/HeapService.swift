// Gives memory that was freed back to the system. A sweep's first polls take some hundred kilobytes for each device that is being read, from the
// heaps of several threads, and what stays of them is scattered: glibc keeps the pages between, and an agent that runs for months would hold the
// memory of its busiest minute.

internal import CLinux
internal import ServiceLifecycle

struct HeapService: Service {
  /// Trimming takes some milliseconds, and what is needed again a page fault for each 4 KiB.
  private static let interval: Duration = .seconds(60)

  func run() async throws {
    try await untilGracefulShutdown {
      while true {
        try await Task.sleep(for: Self.interval)
        clinux_give_back_heap()
      }
    }
  }
}
