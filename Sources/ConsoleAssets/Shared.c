// What both consoles are made of.

#include "Asset.h"

static const uint8_t api_js[] = {
#embed "shared/api.js"
};
static const uint8_t chart_js[] = {
#embed "shared/chart.js"
};
static const uint8_t components_css[] = {
#embed "shared/components.css"
};
static const uint8_t dialog_js[] = {
#embed "shared/dialog.js"
};
static const uint8_t dom_js[] = {
#embed "shared/dom.js"
};
static const uint8_t favicon_svg[] = {
#embed "shared/favicon.svg"
};
static const uint8_t form_js[] = {
#embed "shared/form.js"
};
static const uint8_t format_js[] = {
#embed "shared/format.js"
};
static const uint8_t icons_js[] = {
#embed "shared/icons.js"
};
static const uint8_t meters_js[] = {
#embed "shared/meters.js"
};
static const uint8_t pill_js[] = {
#embed "shared/pill.js"
};
static const uint8_t router_js[] = {
#embed "shared/router.js"
};
static const uint8_t shell_css[] = {
#embed "shared/shell.css"
};
static const uint8_t shell_js[] = {
#embed "shared/shell.js"
};
static const uint8_t strip_js[] = {
#embed "shared/strip.js"
};
static const uint8_t supply_js[] = {
#embed "shared/supply.js"
};
static const uint8_t table_js[] = {
#embed "shared/table.js"
};
static const uint8_t theme_js[] = {
#embed "shared/theme.js"
};
static const uint8_t toast_js[] = {
#embed "shared/toast.js"
};
static const uint8_t tokens_css[] = {
#embed "shared/tokens.css"
};
static const uint8_t value_js[] = {
#embed "shared/value.js"
};

static const ConsoleAsset assets[] = {
    ASSET("/shared/api.js", ASSET_JS, api_js),
    ASSET("/shared/chart.js", ASSET_JS, chart_js),
    ASSET("/shared/components.css", ASSET_CSS, components_css),
    ASSET("/shared/dialog.js", ASSET_JS, dialog_js),
    ASSET("/shared/dom.js", ASSET_JS, dom_js),
    ASSET("/favicon.svg", ASSET_SVG, favicon_svg),
    ASSET("/shared/form.js", ASSET_JS, form_js),
    ASSET("/shared/format.js", ASSET_JS, format_js),
    ASSET("/shared/icons.js", ASSET_JS, icons_js),
    ASSET("/shared/meters.js", ASSET_JS, meters_js),
    ASSET("/shared/pill.js", ASSET_JS, pill_js),
    ASSET("/shared/router.js", ASSET_JS, router_js),
    ASSET("/shared/shell.css", ASSET_CSS, shell_css),
    ASSET("/shared/shell.js", ASSET_JS, shell_js),
    ASSET("/shared/strip.js", ASSET_JS, strip_js),
    ASSET("/shared/supply.js", ASSET_JS, supply_js),
    ASSET("/shared/table.js", ASSET_JS, table_js),
    ASSET("/shared/theme.js", ASSET_JS, theme_js),
    ASSET("/shared/toast.js", ASSET_JS, toast_js),
    ASSET("/shared/tokens.css", ASSET_CSS, tokens_css),
    ASSET("/shared/value.js", ASSET_JS, value_js),
};

ASSET_TABLE(console_assets_shared, assets)
