"""A person in Chromium: logs in at the hub's console, says why, sees a device's page, clicks, uploads a file, logs in at the device; a script of the
device's tries to get out of its origin; and what of all that is written down afterwards.

A second session of the same person, of one minute, is open beside: other pages try to reach it, and at its end it says that it is over.
"""

import hashlib
import json
import os
import time
from urllib.parse import urlsplit

from remote_site import PASSWORD, eventually, expect

# What somebody types into a device's form: it is to be found nowhere but at the device.
SECRET = "sEcReT-0f-the-f0rm"
REASON = "the fuser squeaks since Tuesday"


class Chromium:
    def __init__(self, site, stopping):
        import browsers
        self.site = site
        self.browser = browsers.Chromium(site.directory)
        stopping.callback(self.browser.close)
        self.tab = self.browser.tab

    def recorded(self, path):
        with open(self.site.path("python.jsonl"), encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["path"].split("?")[0] == path]

    def seen(self):
        """What stood on the pages when a check failed."""
        return "".join(f"\nat {page.url}: {page.inner_text('body')[:800]}" for page in self.browser.context.pages)

    def job(self):
        self.tab.wait_for_url("**#/jobs/**")
        return self.tab.evaluate("location.hash").partition("/jobs/")[2]

    def shown(self):
        """Shows the page of the session whose job the console is at."""
        with self.browser.context.expect_page(timeout=40_000) as opened:
            self.tab.get_by_role("button", name="Show the page").click(timeout=30_000)
        page = opened.value
        told = self.tab.inner_text("main")
        expect("The page is open until" in told and "[object" not in told and "asked for from 127.0.0.1" in told, told)
        page.wait_for_selector("h1:has-text('Front page')", timeout=15_000)
        return page

    def check_a_person_logs_in_says_why_and_sees_the_page(self):
        tab, device = self.tab, self.site.known[1]
        console = f"https://localhost:{self.site.console}"
        tab.goto(f"{console}/#/devices/{device['id']}")
        self.browser.write(self.browser.field("User"), "tess")
        self.browser.write(self.browser.field("Password"), PASSWORD)
        self.browser.key("Enter")
        tab.get_by_role("button", name="Open its page").wait_for()
        self.short = tab.evaluate("""async (device) => (await (await fetch(`/api/v1/devices/${device}/page`, { method: "POST",
            headers: { "X-PrintTrail": "1", "Content-Type": "application/json" }, body: JSON.stringify({ reason: "one minute", seconds: 60 }) })).json()).id""", device["id"])
        self.begun = time.monotonic()
        tab.goto(f"{console}/#/jobs/{self.short}")
        self.short_page = self.shown()
        other = urlsplit(self.short_page.url)
        self.site.write("targets.json", json.dumps({"the hub": console, "another session": f"https://{other.netloc}", "a neighbour": f"http://{self.site.address(2)}:{self.site.plain}"}))
        tab.goto(f"{console}/#/devices/{device['id']}")
        tab.get_by_role("button", name="Open its page").click()
        tab.get_by_label("Why do you have to see it?").fill(REASON)
        tab.get_by_role("button", name="Ask its agent").click()
        self.long = self.job()
        self.page = self.shown()
        place = urlsplit(self.page.url)
        expect(place.hostname.endswith(".remote.localhost") and place.netloc != other.netloc and not place.fragment, self.page.url)

    def check_a_script_of_the_device_reaches_nothing_else(self):
        def told():
            # The other page's script tries the hub and the neighbour alone. Records come after a script's patience.
            self.page.wait_for_timeout(200)
            records = [json.loads(line["body"]) for line in self.recorded("/record")]
            return next((each for each in records if any("another session" in item for item in each)), None)
        items = eventually(told, "the device's record")
        expect(len(items) >= 21, items)
        expect(all(item.endswith(": refused") for item in items), [item for item in items if not item.endswith("refused")])

    def check_a_websocket_speaks_with_the_device(self):
        self.page.wait_for_selector("#socket:has-text('the socket says ready?')", timeout=10_000)

    def check_a_link_is_clicked(self):
        origin = urlsplit(self.page.url).netloc
        self.page.click("#next")
        self.page.wait_for_selector("h1:has-text('Next page')")
        expect(urlsplit(self.page.url).netloc == origin and "over https" in self.page.inner_text("p"), self.page.url)
        self.page.go_back()
        self.page.click("#other")
        # It names the port without TLS, for which TLS is not left.
        self.page.wait_for_selector("p:has-text('over https')")
        expect(urlsplit(self.page.url).netloc == origin and self.page.url.endswith("/next"), self.page.url)
        self.page.goto(f"https://{origin}/")

    def check_a_file_is_uploaded_byte_for_byte(self):
        file = os.urandom(3 << 20)
        with open(self.site.path("firmware.bin"), "wb") as out:
            out.write(file)
        self.page.set_input_files("input[type=file]", self.site.path("firmware.bin"))
        self.page.click("#send")
        self.page.wait_for_selector("#got", timeout=20_000)
        digest = hashlib.sha256(file).hexdigest()
        expect(digest in self.page.inner_text("#got"), self.page.inner_text("#got"))
        expect(any(line["sha256"] == digest and line["length"] == len(file) for line in self.recorded("/upload")), "the device has other bytes")
        self.page.go_back()

    def check_a_form_with_a_password_is_sent(self):
        self.page.fill("input[name=user]", "admin")
        self.page.fill("input[name=password]", SECRET)
        self.page.click("#enter")
        self.page.wait_for_selector("h1:has-text('Next page')")
        expect(any(SECRET in line["body"] for line in self.recorded("/login")), "the device did not get it")
        self.page.goto(f"https://{urlsplit(self.page.url).netloc}/next?pin={SECRET}")
        cookies = self.recorded("/next")[-1]["headers"].get("Cookie", "")
        expect("login=secret-of-the-device" in cookies and "printtrail" not in cookies, cookies)

    def check_the_console_ends_it_and_the_page_says_so(self):
        self.tab.bring_to_front()
        self.tab.get_by_role("button", name="End now").click()
        self.tab.wait_for_selector("text=The session is over", timeout=15_000)
        self.page.wait_for_timeout(2_200)
        self.page.goto(f"https://{urlsplit(self.page.url).netloc}/")
        text = self.page.inner_text("body")
        expect("This page is closed" in text and "ended by tess (console)" in text, text)

    def check_the_console_says_why_an_excluded_device_is_not_shown(self):
        tab = self.tab
        tab.goto(f"https://localhost:{self.site.console}/#/devices/{self.site.known[5]['id']}")
        tab.get_by_role("button", name="Open its page").click()
        tab.get_by_label("Why do you have to see it?").fill("no colour")
        tab.get_by_role("button", name="Ask its agent").click()
        tab.wait_for_selector("text=excluded at this agent (remote.exclude)", timeout=20_000)


