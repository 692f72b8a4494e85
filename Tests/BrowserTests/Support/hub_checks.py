#!/usr/bin/env python3
"""The hub's console in a real browser, against a real hub with a real agent and simulated printers behind it.

    hub_checks.py --browser chromium|firefox --network 112 [--only WORD]

Prints a line of JSON for each check: {"check", "ok", "seconds", "detail"}; ends with 1 if one failed, with 77 if the browser cannot be
driven here. PT_BIN names the directory of the programs. The checks go on from each other.
"""

import json
import subprocess
import sys
import time

from checks import equal, expect, main
from console_site import HOSTILE, Program, Site

PRINTERS = 6
PASSWORD = "four words by chance"
PAGES = ["overview", "entities", "installs", "devices", "alerts", "jobs", "pages", "codes", "users", "audit", "account"]


class HubSite(Site):
    """A hub with its console, two entities, and an agent that delivers to one of them."""

    def __init__(self, directory, network):
        super().__init__(directory, network, printers=PRINTERS)
        self.url = f"https://localhost:{self.console}"

    def start_hub(self):
        said = self.hub_command("init")
        self.pin = next(line.split()[-1] for line in said.splitlines() if line.startswith("pin"))
        for entity, under in (("Dealer", None), ("Example Ltd", "Dealer"), ("Somebody else", "Dealer")):
            self.hub_command("entity", "add", entity, *(["--under", under] if under else []))
        self.add_user("ann", "administrator", "operator", "configurer", "technician")
        self.add_user("bob", "viewer", entity="Example Ltd")
        self.add_user("eve", "viewer", entity="Somebody else")
        self.serve()

    def serve(self):
        self.hub = Program(f"{self.bin}/pthub", ["serve", "--directory", self.path("hub"), "--csr", f"127.0.0.1:{self.csr}", "--dcam", f"127.0.0.1:{self.dcam}",
                                                 "--hc", f"127.0.0.1:{self.hc}", "--metrics", "none", "--console", f"127.0.0.1:{self.console}"], self.path("hub.log"))
        self.hub.waits("ready")

    def add_user(self, name, *roles, entity=None):
        arguments = [f"{self.bin}/pthub", "user", "add", name, "--directory", self.path("hub"), *(part for role in roles for part in ("--role", role))]
        subprocess.run(arguments + (["--entity", entity] if entity else []), input=PASSWORD + "\n", text=True, check=True, capture_output=True, timeout=60)

    def start_agent(self, extra=""):
        self.write("ptagent.toml", f"""
[hub]
csr = "127.0.0.1:{self.csr}"
ca_pin = "{self.pin}"

[state]
directory = "{self.path('agent')}"

[discovery]
ranges = [{{ range = "127.30.{self.network}.1-{self.printers}" }}]
port = {self.snmp}
{extra}
[poll]
interval = "5m"
""")
        self.command("ptagent", "enroll", "--code", self.code(), "--config", self.path("ptagent.toml"))
        self.agent = Program(f"{self.bin}/ptagent", ["run", "--config", self.path("ptagent.toml")], self.path("agent.log"))

    def devices(self):
        return json.loads(self.hub_command("device", "list", "--output", "json"))

    def wait_devices(self, count, seconds=120):
        end = time.monotonic() + seconds
        while sum(device["state"] == "read" for device in self.devices()) < count:
            if time.monotonic() > end:
                raise RuntimeError(f"the hub has {self.devices()}:\n{self.agent.text[-3000:]}")
            time.sleep(0.5)


