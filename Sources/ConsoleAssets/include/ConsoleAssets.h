// The files that browsers get, inside the program: the shared components, the pages of the agent's console, the pages of the hub's.
//
// Nothing is loaded from elsewhere, and nothing is made by a tool before the build: the compiler embeds the files as they are (C23
// `#embed`, which the build's dependencies know of: an edited page is embedded again).
//
// From Swift:
//
//     internal import ConsoleAssets
//     let table = console_assets_agent()                       // or console_assets_shared(), console_assets_hub()
//     for asset in UnsafeBufferPointer(start: table.first, count: table.count) {
//       String(cString: asset.path)                            // "/app/main.js"
//       String(cString: asset.type)                            // "text/javascript; charset=utf-8"
//       UnsafeRawBufferPointer(start: asset.bytes, count: asset.length)
//     }
//
// A console serves the shared table and one of the two others. Paths begin with a slash and are those under which a file is served, and
// under which the other files name it:
//
//     /shared/...     the shared table
//     /app/...        the agent's or the hub's own modules and styles; no console has both
//     /               the one page of a console (text/html), which loads all else; the pages in it are told apart by the part of the
//                     address behind `#`, which no server sees
//     /favicon.svg    in the shared table
//
// Everything is text in UTF-8. The bytes live as long as the program and never change, so an ETag may be made of them once.

#ifndef CONSOLE_ASSETS_H
#define CONSOLE_ASSETS_H

#include <stddef.h>
#include <stdint.h>

/// One file.
typedef struct {
  /// Where it is served, from the slash on; ASCII.
  const char *_Nonnull path;
  /// Its media type, with the character set.
  const char *_Nonnull type;
  const uint8_t *_Nonnull bytes;
  /// In bytes.
  size_t length;
} ConsoleAsset;

typedef struct {
  const ConsoleAsset *_Nonnull first;
  size_t count;
} ConsoleAssetTable;

/// Design tokens, base styles and components of both consoles.
ConsoleAssetTable console_assets_shared(void);

/// The agent's console.
ConsoleAssetTable console_assets_agent(void);

/// The hub's console.
ConsoleAssetTable console_assets_hub(void);

#endif
