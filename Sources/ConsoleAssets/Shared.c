// What both consoles are made of.

#include "Asset.h"

static const uint8_t tokens_css[] = {
#embed "shared/tokens.css"
};
static const uint8_t theme_js[] = {
#embed "shared/theme.js"
};
static const uint8_t favicon_svg[] = {
#embed "shared/favicon.svg"
};

static const ConsoleAsset assets[] = {
    ASSET("/shared/tokens.css", ASSET_CSS, tokens_css),
    ASSET("/shared/theme.js", ASSET_JS, theme_js),
    ASSET("/favicon.svg", ASSET_SVG, favicon_svg),
};

ASSET_TABLE(console_assets_shared, assets)
