// The part of zlib that Swift cannot import by itself: the initialisers are macros, and Z_NULL is one, too.
// Nothing in this file decides anything; all policy is in the Swift room `Zlib`.

#ifndef PRINTTRAIL_CZLIB_SHIM_H
#define PRINTTRAIL_CZLIB_SHIM_H

#include <zlib.h>

static inline int pt_inflate_init(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }
static inline int pt_deflate_init(z_stream *stream, int level, int window_bits) {
  return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}

#endif
