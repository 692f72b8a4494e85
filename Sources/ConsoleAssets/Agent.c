// The pages of the agent's console.

#include "Asset.h"

static const uint8_t index_html[] = {
#embed "agent/index.html"
};

static const ConsoleAsset assets[] = {
    ASSET("/", ASSET_HTML, index_html),
};

ASSET_TABLE(console_assets_agent, assets)
