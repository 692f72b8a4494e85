// How a table of embedded files is written down; for the sources of this room alone.

#ifndef ASSET_H
#define ASSET_H

#include "ConsoleAssets.h"

// `#embed` is of C23; the packages' other sources are of C17, and the compiler knows it there as well.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define ASSET_HTML "text/html; charset=utf-8"
#define ASSET_CSS "text/css; charset=utf-8"
#define ASSET_JS "text/javascript; charset=utf-8"
#define ASSET_SVG "image/svg+xml; charset=utf-8"

/// One row: where the file is served, its type, and the array that holds it.
#define ASSET(path, type, array) {path, type, array, sizeof(array)}

/// The function that hands out a table.
#define ASSET_TABLE(function, table) \
  ConsoleAssetTable function(void) { return (ConsoleAssetTable){table, sizeof(table) / sizeof(table[0])}; }

#endif
