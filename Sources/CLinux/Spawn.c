// posix_spawn(3), with glibc's additions to it.

#define _GNU_SOURCE
#include "CLinux.h"

#include <signal.h>
#include <spawn.h>

static int prepare(
    posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const char *directory, const int standard[3]) {
  for (int descriptor = 0; descriptor < 3; descriptor++) {
    int failed = posix_spawn_file_actions_adddup2(actions, standard[descriptor], descriptor);
    if (failed) return failed;
  }
  int failed = posix_spawn_file_actions_addclosefrom_np(actions, 3);
  if (!failed && directory) failed = posix_spawn_file_actions_addchdir_np(actions, directory);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  if (!failed) failed = posix_spawnattr_setsigdefault(attributes, &all);
  if (!failed) failed = posix_spawnattr_setsigmask(attributes, &none);
  if (!failed)
    failed = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  return failed;
}

int clinux_spawn(
    const char *path, char *const arguments[], char *const environment[], const char *directory, const int standard[3]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed) return -failed;
  failed = posix_spawnattr_init(&attributes);
  if (!failed) {
    pid_t child = 0;
    failed = prepare(&actions, &attributes, directory, standard);
    if (!failed) failed = posix_spawn(&child, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    if (!failed) {
      posix_spawn_file_actions_destroy(&actions);
      return child;
    }
  }
  posix_spawn_file_actions_destroy(&actions);
  return -failed;
}
