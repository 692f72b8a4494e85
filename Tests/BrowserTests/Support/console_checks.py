#!/usr/bin/env python3
"""The agent's console in a real browser, against a real agent with simulated printers and a hub.

    console_checks.py --browser chromium|firefox --network 90 [--only WORD]

Prints a line of JSON for each check: {"check", "ok", "seconds", "detail"}; ends with 1 if one failed, with 77 if the browser cannot be
driven here. PT_BIN names the directory of the programs. The checks go on from each other: the first ones enrol the agent.
"""

import gzip
import json
import sys
import tarfile
import time

from checks import equal, expect, main
from console_remote import Technician
from console_site import HOSTILE, SILENT, Site

PRINTERS = 54
PAGES = ["dashboard", "devices", "discovery", "alerts", "jobs", "queue", "journal", "outgoing", "settings", "setup", "diagnostics", "remote"]
PASSWORD = "correct horse battery"


class Checks:
    """Each method whose name begins with check_ is one; its first line says what holds."""

    def __init__(self, browser, site):
        self.b = browser
        self.site = site

    def pages(self):
        device = self.device()
        return PAGES + [f"devices/{device}", f"devices/{device}?tab=history", f"devices/{device}?tab=timeline", f"devices/{device}?tab=collection",
                        "journal/1/1", "outgoing/1/1"]

    def device(self, hostile=False):
        items = self.site.get("devices?limit=500")["items"]
        return next(item["id"] for item in items if (item["name"] == HOSTILE) == hostile)

    def open(self, address=""):
        self.b.open(f"{self.site.url}/#/{address}")

    # The instruments

    def check_the_instruments_notice_what_is_wrong(self):
        """Accessibility, width, the policy and errors: what the other checks rely on would notice if something were wrong."""
        self.b.go(self.site.url + "/")
        self.b.wait_page()
        self.b.take_problems()
        self.b.js("""const m = document.querySelector('main');
            const i = document.createElement('img'); i.src = '/favicon.svg'; m.append(i);
            const w = document.createElement('div'); w.textContent = 'w'.repeat(4000); w.className = 'nowrap'; m.append(w);
            const s = document.createElement('p'); s.setAttribute('style', 'color: red'); m.append(s);
            const e = document.createElement('script'); e.textContent = 'window.pwned = 3'; m.append(e);""")
        expect(any("image-alt" in finding for finding in self.b.accessibility()), "axe does not see an image without a text")
        expect(self.b.overflow(), "nobody sees that a page is too wide")
        problems = " ".join(self.b.take_problems())
        expect("style" in problems and "script" in problems, f"the policy lets styles or scripts in: {problems!r}")
        expect(self.b.js("return window.pwned === undefined;"), "an inline script ran")

    # The first run

    def check_first_run_leads_to_the_hub_connection(self):
        """Whoever opens the console of a machine that knows no hub stands before the form that changes that."""
        self.b.open(self.site.url + "/")
        equal(self.b.text("h1"), "Connect to a hub")
        self.b.has("remotetechnician")

    def check_first_run_says_what_is_wrong_with_each_field(self):
        """Wrong code, address, pin and proxy: each is told at its field, and nothing is enrolled."""
        b = self.b
        b.write(b.field("DataLink code"), "not a code")
        b.write(b.field("Hub"), "http://hub")
        b.write(b.field("Pin of the hub"), "sha256/short")
        b.press_button("Activate")
        b.wait("document.querySelectorAll('.field.invalid').length > 0", what="an error at a field")
        invalid = b.js("return document.activeElement.getAttribute('aria-invalid');")
        equal(invalid, "true", "the first wrong field has the focus")
        described = b.js("return document.getElementById(document.activeElement.getAttribute('aria-describedby').split(' ').at(-1)).innerText;")
        expect(len(described) > 10, f"the field says what is wrong: {described!r}")
        equal(self.site.get("setup")["install"], None, "the install")

    def check_connectivity_tells_the_reason_of_each_failure(self):
        """Nobody listens there; a wrong pin; then the right one."""
        b = self.b
        b.write(b.field("Hub"), f"127.0.0.1:{self.site.nowhere}")
        b.write(b.field("Pin of the hub"), self.site.pin)
        b.press_button("Test connectivity")
        b.has("1 of 1 tests failed", 30)
        row = b.text("[aria-live] tbody tr")
        expect("csr" in row and "Failed" in row and "refused" in row.lower(), f"the reason: {row!r}")
        wrong = "sha256/" + "A" * 43 + "="
        b.write(b.field("Hub"), f"127.0.0.1:{self.site.csr}")
        b.write(b.field("Pin of the hub"), wrong)
        b.press_button("Test connectivity")
        b.wait("/pin|vouch|trust|CA/i.test(document.querySelector('[aria-live] tbody tr').innerText) && /Failed/.test(document.querySelector('[aria-live] tbody tr').innerText)", 30,
               "the reason: not the hub of the pin")
        b.write(b.field("Pin of the hub"), self.site.pin)
        b.press_button("Test connectivity")
        b.wait("/Passed/.test(document.querySelector('[aria-live] tbody tr').innerText)", 30, "csr passes")
        equal(len(b.texts("[aria-live] tbody tr")), 4, "all four services are listed")

    def check_activation_enrols_this_machine(self):
        """A used-up code is refused at its field; a good one enrols, and delivery begins."""
        b = self.b
        b.write(b.field("DataLink code"), "0123456789abcdef01234567")
        b.press_button("Activate")
        b.wait("document.querySelector('.field.invalid input')?.name === 'code'", 50, "the hub's refusal at the code")
        b.write(b.field("DataLink code"), self.site.code())
        b.press_button("Activate")
        b.has("This machine is enrolled", 60)
        b.has("Example Ltd")
        b.press_button("Test connectivity")
        b.wait("[...document.querySelectorAll('[aria-live] tbody tr')].filter(r => /Passed/.test(r.innerText)).length >= 3", 30, "csr, dcam and hc pass")

    # Each page

    def check_each_page_shows_itself(self):
        """Each page has a heading, a title of its own and nothing in the browser's error console; also one that does not exist."""
        b = self.b
        b.take_problems()
        titles = set()
        for address in self.pages():
            self.open(address)
            expect(b.text("h1"), f"{address} has no heading")
            expect(b.text("h1") not in ("Not found", "This did not work"), f"{address}: {b.text('main')}")
            titles.add(b.js("return document.title;"))
            expect(not b.overflow(), f"{address}: {b.overflow()}")
            equal(b.js("return [document.querySelectorAll('h1').length, document.querySelectorAll('main').length, document.querySelectorAll('[style]').length];")[:2], [1, 1], address)
        expect(len(titles) >= len(PAGES), f"titles: {titles}")
        problems = b.take_problems()
        equal(problems, [], "the browser's error console")
        self.open("nowhere/at/all")
        equal(b.text("h1"), "Not found")
        self.open("devices/00000000000000000000000000000000")
        equal(b.text("h1"), "Not found")

    def check_each_page_is_accessible_in_both_themes(self):
        """axe-core finds nothing serious on any page, light and dark."""
        found = []
        try:
            for scheme in ("light", "dark"):
                self.b.scheme(scheme)
                for address in self.pages():
                    self.open(address)
                    found += [f"{scheme} {address}: {one}" for one in self.b.accessibility()]
        finally:
            self.b.scheme("light")
        equal(found, [], "findings")

    def check_each_page_fits_a_phone(self):
        """At 360 px (and between that and a wide screen) nothing has to be scrolled sideways, and the navigation opens and closes by keys."""
        b = self.b
        try:
            for width in (1130, 1024, 900, 800):
                b.resize(width, 740)
                for address in ("devices", "discovery", "journal", f"devices/{self.device()}"):
                    self.open(address)
                    expect(not b.overflow(), f"{address} at {width}: {b.overflow()}")
            b.resize(360, 740)
            for address in self.pages():
                self.open(address)
                b.settle(0.2)
                expect(not b.overflow(), f"{address}: {b.overflow()}")
                if address in ("dashboard", "devices", "settings"):
                    equal(b.accessibility(), [], f"{address} at this width")
            self.open("devices")
            equal(b.js("return getComputedStyle(document.getElementById('side')).display;"), "none", "the navigation")
            b.click(".menu")
            b.wait("document.activeElement.closest('#side')", what="the focus in the navigation")
            equal(b.overflow(), None, "the width with the open navigation")
            b.key("Escape")
            b.wait("document.activeElement.classList.contains('menu')", what="the focus back at the button")
        finally:
            b.resize(1280, 900)

    def check_a_page_is_light(self):
        """The list of devices, opened for the first time: all that is loaded for it, data included, has less than 150 KB as it comes over the wire."""
        self.b.go("about:blank")
        self.b.go(f"{self.site.url}/?{time.monotonic_ns()}#/devices")
        self.b.wait_page()
        sizes = self.b.js("""return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
            .map(e => [new URL(e.name).pathname, e.encodedBodySize]);""")
        expect(len(sizes) > 15 and any(path == "/api/v1/devices" for path, _ in sizes), f"{sizes}")
        total = sum(size for _, size in sizes)
        expect(20_000 < total < 150_000, f"{total} bytes: {sorted(sizes, key=lambda one: -one[1])[:6]}")

    # Devices

    def check_devices_are_searched_sorted_filtered_and_paged(self):
        """The table asks the server for what is shown, and the address keeps it."""
        b = self.b
        self.open("devices")
        b.has(f"{PRINTERS} devices")
        equal(len(b.texts("tbody tr")), 50, "rows of the first page")
        b.press_button("Next")
        b.wait(f"document.querySelectorAll('tbody tr').length === {PRINTERS - 50}", what="the second page")
        b.press_button("Previous")
        b.wait("document.querySelectorAll('tbody tr').length === 50", what="the first page")
        b.click("input[type=search]")
        b.type("FLOOR2")
        b.has("10 devices")
        b.wait("location.hash.includes('q=FLOOR2')", what="the search in the address")
        self.open("devices?q=FLOOR2")
        b.has("10 devices")
        b.write("input[type=search]", "zzzz")
        b.has("Nothing matches")
        b.press_button("Show all")
        b.has(f"{PRINTERS} devices")
        b.press_button("Total", within="thead")
        b.wait("document.querySelector('th[aria-sort=descending]')?.innerText.includes('Total')", what="sorted by the total")
        b.wait("!document.querySelector('table[aria-busy=true]')")
        totals = self.totals()
        equal(totals, sorted(totals, reverse=True), "the greatest first")
        b.press_button("Total", within="thead")
        b.wait("document.querySelector('th[aria-sort=ascending]')?.innerText.includes('Total') && !document.querySelector('table[aria-busy=true]')", what="the other way round")
        totals = self.totals()
        equal(totals, sorted(totals), "the least first")
        make = self.site.get("devices?limit=1")["items"][0]["make"]
        b.choose(b.field("Make"), make)
        count = self.site.get("devices?limit=1&make=" + make)["total"]
        b.has(f"{count} devices")

    def totals(self):
        cells = self.b.js("return [...document.querySelectorAll('tbody tr')].map(r => r.querySelector('td.number').innerText.replace(/[^0-9]/g, ''));")
        return [int(cell) for cell in cells if cell]

    def check_what_printers_call_themselves_is_text(self):
        """A printer whose name is markup: the name is read, and nothing of it runs, on any page that shows it."""
        b = self.b
        device = self.device(hostile=True)
        for address in ["devices?q=onerror", f"devices/{device}", f"devices/{device}?tab=timeline", "discovery?q=onerror", "journal", "alerts"]:
            self.open(address)
            b.settle(0.3)
            expect(b.js("return window.pwned === undefined && document.querySelectorAll('main img, main script').length === 0;"), f"{address}: markup of a printer is markup")
        self.open(f"devices/{device}")
        b.has(HOSTILE)
        b.has("<script>window.pwned=2</script>")

    def check_each_value_shows_where_it_comes_from(self):
        """A meter: object, raw value, rule, and its record in the journal; a supply: by the journal's raw objects. By keys alone."""
        b = self.b
        self.open(f"devices/{self.device()}")
        b.wait("document.querySelector('button.value')", what="a value")
        meters = "[...document.querySelectorAll('section.card')].find(c => c.querySelector('h2').innerText === 'Meters')"
        equal(b.js(f"return {meters}.querySelector('tbody th').innerText;"), "Total", "the first meter")
        b.js(f"{meters}.querySelector('button.value').focus();")
        b.key("Enter")
        b.wait("document.querySelector('.sheet:popover-open')", what="the sheet")
        sheet = b.text(".sheet")
        expect("1.3.6.1." in sheet and "Counter32" in sheet and "exact" in sheet, f"the proof: {sheet!r}")
        b.wait("/Record\\s+1\\/\\d+/.test(document.querySelector('.sheet').innerText)", what="the record in the journal")
        b.key("Escape")
        b.wait("!document.querySelector('.sheet:popover-open') && document.activeElement.matches('button.value')", what="the focus back at the value")
        b.js("[...document.querySelectorAll('section.card')].find(c => c.querySelector('h2').innerText === 'Supplies').querySelector('button.value').focus();")
        b.key("Enter")
        b.wait("/1\\.3\\.6\\.1\\.2\\.1\\.43\\.11/.test(document.querySelector('.sheet:popover-open')?.innerText ?? '')", what="the objects of the supply")
        b.key("Escape")

    def check_unknown_is_never_a_number(self):
        """What the API calls unknown stands as that word: in the list, at the supplies, in the bars."""
        b = self.b
        found = 0
        for item in self.site.get("devices?limit=500")["items"]:
            unknown = [supply for supply in item["supplies"] if supply["percent"] is None]
            if not unknown or found >= 3:
                continue
            found += 1
            self.open(f"devices/{item['id']}")
            for supply in unknown:
                wanted = "some remaining" if supply["quality"] == "someRemaining" else "unknown"
                wanted = "some room" if supply["receptacle"] and wanted != "unknown" else wanted
                row = b.js("""const r = [...document.querySelectorAll('tbody tr[data-key]')].find(r => r.dataset.key === arguments[0] && r.querySelector('.bar'));
                    return r && [r.querySelector('.bar').className, r.innerText];""", supply["row"])
                expect(row and wanted in row[1] and ("unknown" in row[0] or "some" in row[0]) and not any(c.isdigit() for c in row[1].split(wanted)[0].split("\n")[-1]), f"{supply}: {row}")
        expect(found > 0, "no printer of the fleet has an unknown level")

    def check_a_device_is_read_now(self):
        """The button reads the device, and the page, which nobody loaded again, shows when."""
        b = self.b
        device = self.device()
        self.open(f"devices/{device}")
        before = self.site.get(f"devices/{device}")["lastRead"]
        b.press_button("Read now")
        b.wait("document.querySelector('.toast')", 45, "an answer")
        expect("Read in" in b.text(".toasts"), b.text(".toasts"))
        expect(self.site.get(f"devices/{device}")["lastRead"] != before, "it was not read")

    def check_history_is_drawn_and_read_by_keys(self):
        """Charts: a text for who does not see them, arrows for who has no pointer, and a table."""
        b = self.b
        device = self.device()
        for _ in range(2):
            # What is read later differs: the printers print.
            self.read(device)
            b.settle(1)
        self.open(f"devices/{device}?tab=history")
        b.wait("document.querySelector('.chart-drawing path')", what="a line")
        label = b.js("return document.querySelector('.chart-drawing').getAttribute('aria-label');")
        expect("from" in label and "to" in label, label)
        b.js("document.querySelector('[role=slider]').focus();")
        last = b.js("return document.activeElement.getAttribute('aria-valuetext');")
        b.key("ArrowLeft")
        b.wait("document.activeElement.getAttribute('aria-valuetext') !== " + json.dumps(last), what="the reading before")
        b.click(".chart summary")
        rows = b.texts(".chart details[open] tbody tr")
        expect(len(rows) >= 2, f"the table has the readings: {rows}")

    def check_collection_shows_steps_with_durations(self):
        """The last polls step by step."""
        self.open(f"devices/{self.device()}?tab=collection")
        self.b.has("standard tables")
        expect("None is planned" not in self.b.text("main"), "its next poll is told")
        expect(any("ms" in text or "s" in text for text in self.b.texts("tbody td.number")), "durations")

    # Live

    def check_a_sweep_is_seen_as_it_goes(self):
        """Sweep now: the page shows the progress and then the end, without being loaded again. Ranges that lie elsewhere are refused."""
        b = self.b
        self.open("discovery")
        before = self.site.get("discovery")["lastSweep"]["completed"]
        b.press_button("Some addresses \u2026")
        b.wait("document.querySelector('dialog[open]')", what="the dialog")
        b.write("dialog textarea", "10.99.0.0/28")
        b.press_button("Sweep", within="dialog")
        b.wait("document.querySelector('dialog .field.invalid')", what="the refusal at the field")
        b.key("Escape")
        b.wait("!document.querySelector('dialog')", what="the dialog gone")
        equal(b.focused(), "BUTTON Some addresses \u2026", "the focus is where it was")
        b.press_button("Sweep now")
        b.wait("document.querySelector('[role=progressbar]')", 20, "progress")
        end = time.monotonic() + 60
        while self.site.get("discovery")["lastSweep"]["completed"] == before:
            expect(time.monotonic() < end, "the sweep does not end")
            b.settle(0.3)
        b.wait("!document.querySelector('[role=progressbar]')", 20, "the progress gone")
        b.wait("document.querySelector('tbody tr')", what="addresses")
        b.choose(b.field("Reason"), "no answer")
        b.has(f"{SILENT} addresses")

    def check_the_journal_grows_while_one_looks(self):
        """A device is read, and its record appears in the list; paused, it does not."""
        b = self.b
        self.open("journal")
        b.wait("document.querySelector('tbody tr[data-key]')", what="records")
        newest = b.js("return document.querySelector('tbody tr[data-key]').dataset.key;")
        self.read(self.device())
        b.wait(f"document.querySelector('tbody tr[data-key]').dataset.key !== {json.dumps(newest)}", 20, "a new record")
        b.press_button("Pause")
        newest = b.js("return document.querySelector('tbody tr[data-key]').dataset.key;")
        self.read(self.device())
        b.settle(3)
        equal(b.js("return document.querySelector('tbody tr[data-key]').dataset.key;"), newest, "paused")
        b.press_button("Go on")
        b.wait(f"document.querySelector('tbody tr[data-key]').dataset.key !== {json.dumps(newest)}", 20, "what came meanwhile")

    def read(self, device):
        import urllib.request
        request = urllib.request.Request(f"{self.site.url}/api/v1/devices/{device}/read", data=b"{}", method="POST",
                                         headers={"X-PrintTrail": "1", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=40) as answer:
            return json.load(answer)

    def check_what_changes_leaves_the_focus_where_it_is(self):
        """Whoever goes through the rows by keys stays at the row, however often the list changes meanwhile; so do those who type."""
        b = self.b
        self.open("devices")
        b.wait("document.querySelectorAll('tbody tr').length > 5", what="rows")
        b.js("document.querySelectorAll('tbody tr')[3].querySelector('a').focus();")
        href = b.js("return document.activeElement.getAttribute('href');")
        before = b.js("const row = document.activeElement.closest('tr'); window.rowOfTheTest = row; return row.isConnected;")
        expect(before, "the row")
        device = href.split("/")[-1]
        for _ in range(2):
            self.read(device)
            b.settle(1)
        b.wait("!window.rowOfTheTest.isConnected", 20, "the list to change")
        equal(b.js("return document.activeElement.getAttribute('href');"), href, "the focus")
        b.click("input[type=search]")
        b.type("FLO")
        self.read(device)
        b.settle(3)
        b.type("OR1")
        equal(b.js("return document.activeElement.value;"), "FLOOR1", "what was typed")

    def check_a_lost_connection_shows(self):
        """The agent goes: the light says so, what was there stays. It comes back: the light is live again and pages answer."""
        b = self.b
        self.open("dashboard")
        b.wait("document.querySelector('.live').innerText.includes('Live')", what="the live light")
        self.site.agent.stop()
        b.wait("document.querySelector('.live').innerText.includes('Not connected')", 30, "the light that is out")
        expect("Overview" in b.text("main"), "the page stays")
        self.site.start_agent()
        b.wait("document.querySelector('.live').innerText.includes('Live')", 40, "the light again")
        b.page("devices")
        b.has("devices")
        b.take_problems()

    # The journal and what leaves

    def check_the_journal_is_verified(self):
        """Verify everything: at the end it says that it is sound, and of how many records."""
        self.open("journal")
        self.b.press_button("Verify everything")
        self.b.has("Sound", 60)

    def check_exports_and_diagnostics_are_downloaded(self):
        """A bad time is told in the dialog; a good export is an archive; so are the diagnostics, and no secret is in them."""
        b = self.b
        self.open("journal")
        b.press_button("Export \u2026")
        b.wait("document.querySelector('dialog[open]')", what="the dialog")
        b.write(b.field("From"), "yesterday")
        b.press_button("Export", within="dialog")
        b.wait("document.querySelector('dialog .field.invalid, dialog .form-error p')", 20, "what is wrong with the time")
        b.write(b.field("From"), "")
        b.press_button("Export", within="dialog")
        path = b.waits_for_download()
        with tarfile.open(path) as archive:
            names = archive.getnames()
        expect(any(name.endswith("manifest.json") for name in names) and any(name.endswith("events.jsonl") for name in names), f"{names}")
        self.open("diagnostics")
        b.press_button("Download diagnostics")
        with gzip.open(b.waits_for_download()) as file:
            found = json.load(file)
        expect("configuration" in found and len(found) >= 3, f"{list(found)}")

    def check_what_left_is_shown_to_the_byte(self):
        """A record as it went: its bytes in hexadecimal, and decoded; the destinations; what is kept back."""
        b = self.b
        self.open("outgoing")
        b.has("dcam")
        b.has("What is kept back")
        b.wait("document.querySelector('tbody tr[data-key] a')", what="records")
        b.click("tbody tr[data-key] a")
        b.wait("document.querySelector('.dump')", what="the bytes")
        expect(b.text(".dump").startswith("000000  "), b.text(".dump")[:80])

    def check_jobs_of_the_hub_are_shown(self):
        """A job that the hub hands out while somebody looks appears by itself."""
        self.open("jobs")
        install = self.site.get("setup")["install"]["id"]
        self.site.hub_command("job", "create", "upload", "--install", install)
        self.b.wait("document.querySelectorAll('tbody tr').length >= 1", 40, "the job")

    # Settings

    def check_settings_are_validated_and_take_effect(self):
        """A bad value is told at its key and nothing is saved; a good one counts at once, with its origin; reset, the default counts again."""
        b = self.b
        self.open("settings?q=poll.interval")
        field = b.field("poll.interval")
        b.write(field, "5 parsecs")
        b.press_button("Save")
        b.wait("document.querySelector('.setting [aria-invalid=true]')", what="the error at its key")
        expect(len(b.text(".setting .field-error")) > 10 or b.texts(".setting .field-error"), "what is wrong")
        b.write(b.field("poll.interval"), "17m")
        b.press_button("Check")
        b.has("may be saved", within=".toasts")
        equal(self.setting("poll.interval")["origin"], "default", "a check saves nothing")
        b.press_button("Save")
        b.has("From this console", 20)
        setting = self.setting("poll.interval")
        equal((setting["value"], setting["origin"]), ('"17m"', "console"), "the setting")
        b.press_button("Reset")
        b.press_button("Save")
        end = time.monotonic() + 20
        while self.setting("poll.interval")["origin"] != "default" and time.monotonic() < end:
            b.settle(0.2)
        equal(self.setting("poll.interval")["origin"], "default", "the setting")
        fixed = next(one for one in self.site.get("settings")["settings"] if one["key"] == "discovery.ranges")
        expect(not fixed["changeable"], "the ranges are the file's")
        self.open("settings?q=discovery.ranges")
        expect(b.js("return document.querySelector(arguments[0]).disabled;", b.field("discovery.ranges")), "what the file says cannot be changed here")

    def setting(self, key):
        return next(one for one in self.site.get("settings")["settings"] if one["key"] == key)

    # Keyboard and colours

    def check_keys_reach_everything(self):
        """Tab: first the link that skips the navigation, then the navigation, later each row; Enter opens; the slash goes to the search."""
        b = self.b
        self.open("devices")
        b.js("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0);")
        b.key("Tab")
        if "Skip" not in b.focused():
            # A browser may begin where the heading that had the focus was.
            b.js("document.querySelector('.skip').focus();")
        expect(b.js("const r = document.activeElement.getBoundingClientRect(); return r.top >= 0 && r.bottom > 0;"), "the skip link is seen when it has the focus")
        b.key("Enter")
        b.wait("document.activeElement.id === 'main'", what="the focus in the page")
        for _ in range(30):
            b.key("Tab")
            if b.js("return Boolean(document.activeElement.closest('tbody tr'));"):
                break
        expect(b.js("return Boolean(document.activeElement.closest('tbody tr'));"), "a row is reached")
        outline = b.js("return getComputedStyle(document.activeElement).outlineStyle;")
        expect(outline != "none", "the focus is seen")
        b.key("Enter")
        b.wait("location.hash.startsWith('#/devices/')", what="the device's page")
        b.wait_page()
        equal(b.js("return document.activeElement.tagName;"), "H1", "the focus is at the new page's heading")
        self.open("devices")
        b.key("/")
        b.wait("document.activeElement.type === 'search'", what="the search")

    def check_a_dialog_keeps_the_focus(self):
        """Whatever is pressed, the focus stays in the dialog (or the browser's own controls) until Escape, and returns."""
        b = self.b
        self.open("journal")
        b.press_button("Export \u2026")
        b.wait("document.querySelector('dialog[open]')?.contains(document.activeElement)", what="the focus in the dialog")
        for _ in range(14):
            b.key("Tab")
            expect(b.js("const a = document.activeElement; return a === document.body || Boolean(a.closest('dialog'));"), f"the focus left the dialog: {b.focused()}")
        b.key("Escape")
        b.wait("!document.querySelector('dialog')", what="the dialog gone")
        equal(b.focused(), "BUTTON Export \u2026", "the focus")

    def check_colours_follow_the_system_and_the_switch(self):
        """Dark as the system has it; the switch wins, and is remembered; motion is off where the system wants none."""
        b = self.b
        self.open("dashboard")
        light = self.ground()
        try:
            b.scheme("dark")
            b.wait("true")
            self.open("dashboard")
            dark = self.ground()
            expect(sum(dark) < 150 < sum(light), f"{dark}, {light}")
            b.choose(".theme", "light")
            equal(self.ground(), light, "the switch wins over the system")
            self.open("devices")
            equal(self.ground(), light, "it is remembered")
        finally:
            b.choose(".theme", "system")
            b.scheme("light")
        try:
            b.reduced_motion(True)
            self.open("dashboard")
            equal(b.js("return matchMedia('(prefers-reduced-motion: reduce)').matches && getComputedStyle(document.querySelector('button')).transitionDuration;"), "0s", "motion")
        finally:
            b.reduced_motion(False)

    def ground(self):
        text = self.b.js("return getComputedStyle(document.body).backgroundColor;")
        return [int(part) for part in text.strip("rgb()").split(",")]

    # Technicians

    def check_technicians_are_seen_and_ended_at_one_press(self):
        """Off is said; sessions come by themselves, each with who, from where, why and which device; one press ends one, one press ends all."""
        b = self.b
        b.take_problems()
        self.open("remote")
        b.has("Nobody can see a device's own page through this agent")
        equal(b.js("return document.querySelector('button.alarm').offsetParent;"), None, "the button where there is nothing to end")
        technician = Technician(self.site)
        try:
            self.open("outgoing")
            # The agent was away meanwhile.
            b.take_problems()
            b.has("remotetechnician")
            self.open("remote")
            b.has("No session is open. The hub may ask for one")
            b.has("No session has ended yet.")
            technician.opens(3, HOSTILE)
            b.has("3 sessions with a device's own page are open", 20)
            row = b.text("table tbody tr")
            expect("tess" in row and "from 127.0.0.1" in row and HOSTILE in row and f"127.30.{self.site.network}." in row and "until" in row, f"the row: {row!r}")
            expect(b.js("return window.pwned === undefined;"), "a reason ran")
            self.looks_well("with sessions")
            name = b.js("return [...document.querySelectorAll('tbody button')][0].getAttribute('aria-label');")
            expect(name.startswith("End now: tess, "), name)
            b.press_button(name)
            technician.waits(2)
            b.has("2 sessions with a device's own page are open", 20)
            b.wait("[...document.querySelectorAll('table')].at(-1).innerText.includes('It was ended at the agent.')", 20, "the one that ended, with its reason")
            expect("tess" in b.texts("table")[-1] and HOSTILE in b.texts("table")[-1], b.texts("table")[-1])
            self.open("dashboard")
            b.has("End all 2 sessions now")
            b.wait("[...document.querySelectorAll('a[href=\"#/remote\"] .badge')].some(e => !e.hidden && e.innerText.includes('2'))", what="the number beside the page's name")
            b.press_button("End all 2 sessions now")
            technician.waits(0)
            b.wait("document.querySelector('button.alarm').offsetParent === null", 20, "nothing left to end")
            self.open("remote")
            b.has("No session is open")
            equal(len(b.texts("table tbody tr")), 3, "sessions that ended")
            self.looks_well("with sessions that ended")
            equal(b.take_problems(), [], "the browser's error console")
        finally:
            technician.stop()

    def looks_well(self, what):
        """Nothing serious for assistive technology in either theme, and no scrolling sideways on a phone."""
        b = self.b
        try:
            for scheme in ("dark", "light"):
                b.scheme(scheme)
                # Colours of buttons go over into each other.
                b.settle(0.5)
                equal(b.accessibility(), [], f"{what}, {scheme}")
            b.resize(360, 740)
            b.settle(0.3)
            expect(not b.overflow(), f"{what}: {b.overflow()}")
            equal(b.accessibility(), [], f"{what}, on a phone")
        finally:
            b.resize(1280, 900)
            b.scheme("light")

    # The password, last: from then on a session is needed

    def check_a_password_is_asked_for_once_it_is_set(self):
        """Too short, not the same twice, then set; the login refuses a wrong one; log out; taken away, nobody is asked."""
        b = self.b
        self.open("settings")
        b.write(b.field("New password"), "short")
        b.write(b.field("New password once more"), "short")
        b.press_button("Set a password")
        b.wait("document.querySelector('.field.invalid')", what="too short")
        b.write(b.field("New password"), PASSWORD)
        b.write(b.field("New password once more"), PASSWORD + "x")
        b.press_button("Set a password")
        b.has("not the same")
        b.write(b.field("New password once more"), PASSWORD)
        b.press_button("Set a password")
        b.wait("document.querySelector('.login')", 20, "the login")
        b.write(b.field("Password"), "wrong wrong wrong")
        b.press_button("Log in")
        b.wait("document.querySelector('.login .field.invalid')", 20, "the refusal")
        equal(b.accessibility(), [], "the login page's accessibility")
        b.write(b.field("Password"), PASSWORD)
        b.key("Enter")
        b.wait("!document.querySelector('.login') && document.querySelector('main h1')", 20, "in")
        self.open("devices")
        b.has("devices")
        b.press_button("Log out")
        b.wait("document.querySelector('.login')", what="out")
        self.b.go("about:blank")
        b.go(f"{self.site.url}/#/devices")
        b.wait("document.querySelector('.login')", what="no session is left")
        b.write(b.field("Password"), PASSWORD)
        b.key("Enter")
        b.wait("!document.querySelector('.login') && document.querySelector('main table')", 20, "in again, at the page that was asked for")
        self.open("settings")
        b.write(b.field("Current password"), PASSWORD)
        b.press_button("Take it away")
        b.wait("!document.querySelector('.toast.bad') && document.querySelector('.toast')", 20, "taken away")
        b.settle(2)
        self.open("devices")
        b.has(f"{PRINTERS} devices")
        b.take_problems()


def start(directory, network):
    site = Site(directory, network, printers=PRINTERS)
    try:
        site.start_fleet()
        site.start_hub()
        site.start_agent()
        site.wait_devices(PRINTERS)
    except BaseException:
        site.stop()
        raise
    return site


if __name__ == "__main__":
    sys.exit(main(__doc__, start, Checks))
