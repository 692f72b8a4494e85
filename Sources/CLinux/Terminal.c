// Lines to standard output and error, the terminal's width, and the limit of open files; see CLinux.h.

#define _GNU_SOURCE
#include <sys/stat.h>
#include "CLinux.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

int clinux_write_line(int descriptor, const char *bytes, size_t length) {
  char newline = '\n';
  size_t written = 0;
  while (written < length + 1) {
    size_t done = written < length ? written : length;
    struct iovec parts[2] = {{.iov_base = (void *)(bytes + done), .iov_len = length - done},
                             {.iov_base = &newline, .iov_len = 1}};
    ssize_t put = writev(descriptor, parts, 2);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -errno;
    written += (size_t)put;
  }
  return 0;
}

int clinux_is_terminal(int descriptor) { return isatty(descriptor) == 1; }

int clinux_terminal_width(int descriptor) {
  struct winsize size;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int64_t clinux_raise_descriptor_limit(int64_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  if (limit.rlim_cur >= (rlim_t)wanted) return (int64_t)limit.rlim_cur;
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = (rlim_t)wanted < limit.rlim_max ? (rlim_t)wanted : limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : (int64_t)before;
}

int clinux_close(int descriptor) { return close(descriptor) < 0 ? -errno : 0; }

int clinux_file_mode(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) < 0 ? -errno : (int)(status.st_mode & 07777);
}
