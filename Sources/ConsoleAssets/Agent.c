// The pages of the agent's console.

#include "Asset.h"

static const uint8_t agent_css[] = {
#embed "agent/agent.css"
};
static const uint8_t device_collection_js[] = {
#embed "agent/device/collection.js"
};
static const uint8_t device_history_js[] = {
#embed "agent/device/history.js"
};
static const uint8_t device_reading_js[] = {
#embed "agent/device/reading.js"
};
static const uint8_t device_timeline_js[] = {
#embed "agent/device/timeline.js"
};
static const uint8_t download_js[] = {
#embed "agent/download.js"
};
static const uint8_t index_html[] = {
#embed "agent/index.html"
};
static const uint8_t main_js[] = {
#embed "agent/main.js"
};
static const uint8_t names_js[] = {
#embed "agent/names.js"
};
static const uint8_t pages_alerts_js[] = {
#embed "agent/pages/alerts.js"
};
static const uint8_t pages_dashboard_js[] = {
#embed "agent/pages/dashboard.js"
};
static const uint8_t pages_device_js[] = {
#embed "agent/pages/device.js"
};
static const uint8_t pages_devices_js[] = {
#embed "agent/pages/devices.js"
};
static const uint8_t pages_diagnostics_js[] = {
#embed "agent/pages/diagnostics.js"
};
static const uint8_t pages_discovery_js[] = {
#embed "agent/pages/discovery.js"
};
static const uint8_t pages_jobs_js[] = {
#embed "agent/pages/jobs.js"
};
static const uint8_t pages_journal_js[] = {
#embed "agent/pages/journal.js"
};
static const uint8_t pages_outgoing_js[] = {
#embed "agent/pages/outgoing.js"
};
static const uint8_t pages_queue_js[] = {
#embed "agent/pages/queue.js"
};
static const uint8_t pages_record_js[] = {
#embed "agent/pages/record.js"
};
static const uint8_t pages_remote_js[] = {
#embed "agent/pages/remote.js"
};
static const uint8_t pages_settings_js[] = {
#embed "agent/pages/settings.js"
};
static const uint8_t pages_setup_js[] = {
#embed "agent/pages/setup.js"
};
static const uint8_t records_js[] = {
#embed "agent/records.js"
};
static const uint8_t remote_js[] = {
#embed "agent/remote.js"
};
static const uint8_t toml_js[] = {
#embed "agent/toml.js"
};

static const ConsoleAsset assets[] = {
    ASSET("/app/agent.css", ASSET_CSS, agent_css),
    ASSET("/app/device/collection.js", ASSET_JS, device_collection_js),
    ASSET("/app/device/history.js", ASSET_JS, device_history_js),
    ASSET("/app/device/reading.js", ASSET_JS, device_reading_js),
    ASSET("/app/device/timeline.js", ASSET_JS, device_timeline_js),
    ASSET("/app/download.js", ASSET_JS, download_js),
    ASSET("/", ASSET_HTML, index_html),
    ASSET("/app/main.js", ASSET_JS, main_js),
    ASSET("/app/names.js", ASSET_JS, names_js),
    ASSET("/app/pages/alerts.js", ASSET_JS, pages_alerts_js),
    ASSET("/app/pages/dashboard.js", ASSET_JS, pages_dashboard_js),
    ASSET("/app/pages/device.js", ASSET_JS, pages_device_js),
    ASSET("/app/pages/devices.js", ASSET_JS, pages_devices_js),
    ASSET("/app/pages/diagnostics.js", ASSET_JS, pages_diagnostics_js),
    ASSET("/app/pages/discovery.js", ASSET_JS, pages_discovery_js),
    ASSET("/app/pages/jobs.js", ASSET_JS, pages_jobs_js),
    ASSET("/app/pages/journal.js", ASSET_JS, pages_journal_js),
    ASSET("/app/pages/outgoing.js", ASSET_JS, pages_outgoing_js),
    ASSET("/app/pages/queue.js", ASSET_JS, pages_queue_js),
    ASSET("/app/pages/record.js", ASSET_JS, pages_record_js),
    ASSET("/app/pages/remote.js", ASSET_JS, pages_remote_js),
    ASSET("/app/pages/settings.js", ASSET_JS, pages_settings_js),
    ASSET("/app/pages/setup.js", ASSET_JS, pages_setup_js),
    ASSET("/app/records.js", ASSET_JS, records_js),
    ASSET("/app/remote.js", ASSET_JS, remote_js),
    ASSET("/app/toml.js", ASSET_JS, toml_js),
};

ASSET_TABLE(console_assets_agent, assets)
