// The pages of the hub's console.

#include "Asset.h"

static const uint8_t index_html[] = {
#embed "hub/index.html"
};

static const ConsoleAsset assets[] = {
    ASSET("/", ASSET_HTML, index_html),
};

ASSET_TABLE(console_assets_hub, assets)
