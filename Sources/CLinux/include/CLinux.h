// The Linux calls that `import Glibc` does not show to Swift: epoll, eventfd, timerfd, signalfd and the many-datagram forms
// of sendmsg and recvmsg. Plain functions over plain structs, so that Swift needs no C macro, union or flexible member.
//
// Conventions
//   * A result below 0 is minus errno; nothing is reported through errno itself. 0 or a count or a descriptor is success.
//   * Descriptors are made close-on-exec and, except where a comment says otherwise, non-blocking.
//   * IPv4 addresses are a uint32_t and ports a uint16_t, both in host byte order: 127.0.0.1 is 0x7f000001.
//   * Calls interrupted by a signal are repeated, except clinux_epoll_wait, which returns 0 events.

#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

// MARK: epoll(7)

/// What a descriptor is ready for; the values of EPOLLIN and so on.
enum {
  CLINUX_READABLE = 0x001,
  CLINUX_WRITABLE = 0x004,
  /// Always reported, need not be asked for.
  CLINUX_FAILED = 0x008,
  CLINUX_HANGUP = 0x010,
  CLINUX_READ_HANGUP = 0x2000,
};

/// Events that one clinux_epoll_wait returns at most; more stay for the next call.
enum { CLINUX_EVENTS_MAX = 256 };

typedef struct {
  uint32_t events;
  /// The number given when the descriptor was added.
  uint64_t tag;
} CLinuxEvent;

int clinux_epoll_create(void);
int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag);
int clinux_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t tag);
int clinux_epoll_remove(int epoll, int descriptor);
/// Waits until something is ready or the time has passed; timeout_ms -1 waits without end. Returns the number of events.
int clinux_epoll_wait(int epoll, CLinuxEvent *events, int capacity, int timeout_ms);

// MARK: eventfd(2), timerfd_create(2), signalfd(2), clocks

/// A counter that one thread raises and another waits for in its epoll.
int clinux_eventfd_create(void);
int clinux_eventfd_signal(int descriptor);
/// Returns 1 if it had been signalled since the last drain, 0 if not.
int clinux_eventfd_drain(int descriptor);

/// CLOCK_MONOTONIC in nanoseconds.
uint64_t clinux_monotonic_nanoseconds(void);
/// A timer on CLOCK_MONOTONIC.
int clinux_timerfd_create(void);
/// Fires once at an absolute time of clinux_monotonic_nanoseconds (a time in the past fires at once); 0 disarms.
int clinux_timerfd_set(int descriptor, uint64_t at_nanoseconds);
/// Returns 1 if it had fired since the last drain, 0 if not.
int clinux_timerfd_drain(int descriptor);

/// Blocks these signals in the calling thread (and the threads it starts later) and returns a descriptor that reports them.
/// Call it before any other thread exists, or the others may still take the signal.
int clinux_signalfd_create(const int32_t *signals, int count);
/// The next signal number, or 0 if none waits.
int clinux_signalfd_next(int descriptor);

// MARK: UDP over IPv4

/// Datagrams that one send or receive call moves at most: their headers and control bytes live on the stack.
enum { CLINUX_DATAGRAMS_MAX = 64 };

/// One datagram. The bytes belong to the caller.
typedef struct {
  uint8_t *bytes;
  /// Send: how many bytes to send. Receive: how many arrived.
  uint32_t length;
  /// Receive: room at `bytes`.
  uint32_t capacity;
  /// The other side.
  uint32_t address;
  /// Receive: the address the peer wrote to, if clinux_udp_packet_info is on, else 0. Send: the source address, 0 for the socket's own.
  uint32_t local_address;
  uint16_t port;
  /// Receive: 1 if the datagram was longer than `capacity` and was cut.
  uint16_t truncated;
} CLinuxDatagram;

