// Counts a process's allocations: preloaded into it (LD_PRELOAD), linked into nothing. glibc alone.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

/// Calls of malloc, calloc, realloc, aligned_alloc, memalign and posix_memalign since the process began.
uint64_t allocation_counter_calls(void);

#endif
