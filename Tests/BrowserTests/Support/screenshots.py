#!/usr/bin/env python3
"""Pictures of the consoles of agent and hub for the documentation: docs/images, by Chromium, from a real agent with simulated printers and a hub.

    screenshots.py --into DIRECTORY [--network 92]      the hub's are of the next network

PT_BIN names the directory of the programs.
"""

import argparse
import glob
import io
import json
import os
import sys
import tempfile
import time

import browsers
from console_site import ROOT, Site
from hub_checks import PASSWORD, HubSite

# Beyond this a picture is a burden to whoever clones the repository.
BYTES_MAX = 150_000
# Long enough for charts with a line in them.
COLLECT_SECONDS = 90
WIDE = (1280, 860)
PHONE = (390, 780)

PLACES = ["Headquarters, floor 1", "Headquarters, floor 2", "Warehouse", "Sales office", "Print room"]


class OfficeFleet:
    """One printer of each model that there is, with names as an office has them."""

    def write_fleet(self):
        models = sorted(os.path.splitext(os.path.basename(path))[0] for path in glob.glob(f"{ROOT}/Fixtures/devices/*.toml"))
        self.printers = len(models)
        text = f'port = {self.snmp}\nseed = 20\nmodels = "{ROOT}/Fixtures/devices"\n'
        for index, model in enumerate(models):
            text += f"""
[[printers]]
address = "127.30.{self.network}.{index + 1}"
model = "{model}"
name = "PRN-{index + 1:02d}"
location = "{PLACES[index % len(PLACES)]}"
"""
        self.write("fleet.toml", text)


class Office(OfficeFleet, Site):
    pass


class DealerOffice(OfficeFleet, HubSite):
    pass


def small(picture):
    """A picture of few colours in few bytes."""
    from PIL import Image
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64):
        output = io.BytesIO()
        image.quantize(colors=colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(output, "PNG", optimize=True)
        if output.tell() <= BYTES_MAX:
            return output.getvalue()
    raise RuntimeError(f"{output.tell()} bytes are too many, at 64 colours still")


class Camera:
    def __init__(self, browser, site, into):
        self.browser, self.site, self.into = browser, site, into

    def take(self, name, address, scheme="light", size=WIDE, prepare=lambda: None):
        self.browser.scheme(scheme)
        self.browser.resize(*size)
        self.browser.open(f"{self.site.url}/#/{address}")
        self.browser.settle(0.8)
        prepare()
        self.browser.settle(0.4)
        picture = small(self.browser.tab.screenshot())
        with open(os.path.join(self.into, name + ".png"), "wb") as file:
            file.write(picture)
        print(f"{name}.png  {len(picture)} bytes", flush=True)


def pictures_of_agent(into, network, directory):
    site = Office(directory, network)
    browser = None
    try:
        site.start_fleet(speed=240)
        site.start_hub()
        site.start_agent()
        browser = browsers.Chromium(directory)
        camera = Camera(browser, site, into)
        camera.take("console-first-run", "setup")
        activate(browser, site)
        site.wait_devices(site.printers - 2)
        # Often, so that there is something to draw.
        put(site, {"poll.interval": "3s"})
        time.sleep(COLLECT_SECONDS)
        # That with the most levels that were measured.
        colour = max(site.get("devices?limit=100")["items"], key=lambda item: sum(supply["quality"] == "exact" for supply in item["supplies"][:5]) + (item["alerts"]["total"] in (1, 2)))["id"]
        camera.take("console-overview", "dashboard")
        camera.take("console-devices", "devices")
        camera.take("console-device", f"devices/{colour}", scheme="dark")
        camera.take("console-provenance", f"devices/{colour}", prepare=lambda: browser.click("td.number button.value"))
        camera.take("console-history", f"devices/{colour}?tab=history")
        camera.take("console-discovery", "discovery")
        camera.take("console-outgoing", "outgoing")
        camera.take("console-settings", "settings")
        camera.take("console-phone", "devices", size=PHONE)
    finally:
        if browser:
            browser.close()
        site.stop()


def pictures_of_hub(into, network, directory):
    site = DealerOffice(directory, network)
    browser = None
    try:
        site.start_fleet(speed=240)
        site.start_hub()
        site.start_agent()
        site.wait_devices(site.printers - 2)
        site.hub_command("job", "create", "scan", "--entity", "Example Ltd")
        browser = browsers.Chromium(directory)
        browser.go(site.url)
        browser.write(browser.field("User"), "ann")
        browser.write(browser.field("Password"), PASSWORD)
        browser.key("Enter")
        browser.wait("!document.querySelector('.login') && document.querySelector('main h1')", what="the overview")
        device = max(site.devices(), key=lambda device: device["alerts"] or 0)["id"]
        install = json.loads(site.hub_command("install", "list", "--output", "json"))[0]["id"]
        camera = Camera(browser, site, into)
        camera.take("hub-overview", "overview")
        camera.take("hub-devices", "devices")
        camera.take("hub-device", f"devices/{device}", scheme="dark")
        camera.take("hub-install", f"installs/{install}")
    finally:
        if browser:
            browser.close()
        site.stop()


def activate(browser, site):
    browser.write(browser.field("DataLink code"), site.code())
    browser.write(browser.field("Hub"), f"127.0.0.1:{site.csr}")
    browser.write(browser.field("Pin of the hub"), site.pin)
    browser.press_button("Activate")
    browser.has("This machine is enrolled", 60)


def put(site, changes):
    import urllib.request
    request = urllib.request.Request(f"{site.url}/api/v1/settings", data=json.dumps({"changes": changes}).encode(), method="PUT",
                                     headers={"X-PrintTrail": "1", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", required=True)
    parser.add_argument("--network", type=int, default=92)
    options = parser.parse_args()
    reason = browsers.missing("chromium")
    if reason:
        print(reason, file=sys.stderr)
        return 77
    os.makedirs(options.into, exist_ok=True)
    for pictures, network in ((pictures_of_agent, options.network), (pictures_of_hub, options.network + 1)):
        with tempfile.TemporaryDirectory(prefix="printtrail-screenshots-") as directory:
            pictures(options.into, network, directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