/// A non-blocking UDP socket.
int clinux_udp_create(void);
/// port 0 lets the kernel choose; address 0 is every address.
int clinux_udp_bind(int descriptor, uint32_t address, uint16_t port);
/// The port the socket is bound to, or minus errno.
int clinux_udp_port(int descriptor);
/// Asks for socket buffers of these sizes (0 leaves one alone). The kernel caps them silently at net.core.rmem_max and wmem_max.
int clinux_udp_buffers(int descriptor, int receive_bytes, int send_bytes);
/// IP_PKTINFO: tell which local address each datagram was sent to.
int clinux_udp_packet_info(int descriptor, int on);
/// IP_RECVERR: keep the ICMP errors (port unreachable, ...) that sent datagrams came to, for clinux_udp_next_error.
int clinux_udp_keep_errors(int descriptor, int on);
/// Takes one kept ICMP error: the destination it concerns and its errno. Returns 1, or 0 if none waits.
int clinux_udp_next_error(int descriptor, uint32_t *address, uint16_t *port, int32_t *error);
/// IP_TTL: how many routers a datagram passes at most, plus one: 1 stays in the network.
int clinux_udp_hops(int descriptor, int hops);
/// IP_MULTICAST_IF and IP_MULTICAST_TTL: through which interface, named by its address, datagrams to groups leave, and how far they go.
int clinux_udp_multicast(int descriptor, uint32_t interface_address, int hops);
/// Sends up to CLINUX_DATAGRAMS_MAX datagrams; returns how many the kernel took (from the front), or minus errno if not even the first.
int clinux_udp_send(int descriptor, const CLinuxDatagram *datagrams, int count);
/// Receives up to CLINUX_DATAGRAMS_MAX datagrams without blocking; returns how many (0: none waits), or minus errno.
int clinux_udp_receive(int descriptor, CLinuxDatagram *datagrams, int count);

// MARK: Interfaces

enum { CLINUX_INTERFACE_LOOPBACK = 1, CLINUX_INTERFACE_POINT_TO_POINT = 2, CLINUX_INTERFACE_MULTICAST = 4 };

/// An IPv4 address of an interface that is up.
typedef struct {
  char name[16];
  uint32_t address;
  uint32_t mask;
  uint32_t flags;
} CLinuxInterface;

/// The interfaces' addresses, `capacity` at most; returns how many, or minus errno.
int clinux_interfaces(CLinuxInterface *interfaces, int capacity);

// MARK: Programs

/// Starts a program in a process group of its own, with these descriptors as its standard three and no other, and with no signal ignored or
/// blocked. `arguments` and `environment` end with a null pointer; a null `directory` is this process's own. Returns its id or minus errno.
int clinux_spawn(
    const char *path, char *const arguments[], char *const environment[], const char *directory, const int standard[3]);

// MARK: Terminal and descriptors

/// Writes the bytes and a newline to standard output (1) or standard error (2) in one piece where the kernel takes it whole; repeats
/// after short writes. Blocking. Returns 0 or minus errno.
int clinux_write_line(int descriptor, const char *bytes, size_t length);
/// 1 if the descriptor is a terminal.
int clinux_is_terminal(int descriptor);
/// Columns of the terminal, or 0 if it is not one or does not know.
int clinux_terminal_width(int descriptor);
/// Raises the soft limit of open files to at least `wanted`, as far as the hard limit allows. Returns the limit that holds now.
int64_t clinux_raise_descriptor_limit(int64_t wanted);
/// The permission bits of an open file (fstat's st_mode & 07777), or minus errno.
int clinux_file_mode(int descriptor);
int clinux_close(int descriptor);

// MARK: Heap

/// Gives freed memory of all heaps back to the kernel, where the C library can (malloc_trim(3)).
void clinux_give_back_heap(void);

// MARK: Faults

/// From now on SIGBUS, SIGSEGV and SIGABRT do not end the process: it becomes `program` with these arguments (at most 8, the
/// program's name among them). What a reader of a mapped file does whose file was cut short. Returns 0 or minus errno.
int clinux_exec_on_fault(const char *program, const char *const *arguments, int count);
/// From now on SIGBUS, SIGSEGV and SIGABRT leave an empty file at `path` before they end the process. Returns 0 or minus errno.
int clinux_mark_on_fault(const char *path);

#endif
