#define _GNU_SOURCE
#include "CrashRecorder.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { NAME = 1, WRITE, SYNC, TRUNCATE, RENAME, UNLINK, SYNC_DIRECTORY, NOTE };

enum { DESCRIPTORS_MAX = 4096, PATH_BYTES_MAX = 4096 };

/// Where a process may be killed; the names are those of PT_KILL_AT.
enum point { AT_WRITE, AT_META, AT_SYNC, AT_RENAME, AT_NOTE, POINTS };
static const char *const point_names[POINTS] = {"write", "meta", "sync", "rename", "note"};
enum moment { BEFORE, AFTER, MOMENTS };
static const char *const moment_names[MOMENTS] = {"before", "after"};

/// What is known of an open descriptor.
typedef struct {
  bool is_watched, is_directory, writes_through;
  uint64_t file;
} Descriptor;

static Descriptor descriptors[DESCRIPTORS_MAX];
static bool is_watching;
static int trace = -1, notes = -1;
static enum moment kill_moment;
static enum point kill_point;
/// Times to come to the point yet until the process is killed there; 0: never.
static unsigned long kill_countdown;
/// While this file exists, the disk is full; NULL: never.
static const char *full_while;
/// While this file exists, the disk takes for ever to sync; NULL: never.
static const char *hang_while;
static char watched[PATH_BYTES_MAX];
static size_t watched_length;
/// Held over the call itself too: the trace's order is the disk's.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
  (void)!syscall(SYS_write, 2, what, strlen(what));
  abort();
}

/// MOMENT:POINT:NUMBER
static void plan_kill(const char *text) {
  char moment[8], point[8];
  int matched = -1;
  if (sscanf(text, "%7[a-z]:%7[a-z]:%lu%n", moment, point, &kill_countdown, &matched) != 3 || text[matched] != 0 || kill_countdown == 0)
    fail("PT_KILL_AT is not MOMENT:POINT:NUMBER\n");
  for (kill_moment = 0; kill_moment < MOMENTS && strcmp(moment, moment_names[kill_moment]) != 0;) kill_moment++;
  for (kill_point = 0; kill_point < POINTS && strcmp(point, point_names[kill_point]) != 0;) kill_point++;
  if (kill_moment == MOMENTS || kill_point == POINTS) fail("PT_KILL_AT names no point\n");
  // Children do their own work, and are not what is to be killed.
  unsetenv("PT_KILL_AT");
}

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("PT_RECORD_DIRECTORY"), *path = getenv("PT_RECORD_TRACE"), *note = getenv("PT_RECORD_NOTES"),
             *kill_at = getenv("PT_KILL_AT");
  full_while = getenv("PT_FULL_WHILE");
  hang_while = getenv("PT_HANG_WHILE");
  if (directory == NULL || (path == NULL && kill_at == NULL && full_while == NULL && hang_while == NULL)) return;
  watched_length = strlen(directory);
  if (watched_length == 0 || watched_length >= sizeof watched) fail("PT_RECORD_DIRECTORY is too long\n");
  memcpy(watched, directory, watched_length + 1);
  if (path != NULL) {
    trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0) fail("PT_RECORD_TRACE cannot be made\n");
  }
  if (note != NULL) notes = atoi(note);
  if (kill_at != NULL) plan_kill(kill_at);
  is_watching = true;
}

/// Called at each point, with the lock held.
static void reached(enum moment moment, enum point point) {
  if (kill_countdown > 0 && moment == kill_moment && point == kill_point && --kill_countdown == 0) kill(getpid(), SIGKILL);
}

/// Whether writes to watched files are refused.
static bool is_full(void) { return full_while != NULL && syscall(SYS_faccessat, AT_FDCWD, full_while, F_OK) == 0; }

/// The point that a write to this file is.
static enum point write_point(const Descriptor *file) { return file->writes_through ? AT_META : AT_WRITE; }

/// The name below the watched directory; NULL when it lies elsewhere. The directory itself is the empty name.
static const char *watched_name(const char *path) {
  if (!is_watching || strncmp(path, watched, watched_length) != 0) return NULL;
  const char *rest = path + watched_length;
  if (*rest == '/') return rest + 1;
  return *rest == '\0' ? rest : NULL;
}

