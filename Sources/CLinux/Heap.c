// Memory that was freed, given back; see CLinux.h.

#include "CLinux.h"

#include <malloc.h>

void clinux_give_back_heap(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
