// LMDB's own header, whose macros import as they are, and statfs(2), which `import Glibc` does not show. All policy is in the
// Swift room `LMDB`.

#ifndef PRINTTRAIL_CLMDB_SHIM_H
#define PRINTTRAIL_CLMDB_SHIM_H

#include <lmdb.h>
#include <sys/vfs.h>

#endif
