// LMDB's own header; its macros import as they are. All policy is in the Swift room `LMDB`.

#ifndef PRINTTRAIL_CLMDB_SHIM_H
#define PRINTTRAIL_CLMDB_SHIM_H

#include <lmdb.h>

#endif
