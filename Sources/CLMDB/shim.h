// LMDB's own header, whose macros import as they are, and what `import Glibc` does not show: statfs(2), and the flag O_DIRECT, whose number
// depends on the processor. All policy is in the Swift room `LMDB`.

#ifndef PRINTTRAIL_CLMDB_SHIM_H
#define PRINTTRAIL_CLMDB_SHIM_H

#include <fcntl.h>
#include <lmdb.h>
#include <sys/vfs.h>

/// O_DIRECT (open(2)).
static const int clmdb_direct = __O_DIRECT;

#endif