class Checks:
    """Each method whose name begins with check_ is one; its first line says what holds."""

    def __init__(self, browser, site):
        self.b = browser
        self.site = site
        self.devices = site.devices()
        self.install = json.loads(site.hub_command("install", "list", "--output", "json"))[0]["id"]

    def open(self, address=""):
        self.b.open(f"{self.site.url}/#/{address}")

    def log_in(self, user, password=PASSWORD):
        b = self.b
        b.write(b.field("User"), user)
        b.write(b.field("Password"), password)
        b.key("Enter")

    def log_out(self):
        self.b.press_button("Log out")
        self.b.wait("document.querySelector('.login')", what="the login")

    def enter(self, user):
        """As another user, from the beginning."""
        if not self.b.js("return document.querySelector('.login') !== null;"):
            self.log_out()
        self.log_in(user)
        self.b.wait("!document.querySelector('.login') && document.querySelector('main h1')", what=f"the page of {user}")
        self.b.wait_page()

    def pages(self):
        hostile = next(device["id"] for device in self.devices if device["name"] == HOSTILE)
        jobs = json.loads(self.site.hub_command("job", "list", "--output", "json"))
        return PAGES + [f"devices/{self.devices[0]['id']}", f"devices/{hostile}", f"devices/{hostile}/settings", f"installs/{self.install}",
                        f"installs/{self.install}/settings", "entities/2/settings"] + [f"jobs/{job['id']}" for job in jobs[:1]]

    # Logging in

    def check_nothing_is_shown_before_a_login(self):
        """Whoever opens the console, or a page of it, stands before the login; a wrong password is told without saying what was wrong."""
        b = self.b
        b.go(self.site.url + "/#/devices")
        b.wait("document.querySelector('.login')", what="the login")
        expect("FLOOR" not in b.text("body"), "devices are shown without a login")
        b.take_problems()
        equal(b.accessibility(), [], "the login's accessibility")
        self.log_in("ann", "five words by chance")
        b.has("The user's name or the password is wrong.")
        b.take_problems()
        self.log_in("ann")
        b.wait("location.hash.startsWith('#/devices') && !document.querySelector('.login')", what="the page that was asked for")
        b.wait_page()
        b.has(f"{PRINTERS} devices")

    def check_a_login_lasts_over_a_reload_and_ends_with_log_out(self):
        """The cookie keeps it; scripts cannot read it; what was open is closed by Log out."""
        b = self.b
        self.open("overview")
        expect("pthub_session" not in b.js("return document.cookie;"), "scripts can read the session")
        b.has("Open alerts")
        self.log_out()
        self.open_blank_login("overview")
        self.enter("ann")

    def open_blank_login(self, address):
        self.b.go("about:blank")
        self.b.go(f"{self.site.url}/#/{address}")
        self.b.wait("document.querySelector('.login')", what="the login")

    # Each page

    def check_each_page_shows_itself(self):
        """Each page has a heading, a title of its own and nothing in the browser's error console; what a printer calls itself stays a text."""
        b = self.b
        b.take_problems()
        titles = {}
        for address in self.pages():
            self.open(address)
            expect(b.text("h1") not in (None, "", "This did not work", "Not found"), f"{address}: {b.text('body')[:300]}")
            titles[address] = b.js("return document.title;")
            equal(b.take_problems(), [], address)
        named = [titles[page] for page in PAGES]
        equal(len(set(named)), len(named), f"titles {named}")
        expect(b.js("return window.pwned === undefined;"), "a printer's name ran as a script")
        self.open("devices?q=onerror")
        b.has(HOSTILE)
        equal(len(b.texts("main img")), 0, "images out of a name")

    def check_pages_are_accessible_in_light_and_dark(self):
        """axe-core finds nothing serious on any page."""
        for scheme in ("light", "dark"):
            self.b.scheme(scheme)
            try:
                for address in self.pages():
                    self.open(address)
                    equal(self.b.accessibility(), [], f"{address} in {scheme}")
            finally:
                self.b.scheme("light")

    def check_pages_fit_a_phone_and_a_wide_screen(self):
        """No page is wider than its window, at 360 pixels as at 1,920."""
        for width in (360, 1920):
            self.b.resize(width, 800)
            try:
                for address in self.pages():
                    self.open(address)
                    equal(self.b.overflow(), None, f"{address} at {width}")
            finally:
                self.b.resize(1280, 900)

    def check_numbers_are_those_of_the_hub(self):
        """Overview, devices and a device show what `pthub` says."""
        b = self.b
        self.open("overview")
        figures = b.texts(".figure")
        expect(any(str(PRINTERS) in figure and "Devices" in figure for figure in figures), f"the devices: {figures}")
        device = next(device for device in self.devices if device["total"])
        self.open(f"devices/{device['id']}")
        shown = b.text("main").replace("\u202f", "")
        for value in (device["serial"], device["model"], str(self.total(device["id"]))):
            expect(value in shown, f"{value} is not on the device's page")
        expect(b.js("return document.querySelector('.chart-drawing path, .chart-drawing .mark') !== null;"), "no chart is drawn")
        self.open(f"devices?q={device['serial']}")
        equal(len(b.texts("tbody tr")), 1, "devices of this serial number")

    def total(self, device):
        return next(one["total"] for one in self.site.devices() if one["id"] == device)

    def check_keys_alone_lead_everywhere(self):
        """The first Tab leads to the skip link, a slash to the search, and Enter opens a device."""
        b = self.b
        self.open("devices")
        b.key("Tab")
        expect("Skip to the page" in b.focused(), f"the first stop is {b.focused()}")
        b.js("document.activeElement.blur();")
        b.key("/")
        expect(b.focused().startswith("INPUT"), f"a slash leads to {b.focused()}")
        for _ in range(60):
            b.key("Tab")
            if b.js("return document.activeElement.closest('tbody') !== null && document.activeElement.tagName === 'A';"):
                break
        b.key("Enter")
        b.wait("location.hash.startsWith('#/devices/')", what="a device's page")
        b.wait_page()

    # Work

    def check_a_job_is_created_and_followed_to_its_end(self):
        """By the dialog, with what is wrong told in it; its states come by themselves."""
        b = self.b
        self.open("jobs")
        b.press_button("New job")
        b.wait("document.querySelector('dialog[open]')", what="the dialog")
        equal(b.accessibility(), [], "the dialog's accessibility")
        b.press_button("Create", "dialog")
        b.wait("document.querySelector('dialog .field.invalid').innerText.includes('Choose one')", what="that nobody was chosen")
        b.choose(b.field("Each install of"), "1")
        b.choose(b.field("What"), "scan")
        b.write(b.field("Only there"), "10.0.0.0/33")
        b.press_button("Create", "dialog")
        b.wait("document.querySelector('dialog').innerText.includes('is not an address range')", what="what is wrong with the range")
        b.write(b.field("Only there"), ", ".join(["10.0.0.1"] * 65))
        b.press_button("Create", "dialog")
        b.wait("document.querySelector('dialog .form-error').innerText.includes('64 times') || document.querySelector('dialog .field.invalid')", what="what is wrong")
        b.choose(b.field("What"), "upload")
        b.press_button("Create", "dialog")
        b.wait("location.hash.startsWith('#/jobs/')", what="the job's page")
        b.wait_page()
        b.js("window.stays = true;")
        b.wait("[...document.querySelectorAll('main .pill')].some(p => p.innerText.includes('Completed'))", 60, "the end of the job, by itself")
        expect(b.js("return window.stays === true;"), "the page was loaded again")
        b.has("ann (console)")

    def check_a_job_can_be_taken_back(self):
        """One that waits for its agent ends; the page shows it."""
        b = self.b
        self.site.agent.stop()
        self.open(f"installs/{self.install}")
        b.press_button("New job")
        b.choose(b.field("What"), "diagnostics")
        b.press_button("Create", "dialog")
        b.wait("location.hash.startsWith('#/jobs/')", what="the job's page")
        b.wait_page()
        b.press_button("Cancel")
        b.press_button("Take it back", "dialog")
        b.wait("[...document.querySelectorAll('main .pill')].some(p => /Cancelled|Sent/.test(p.innerText)) && !document.querySelector('dialog[open]')", 20, "the end of the job")
        self.site.agent = Program(f"{self.site.bin}/ptagent", ["run", "--config", self.site.path("ptagent.toml")], self.site.path("agent2.log"))

    def check_a_device_is_retired_and_brought_back(self):
        """The dialog asks why; the page says who retired it and why, and no more once it is back."""
        b, device = self.b, self.devices[-1]
        self.open(f"devices/{device['id']}")
        b.press_button("Retire")
        b.wait("document.querySelector('dialog[open]')", what="the dialog")
        equal(b.accessibility(), [], "the dialog's accessibility")
        b.write(b.field("Why?"), "scrapped in spring")
        b.press_button("Retire", "dialog")
        b.wait("!document.querySelector('dialog[open]') && document.querySelector('main').innerText.includes('scrapped in spring')", what="why it is retired")
        equal(next(one["state"] for one in self.site.devices() if one["id"] == device["id"]), "retired", "what the hub says of it")
        b.press_button("Bring back")
        b.press_button("Bring back", "dialog")
        b.wait("!document.querySelector('dialog[open]') && !document.querySelector('main').innerText.includes('scrapped in spring')", what="that it is back")
        expect(next(one["state"] for one in self.site.devices() if one["id"] == device["id"]) != "retired", "it is retired still")

    def check_a_code_is_shown_once_and_enrols(self):
        """Its digits are in the dialog and on no page afterwards."""
        b = self.b
        self.open("codes")
        b.press_button("New code")
        b.choose(b.field("Entity"), "3")
        b.press_button("Make it", "dialog")
        b.wait("document.querySelector('dialog .secret')", what="the code")
        code = b.text("dialog .secret").strip()
        equal(len(code.replace("-", "")), 24, f"digits of {code}")
        equal(b.accessibility(), [], "the dialog's accessibility")
        b.press_button("I have it", "dialog")
        b.wait("!document.querySelector('dialog[open]')", what="the end of the dialog")
        b.has("Somebody else")
        expect(code not in b.js("return document.documentElement.outerHTML;"), "the code is still on the page")
        self.site.write("second.toml", f'[hub]\ncsr = "127.0.0.1:{self.site.csr}"\nca_pin = "{self.site.pin}"\n[state]\ndirectory = "{self.site.path("second")}"\n')
        self.site.command("ptagent", "enroll", "--code", code, "--config", self.site.path("second.toml"))
        b.wait("document.querySelector('main tbody').innerText.includes('1 of 1')", 20, "the use of the code, by itself")

    def check_settings_are_set_and_explained(self):
        """A wrong value is told at its field; a right one counts, and says who set it."""
        b = self.b
        self.open("entities/2/settings")
        b.press_button("Change alerts.low_supply")
        b.write(b.field("Value"), "soon")
        b.press_button("Set", "dialog")
        b.wait("document.querySelector('dialog .form-error').innerText.length > 5 || document.querySelector('dialog .field.invalid')", what="what is wrong")
        b.write(b.field("Value"), "17")
        b.press_button("Set", "dialog")
        b.wait("[...document.querySelectorAll('main tbody tr')].some(r => r.innerText.includes('alerts.low_supply') && r.innerText.includes('17') && r.innerText.includes('Example Ltd'))",
               what="the setting")

    def check_a_user_is_added_and_put_out(self):
        """A weak password is told at its field; the user logs in; being disabled ends what is open within seconds."""
        b = self.b
        self.open("users")
        b.press_button("Add a user")
        b.write(b.field("Name"), "max")
        b.write(b.field("Password"), "password1234")
        b.press_button("Add", "dialog")
        b.wait("document.querySelector('dialog .field.invalid input')?.name === 'password'", what="what is wrong with the password")
        equal(b.accessibility(), [], "the dialog's accessibility")
        b.write(b.field("Password"), PASSWORD)
        b.press_button("Add", "dialog")
        b.has("max")
        self.enter("max")
        self.open("devices")
        b.has(f"{PRINTERS} devices")
        self.site.hub_command("user", "disable", "max")
        b.wait("document.querySelector('.login')", 15, "the login, by itself")
        expect("FLOOR" not in b.text("body"), "devices are still shown")
        b.take_problems()

    def check_who_sees_one_entity_sees_nothing_of_others(self):
        """No device of another customer, no page of it, no button that is for other roles."""
        b = self.b
        self.enter("eve")
        self.open("devices")
        b.has("No agent has found a device yet.")
        self.open(f"devices/{self.devices[0]['id']}")
        equal(b.text("h1"), "Not found")
        b.take_problems()
        self.open("entities")
        expect("Example Ltd" not in b.text("main") and "Dealer" not in b.text("main"), "other entities are shown")
        self.open("jobs")
        expect("New job" not in b.text("main"), "a viewer is offered jobs")
        expect("Users" not in b.text(".side"), "a viewer is offered users")
        self.open("users")
        b.has("This takes the role Administrator")
        b.take_problems()
        self.enter("ann")

    def check_an_own_password_is_changed(self):
        """With the present one; the new one counts from then on."""
        b = self.b
        self.enter("bob")
        self.open("account")
        b.write(b.field("Present password"), "wrong words by chance")
        b.write(b.field("New password"), "another four words")
        b.write(b.field("The same again"), "another four words")
        b.press_button("Change it")
        b.wait("document.querySelector('.field.invalid input')?.name === 'current'", what="what is wrong")
        b.write(b.field("Present password"), PASSWORD)
        b.press_button("Change it")
        b.has("Your password was changed", within="body")
        b.take_problems()
        self.log_out()
        self.log_in("bob", "another four words")
        b.wait("!document.querySelector('.login') && document.querySelector('main h1')", what="the page of bob")
        self.enter("ann")

    def check_the_trail_has_what_was_done_here(self):
        """Logins, users, codes, jobs, with who and from where."""
        self.open("audit")
        for what in ("user.added", "login.succeeded", "127.0.0.1"):
            self.b.has(what)
        self.b.choose(".table-tools select", "code.")
        self.b.wait("[...document.querySelectorAll('main tbody tr')].length > 0 && [...document.querySelectorAll('main tbody tr')].every(r => r.innerText.includes('code.'))", what="codes alone")
        self.b.has("by ann (console)")

    def check_a_hub_that_goes_away_is_told_and_found_again(self):
        """The light says so; when the hub is back, the session and the page are."""
        b = self.b
        self.open("overview")
        self.site.hub.stop()
        b.wait("document.querySelector('.live').innerText.includes('Not connected')", 20, "the light")
        self.site.serve()
        b.wait("document.querySelector('.live').innerText.includes('Live')", 40, "the light again")
        expect(b.js("return document.querySelector('.login') === null;"), "the session did not last")
        b.take_problems()


def start(directory, network):
    site = HubSite(directory, network)
    try:
        site.start_fleet()
        site.start_hub()
        site.start_agent()
        site.wait_devices(PRINTERS)
        site.hub_command("job", "create", "alerts", "--entity", "Example Ltd")
    except BaseException:
        site.stop()
        raise
    return site


if __name__ == "__main__":
    sys.exit(main(__doc__, start, Checks, always=["nothing is shown"]))