static void record(enum operation operation, uint64_t file, uint64_t offset, const struct iovec *parts, int count) {
  if (trace < 0) return;
  uint32_t length = 0;
  for (int part = 0; part < count; part++) length += (uint32_t)parts[part].iov_len;
  uint8_t head[21] = {(uint8_t)operation};
  memcpy(head + 1, &file, 8);
  memcpy(head + 9, &offset, 8);
  memcpy(head + 17, &length, 4);
  if (syscall(SYS_write, trace, head, sizeof head) != sizeof head) fail("the trace cannot be written\n");
  for (int part = 0; part < count; part++) {
    const uint8_t *bytes = parts[part].iov_base;
    for (size_t left = parts[part].iov_len; left > 0;) {
      long written = syscall(SYS_write, trace, bytes, left);
      if (written <= 0) fail("the trace cannot be written\n");
      bytes += written, left -= (size_t)written;
    }
  }
}

static void record_text(enum operation operation, uint64_t file, const char *text) {
  struct iovec part = {(void *)text, strlen(text)};
  record(operation, file, 0, &part, 1);
}

static Descriptor *known(int descriptor) {
  if (!is_watching || descriptor < 0 || descriptor >= DESCRIPTORS_MAX) return NULL;
  return descriptors[descriptor].is_watched ? &descriptors[descriptor] : NULL;
}

/// Records what a write that went well wrote.
static void wrote(Descriptor *file, uint64_t offset, const struct iovec *parts, int count, size_t written) {
  struct iovec kept[64];
  int used = 0;
  for (; used < count && used < 64 && written > 0; used++) {
    kept[used] = parts[used];
    if (kept[used].iov_len > written) kept[used].iov_len = written;
    written -= kept[used].iov_len;
  }
  if (written > 0) fail("a write has more parts than the recorder takes\n");
  record(WRITE, file->file, offset, kept, used);
  if (file->writes_through) record(SYNC, file->file, 0, NULL, 0);
}

/// An open file that is opened once more by its place in /proc has the name that it was opened by first.
static const Descriptor *opened_before(const char *path) {
  int descriptor;
  return sscanf(path, "/proc/self/fd/%d", &descriptor) == 1 ? known(descriptor) : NULL;
}

static int opened(int descriptor, const char *path, int flags) {
  const Descriptor *before = descriptor < 0 ? NULL : opened_before(path);
  if (before != NULL && descriptor < DESCRIPTORS_MAX) {
    descriptors[descriptor] = *before;
    descriptors[descriptor].writes_through = (flags & (O_DSYNC | O_SYNC)) != 0;
    return descriptor;
  }
  const char *name = descriptor < 0 ? NULL : watched_name(path);
  if (name == NULL) return descriptor;
  if (descriptor >= DESCRIPTORS_MAX) fail("too many descriptors\n");
  struct stat status;
  if (fstat(descriptor, &status) != 0) fail("an opened file cannot be examined\n");
  descriptors[descriptor] = (Descriptor){true, S_ISDIR(status.st_mode), (flags & (O_DSYNC | O_SYNC)) != 0, status.st_ino};
  if (!S_ISDIR(status.st_mode)) {
    record_text(NAME, status.st_ino, name);
    if (flags & O_TRUNC) record(TRUNCATE, status.st_ino, 0, NULL, 0);
  }
  return descriptor;
}

// MARK: The calls

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                              \
  int name(const char *path, int flags, ...) {                  \
    mode_t mode = 0;                                            \
    if (flags & (O_CREAT | O_TMPFILE)) {                        \
      va_list arguments;                                        \
      va_start(arguments, flags);                               \
      mode = va_arg(arguments, mode_t);                         \
      va_end(arguments);                                        \
    }                                                           \
    pthread_mutex_lock(&lock);                                  \
    int descriptor = opened(NEXT(name)(path, flags, mode), path, flags); \
    int code = errno;                                           \
    pthread_mutex_unlock(&lock);                                \
    errno = code;                                               \
    return descriptor;                                          \
  }
OPEN(open)
OPEN(open64)

int close(int descriptor) {
  pthread_mutex_lock(&lock);
  if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX) descriptors[descriptor].is_watched = false;
  int result = NEXT(close)(descriptor);
  int code = errno;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

