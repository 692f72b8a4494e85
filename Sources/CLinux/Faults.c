// What is done when the process is about to die of a fault in a mapped file. Only async-signal-safe calls (signal-safety(7)), on
// memory that was made ready before.

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { ARGUMENTS_MAX = 8 };

static const int fault_signals[] = {SIGBUS, SIGSEGV, SIGABRT};

static char *fault_program;
static char *fault_arguments[ARGUMENTS_MAX + 1];
static char *fault_mark;

static int handle(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESETHAND | SA_NODEFER};
  for (size_t i = 0; i < sizeof fault_signals / sizeof *fault_signals; i++)
    if (sigaction(fault_signals[i], &action, NULL) != 0) return -errno;
  return 0;
}

static void become(int signal) {
  (void)signal;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(fault_program, fault_arguments, environ);
  _exit(127);
}

int clinux_exec_on_fault(const char *program, const char *const *arguments, int count) {
  if (count < 1 || count > ARGUMENTS_MAX) return -E2BIG;
  fault_program = strdup(program);
  for (int i = 0; i < count; i++) fault_arguments[i] = strdup(arguments[i]);
  fault_arguments[count] = NULL;
  return handle(become);
}

static void mark(int signal) {
  int descriptor = open(fault_mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor >= 0) close(descriptor);
  // The action was reset: this ends the process as the fault would have.
  raise(signal);
}

int clinux_mark_on_fault(const char *path) {
  fault_mark = strdup(path);
  return handle(mark);
}