class Ends:
    """After its minute, and after all else."""

    def __init__(self, chromium):
        self.chromium, self.site = chromium, chromium.site

    def check_the_session_of_a_minute_is_found_closed(self):
        chromium = self.chromium
        page = chromium.short_page
        page.wait_for_timeout(max(0, 62 - (time.monotonic() - chromium.begun)) * 1_000 + 500)
        page.reload()
        text = page.inner_text("body")
        expect("This page is closed" in text and "time" in text, text)
        session = self.site.session(chromium.short)
        expect(session["state"] == "ended" and "time" in session["endReason"], session)

    def check_the_journal_has_who_which_why_from_where_each_request_and_the_end(self):
        job = self.chromium.long
        opened, requests, closed = self.of(job)
        visit = opened["visit"]
        expect(visit["user"] == "tess" and visit["reason"] == REASON and visit["from"] == "127.0.0.1", opened)
        expect(opened["address"] == self.site.address(1) and opened["evidence"].startswith("serial ") and opened["targets"][0] == f"https:{self.site.tls}", opened)
        upload = next(request for request in requests if request["path"] == "/upload")
        expect(upload["method"] == "POST" and upload["status"] == 200 and int(upload["bytesSent"]) > 3 << 20 and int(upload["bytesReceived"]) > 64, upload)
        pin = [request for request in requests if request.get("parameters") == ["pin"]]
        expect(len(pin) == 1 and pin[0]["path"] == "/next", pin)
        expect(closed["reason"] == "hub" and "ended by tess" in closed["message"] and int(closed["requests"]) == len(requests), closed)
        opened, requests, closed = self.of(self.chromium.short)
        expect(closed["reason"] in ("time", "hub") and "time" in closed["message"], closed)

    def of(self, job):
        number = job.replace("-", "")
        found = {"RemoteSessionOpened": [], "RemoteRequest": [], "RemoteSessionClosed": []}
        for event in self.site.events(*found):
            if number in json.dumps(event).replace("-", "") or event["data"].get("job") == encoded(number):
                found[event["type"].split(".")[-2]].append(event["data"])
        expect(len(found["RemoteSessionOpened"]) == 1 and len(found["RemoteSessionClosed"]) == 1, f"{job}: {json.dumps(found)[:1500]}")
        return found["RemoteSessionOpened"][0], found["RemoteRequest"], found["RemoteSessionClosed"][0]

    def check_the_job_shows_each_request_as_it_was_journalled(self):
        job = self.chromium.long
        _, requests, _ = self.of(job)
        shown = eventually(lambda: (lambda all: all if len(all) == len(requests) else None)(self.site.session(job)["requests"]), "all requests at the hub")
        facts = lambda request: (request["method"], request["path"], int(request["status"]), int(request["bytesSent"]), int(request["bytesReceived"]))  # noqa: E731
        journalled = sorted((request["method"], request["path"], int(request.get("status", 0)), int(request.get("bytesSent", 0)), int(request.get("bytesReceived", 0)))
                            for request in requests)
        expect(sorted(map(facts, shown)) == journalled, f"{shown} and not {requests}")
        trail = self.site.trail("--action", "remote.")
        for action in ("remote.asked", "remote.opened", "remote.entered", "remote.ended"):
            expect(action in trail, trail)
        expect(REASON in trail and "127.0.0.1" in trail, trail)

    def check_no_secret_is_anywhere_but_at_the_device(self):
        """Journal, databases, logs and exports, byte for byte; the reason is found, so that the search is one."""
        exported = json.dumps(self.site.events())
        found = {"export": exported.encode()}
        for directory, _, files in os.walk(self.site.directory):
            for path in (os.path.join(directory, name) for name in files):
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        found[path] = file.read()
        for secret in (SECRET, "secret-of-the-device"):
            where = [name for name, data in found.items() if secret.encode() in data and not name.endswith("python.jsonl")]
            expect(not where, f"{secret} is in {where}")
        where = [name for name, data in found.items() if REASON.encode() in data]
        expect(any("/hub/" in name for name in where) and any("/agent/" in name for name in where), f"the reason is in {where}")

    def check_agent_and_hub_have_run_all_the_time(self):
        for program in (self.site.agent, self.site.hub):
            expect(program.process.poll() is None, program.text[-2000:])


def encoded(digits):
    """Bytes as JSON of protobuf has them."""
    import base64
    return base64.b64encode(bytes.fromhex(digits)).decode()
