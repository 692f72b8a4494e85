// epoll, eventfd, timerfd, signalfd and the monotonic clock; see CLinux.h.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CLINUX_READABLE == EPOLLIN && CLINUX_WRITABLE == EPOLLOUT, "epoll event bits");
_Static_assert(CLINUX_FAILED == EPOLLERR && CLINUX_HANGUP == EPOLLHUP && CLINUX_READ_HANGUP == EPOLLRDHUP, "epoll event bits");

static int or_errno(int result) { return result < 0 ? -errno : result; }

int clinux_epoll_create(void) { return or_errno(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t tag) {
  struct epoll_event event = {.events = events, .data = {.u64 = tag}};
  return or_errno(epoll_ctl(epoll, operation, descriptor, &event));
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, events, tag);
}

int clinux_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t tag) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, events, tag);
}

int clinux_epoll_remove(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

int clinux_epoll_wait(int epoll, CLinuxEvent *events, int capacity, int timeout_ms) {
  // struct epoll_event is packed on x86-64, so it is copied into our own layout.
  struct epoll_event ready[CLINUX_EVENTS_MAX];
  int room = capacity < CLINUX_EVENTS_MAX ? capacity : CLINUX_EVENTS_MAX;
  int count = epoll_wait(epoll, ready, room, timeout_ms);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) {
    events[i].events = ready[i].events;
    events[i].tag = ready[i].data.u64;
  }
  return count;
}

// eventfd and timerfd both answer a read with one 64-bit count, or EAGAIN when it is zero.
static int drain_counter(int descriptor) {
  uint64_t count;
  ssize_t got;
  do got = read(descriptor, &count, sizeof count);
  while (got < 0 && errno == EINTR);
  if (got == (ssize_t)sizeof count) return 1;
  return got < 0 && errno != EAGAIN ? -errno : 0;
}

int clinux_eventfd_create(void) { return or_errno(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int clinux_eventfd_signal(int descriptor) {
  uint64_t one = 1;
  ssize_t put;
  do put = write(descriptor, &one, sizeof one);
  while (put < 0 && errno == EINTR);
  // EAGAIN means the counter is full, so the reader has a signal waiting already.
  return put < 0 && errno != EAGAIN ? -errno : 0;
}

int clinux_eventfd_drain(int descriptor) { return drain_counter(descriptor); }

uint64_t clinux_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int clinux_timerfd_create(void) { return or_errno(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }

int clinux_timerfd_set(int descriptor, uint64_t at_nanoseconds) {
  struct itimerspec timer = {0};
  timer.it_value.tv_sec = (time_t)(at_nanoseconds / 1000000000u);
  timer.it_value.tv_nsec = (long)(at_nanoseconds % 1000000000u);
  return or_errno(timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &timer, NULL));
}

int clinux_timerfd_drain(int descriptor) { return drain_counter(descriptor); }

int clinux_signalfd_create(const int32_t *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++)
    if (sigaddset(&set, signals[i]) < 0) return -errno;
  int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (failed != 0) return -failed;
  return or_errno(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int clinux_signalfd_next(int descriptor) {
  struct signalfd_siginfo report;
  ssize_t got;
  do got = read(descriptor, &report, sizeof report);
  while (got < 0 && errno == EINTR);
  if (got == (ssize_t)sizeof report) return (int)report.ssi_signo;
  return got < 0 && errno != EAGAIN ? -errno : 0;
}
