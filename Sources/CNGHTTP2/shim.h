// nghttp2 as Swift sees it. Swift's size and sign conversions are made here, once.

#ifndef PRINTTRAIL_CNGHTTP2_SHIM_H
#define PRINTTRAIL_CNGHTTP2_SHIM_H

#include <nghttp2/nghttp2.h>

#endif
