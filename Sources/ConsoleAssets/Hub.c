// The pages of the hub's console.

#include "Asset.h"

static const uint8_t hub_css[] = {
#embed "hub/hub.css"
};
static const uint8_t index_html[] = {
#embed "hub/index.html"
};
static const uint8_t jobdialog_js[] = {
#embed "hub/jobdialog.js"
};
static const uint8_t main_js[] = {
#embed "hub/main.js"
};
static const uint8_t names_js[] = {
#embed "hub/names.js"
};
static const uint8_t offer_js[] = {
#embed "hub/offer.js"
};
static const uint8_t pages_account_js[] = {
#embed "hub/pages/account.js"
};
static const uint8_t pages_alerts_js[] = {
#embed "hub/pages/alerts.js"
};
static const uint8_t pages_audit_js[] = {
#embed "hub/pages/audit.js"
};
static const uint8_t pages_codes_js[] = {
#embed "hub/pages/codes.js"
};
static const uint8_t pages_device_js[] = {
#embed "hub/pages/device.js"
};
static const uint8_t pages_devices_js[] = {
#embed "hub/pages/devices.js"
};
static const uint8_t pages_entities_js[] = {
#embed "hub/pages/entities.js"
};
static const uint8_t pages_install_js[] = {
#embed "hub/pages/install.js"
};
static const uint8_t pages_installs_js[] = {
#embed "hub/pages/installs.js"
};
static const uint8_t pages_job_js[] = {
#embed "hub/pages/job.js"
};
static const uint8_t pages_jobs_js[] = {
#embed "hub/pages/jobs.js"
};
static const uint8_t pages_overview_js[] = {
#embed "hub/pages/overview.js"
};
static const uint8_t pages_pages_js[] = {
#embed "hub/pages/pages.js"
};
static const uint8_t pages_settings_js[] = {
#embed "hub/pages/settings.js"
};
static const uint8_t pages_users_js[] = {
#embed "hub/pages/users.js"
};
static const uint8_t remote_js[] = {
#embed "hub/remote.js"
};
static const uint8_t retirement_js[] = {
#embed "hub/retirement.js"
};

static const ConsoleAsset assets[] = {
    ASSET("/app/hub.css", ASSET_CSS, hub_css),
    ASSET("/", ASSET_HTML, index_html),
    ASSET("/app/jobdialog.js", ASSET_JS, jobdialog_js),
    ASSET("/app/main.js", ASSET_JS, main_js),
    ASSET("/app/names.js", ASSET_JS, names_js),
    ASSET("/app/offer.js", ASSET_JS, offer_js),
    ASSET("/app/pages/account.js", ASSET_JS, pages_account_js),
    ASSET("/app/pages/alerts.js", ASSET_JS, pages_alerts_js),
    ASSET("/app/pages/audit.js", ASSET_JS, pages_audit_js),
    ASSET("/app/pages/codes.js", ASSET_JS, pages_codes_js),
    ASSET("/app/pages/device.js", ASSET_JS, pages_device_js),
    ASSET("/app/pages/devices.js", ASSET_JS, pages_devices_js),
    ASSET("/app/pages/entities.js", ASSET_JS, pages_entities_js),
    ASSET("/app/pages/install.js", ASSET_JS, pages_install_js),
    ASSET("/app/pages/installs.js", ASSET_JS, pages_installs_js),
    ASSET("/app/pages/job.js", ASSET_JS, pages_job_js),
    ASSET("/app/pages/jobs.js", ASSET_JS, pages_jobs_js),
    ASSET("/app/pages/overview.js", ASSET_JS, pages_overview_js),
    ASSET("/app/pages/pages.js", ASSET_JS, pages_pages_js),
    ASSET("/app/pages/settings.js", ASSET_JS, pages_settings_js),
    ASSET("/app/pages/users.js", ASSET_JS, pages_users_js),
    ASSET("/app/remote.js", ASSET_JS, remote_js),
    ASSET("/app/retirement.js", ASSET_JS, retirement_js),
};

ASSET_TABLE(console_assets_hub, assets)