/// A write at the descriptor's own place.
static ssize_t write_here(int descriptor, const struct iovec *parts, int count) {
  pthread_mutex_lock(&lock);
  Descriptor *file = known(descriptor);
  bool is_note = is_watching && descriptor == notes;
  off_t offset = file ? lseek(descriptor, 0, SEEK_CUR) : 0;
  if (file) reached(BEFORE, write_point(file));
  if (is_note) reached(BEFORE, AT_NOTE);
  bool is_refused = file && is_full();
  ssize_t written = is_refused ? -1 : syscall(SYS_writev, descriptor, parts, count);
  int code = is_refused ? ENOSPC : errno;
  if (file && written > 0) wrote(file, (uint64_t)offset, parts, count, (size_t)written);
  if (is_note && written > 0) record(NOTE, 0, 0, parts, count);
  if (file) reached(AFTER, write_point(file));
  if (is_note) reached(AFTER, AT_NOTE);
  pthread_mutex_unlock(&lock);
  errno = code;
  return written;
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  struct iovec part = {(void *)bytes, length};
  return write_here(descriptor, &part, 1);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) { return write_here(descriptor, parts, count); }

static ssize_t write_at(int descriptor, const struct iovec *parts, int count, off_t offset) {
  pthread_mutex_lock(&lock);
  Descriptor *file = known(descriptor);
  if (file) reached(BEFORE, write_point(file));
  bool is_refused = file && is_full();
  // The kernel takes the offset in two halves, the second of them empty where a long has 64 bits.
  ssize_t written = is_refused ? -1 : syscall(SYS_pwritev, descriptor, parts, count, offset, 0);
  int code = is_refused ? ENOSPC : errno;
  if (file && written > 0) wrote(file, (uint64_t)offset, parts, count, (size_t)written);
  if (file) reached(AFTER, write_point(file));
  pthread_mutex_unlock(&lock);
  errno = code;
  return written;
}

#define PWRITE(name)                                                             \
  ssize_t name(int descriptor, const void *bytes, size_t length, off_t offset) { \
    struct iovec part = {(void *)bytes, length};                                 \
    return write_at(descriptor, &part, 1, offset);                               \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(name)                                                                \
  ssize_t name(int descriptor, const struct iovec *parts, int count, off_t offset) { \
    return write_at(descriptor, parts, count, offset);                               \
  }
PWRITEV(pwritev)
PWRITEV(pwritev64)

/// Waits for a disk that hangs, without the lock: others go on meanwhile.
static void hang(void) {
  while (hang_while != NULL && syscall(SYS_faccessat, AT_FDCWD, hang_while, F_OK) == 0) usleep(50000);
}

#define SYNC_CALL(name)                                                                         \
  int name(int descriptor) {                                                                    \
    pthread_mutex_lock(&lock);                                                                  \
    bool hangs = known(descriptor) != NULL;                                                     \
    pthread_mutex_unlock(&lock);                                                                \
    if (hangs) hang();                                                                          \
    pthread_mutex_lock(&lock);                                                                  \
    Descriptor *file = known(descriptor);                                                       \
    if (file) reached(BEFORE, AT_SYNC);                                                         \
    int result = NEXT(name)(descriptor);                                                        \
    int code = errno;                                                                           \
    if (file && result == 0) record(file->is_directory ? SYNC_DIRECTORY : SYNC, file->file, 0, NULL, 0); \
    if (file) reached(AFTER, AT_SYNC);                                                          \
    pthread_mutex_unlock(&lock);                                                                \
    errno = code;                                                                               \
    return result;                                                                              \
  }
SYNC_CALL(fsync)
SYNC_CALL(fdatasync)

#define TRUNCATE_CALL(name)                                                                   \
  int name(int descriptor, off_t length) {                                                    \
    pthread_mutex_lock(&lock);                                                                \
    Descriptor *file = known(descriptor);                                                     \
    int result = NEXT(name)(descriptor, length);                                              \
    int code = errno;                                                                         \
    if (file && result == 0) record(TRUNCATE, file->file, (uint64_t)length, NULL, 0);         \
    pthread_mutex_unlock(&lock);                                                              \
    errno = code;                                                                             \
    return result;                                                                            \
  }
TRUNCATE_CALL(ftruncate)
TRUNCATE_CALL(ftruncate64)

int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  const char *old = watched_name(from), *new = watched_name(to);
  if (old && new) reached(BEFORE, AT_RENAME);
  int result = NEXT(rename)(from, to);
  int code = errno;
  if (result == 0 && old && new) {
    struct iovec parts[3] = {{(void *)old, strlen(old)}, {"", 1}, {(void *)new, strlen(new)}};
    record(RENAME, 0, 0, parts, 3);
    reached(AFTER, AT_RENAME);
  }
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  int result = NEXT(unlink)(path);
  int code = errno;
  const char *name = watched_name(path);
  if (result == 0 && name) record_text(UNLINK, 0, name);
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}
