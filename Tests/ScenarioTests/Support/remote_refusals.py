#!/usr/bin/env python3
"""Who and what gets no device's page: told to whoever asks, in the hub's trail or the agent's journal, and nothing is asked of any device for it.

    remote_refusals.py --network 115 [--only WORD]

Prints a line of JSON for each check (remote_site.py). Needs PT_BIN, and h2 in this Python for a hub that asks for what no hub may ask for.
"""

import contextlib
import json
import os
import sqlite3
import sys
import uuid

import remote_site
from console_site import MODELS
from hostile_hub import HostileHub
from remote_site import Device, Page, Site, eventually, expect

GOOD, EXCLUDED, SWAPPED, MOVES, RETIRED, ELSEWHERE = 1, 2, 3, 4, 5, 9
FIRST = [Device(GOOD), Device(EXCLUDED), Device(SWAPPED), Device(MOVES, walk="colour-mfp"), Device(RETIRED)]


def start(directory, network, stopping):
    site = Site(directory, network, FIRST)
    stopping.callback(site.stop)
    site.start_fleet()
    site.make_hub()
    site.start_hub()
    for number in (GOOD, SWAPPED, MOVES):
        site.start_pages(number, "--record", site.path(f"{number}.jsonl"))
    site.configure_agent(site.allowed + f'\nexclude = ["{site.address(EXCLUDED)}"]')
    site.enrol()
    site.start_agent()
    site.known = site.read_devices()
    return site


class Refusals:
    def __init__(self, site):
        self.site = site

    def journalled(self, *sentences):
        """The agent's journal has a job's end with these words."""
        def look():
            return any(all(sentence in event["data"].get("message", "") for sentence in sentences) for event in self.site.events("JobRefused", "JobFailed"))
        eventually(look, lambda: f"{sentences} in the journal: {json.dumps([event['data'] for event in self.site.events('JobEnded')])}", 20)

    def refused(self, device, *sentences, user="tess"):
        said = self.site.refusal(device, user)
        expect(all(sentence in said for sentence in sentences), f"{said!r} and not {sentences}")
        self.journalled(*sentences)

    def doctored(self, *statement):
        """A hub that has something wrong in its database."""
        with contextlib.closing(sqlite3.connect(self.site.path("hub", "hub.sqlite"), timeout=20)) as db, db:
            expect(db.execute(*statement).rowcount == 1, f"{statement} changed nothing")

    def check_a_browser_without_the_role_is_refused(self):
        status, answer = self.site.ask("POST", f"devices/{self.site.known[GOOD]['id']}/page", {"reason": "curious", "seconds": 600}, "vic")
        expect(status == 403 and "Remote Technician User" in json.dumps(answer), f"{status} {answer}")

    def check_a_device_that_the_hub_does_not_know_is_refused(self):
        status, answer = self.site.ask("POST", f"devices/{uuid.uuid4()}/page", {"reason": "a jam", "seconds": 600})
        expect(status == 404, f"{status} {answer}")

    def check_an_address_in_the_place_of_a_device_is_refused(self):
        for wrong in ("169.254.169.254", "127.0.0.1%3A80", "http%3A%2F%2F10.0.0.1"):
            status, answer = self.site.ask("POST", f"devices/{wrong}/page", {"reason": "a jam", "seconds": 600})
            expect(status in (400, 404), f"{wrong}: {status} {answer}")

    def check_a_device_without_a_web_server_is_told(self):
        self.refused(self.site.known[RETIRED], "The device answers at none of the ports")

    def check_a_device_that_the_agent_does_not_know_is_refused(self):
        self.doctored("UPDATE sighting SET agent_device = ? WHERE device = (SELECT number FROM device WHERE id = ?)", (bytes(range(16)), self.site.known[RETIRED]["id"]))
        self.refused(self.site.known[RETIRED], "This agent has no device 000102030405060708090a0b0c0d0e0f.")

    def check_a_retired_device_is_refused(self):
        self.doctored("UPDATE device SET state = 'retired' WHERE id = ?", (self.site.known[RETIRED]["id"],))
        status, answer = self.site.ask("POST", f"devices/{self.site.known[RETIRED]['id']}/page", {"reason": "a jam", "seconds": 600})
        expect(status == 422 and "The device is retired" in json.dumps(answer), f"{status} {answer}")
        expect("The device is retired" in self.site.trail("--action", "remote.refused"), "in the trail")

    def check_an_excluded_device_is_refused(self):
        self.refused(self.site.known[EXCLUDED], "The device is excluded at this agent (remote.exclude).")

    def check_a_forged_session_is_nothing(self):
        site = self.site
        page = self.page = site.open(site.known[GOOD])
        nobody = Page(site, "", f"https://{'0' * 32}.remote.localhost:{site.web}/", None)
        nothing = nobody.get("/")
        expect(nothing.status == 404 and "There is nothing here." in nothing.text, nothing)
        forged = Page(site, "", page.origin + "/", None)
        expect(forged.get("/").status == 404, "without a cookie")
        for value in ("0" * 64, "x", page.cookies["__Host-printtrail-page"][:-1] + "0" if page.cookies["__Host-printtrail-page"][-1] != "0" else "1" * 64):
            forged.cookies = {"__Host-printtrail-page": value}
            expect(forged.get("/").status == 404, f"with {value}")
        nobody.cookies = dict(page.cookies)
        expect(nobody.get("/").status == 404, "a good cookie at another origin")
        status, answer = site.ask("POST", f"jobs/{page.job}/page", {}, "tom")
        expect(status in (403, 404, 422), f"another's session: {status} {answer}")
        expect(page.get("/").status == 200, "whoever may, still does")

    def check_a_key_is_good_once(self):
        site = self.site
        status, answer = site.ask("POST", f"jobs/{self.page.job}/page", {})
        expect(status == 201, answer)
        again = Page(site, self.page.job, answer["url"], answer["key"])
        expect(again.get("/").status == 200, "the new origin")
        # Within the two seconds that a hub keeps in mind who may.
        eventually(lambda: self.page.get("/").status == 404, "the origin before to be closed", 5)
        try:
            Page(site, self.page.job, answer["url"], answer["key"])
        except remote_site.Failed as refused:
            expect("404" in str(refused), refused)
        else:
            expect(False, "a key was used twice")
        again.end()
        closed = eventually(lambda: (lambda reply: reply if reply.status == 403 else None)(again.get("/")), "the end")
        expect("This page is closed" in closed.text and "ended by tess (console)" in closed.text, closed)

    def check_a_device_whose_serial_number_is_another_is_refused(self):
        """Another printer answers at the address; the agent has not polled since."""
        self.site.start_fleet([Device(GOOD), Device(EXCLUDED), Device(SWAPPED, MODELS[0]), Device(ELSEWHERE, walk="colour-mfp"), Device(RETIRED)])
        self.refused(self.site.known[SWAPPED], "Another device answers at", "serial number")

    def check_a_device_that_is_not_where_it_was_is_refused(self):
        self.refused(self.site.known[MOVES], "The device does not say who it is", user="tom")
        expect(not os.path.exists(self.site.path(f"{MOVES}.jsonl")), "its address was asked for a page")

    def check_a_device_that_moved_is_opened_where_it_is_once_it_was_found(self):
        site = self.site
        site.start_pages(ELSEWHERE, "--record", site.path("moved.jsonl"))
        site.hub_command("job", "create", "scan", "--entity", remote_site.ENTITY)
        moved = site.known[MOVES]["id"]
        eventually(lambda: any(device["id"] == moved and device["address"].startswith(f"{site.address(ELSEWHERE)}") for device in site.listed("device", "list")),
                   lambda: f"its new address: {site.listed('device', 'list')}", 60)
        page = site.open(site.known[MOVES], "tom")
        expect(page.get("/").status == 200 and os.path.exists(site.path("moved.jsonl")) and not os.path.exists(site.path(f"{MOVES}.jsonl")), "where it is")
        page.end()

    def check_a_session_ends_where_another_device_comes_to_answer(self):
        site = self.site
        site.start_fleet(FIRST)
        site.configure('interval = "5m"', 'interval = "2s"')
        page = site.open(site.known[SWAPPED], "tara")
        expect(page.get("/").status == 200, "before")
        site.start_fleet([Device(GOOD), Device(EXCLUDED), Device(SWAPPED, MODELS[0])])
        closed = eventually(lambda: (lambda reply: reply if reply.status == 403 else None)(page.get("/")), "the end", 60)
        expect("Another device answers at" in closed.text, closed.text[-500:])
        last = site.events("RemoteSessionClosed")[-1]["data"]
        expect(last["reason"] == "device" and "Another device answers at" in last["message"], last)


class AtHostileHub:
    """A hub that asks for what no hub may ask for."""

    def __init__(self, site, stopping):
        self.site = site
        self.hub = HostileHub(site, stopping)

    def order(self, order, user):
        return self.hub.order(order, self.site.known[GOOD], user)

    def closed(self):
        return [event["data"] for event in self.site.events("RemoteSessionClosed")]

    def check_a_hub_that_asks_for_an_address_is_left(self):
        site = self.site
        site.configure(f'remotetechnician = "127.0.0.1:{site.remote}"', f'remotetechnician = "127.0.0.1:{self.hub.port}"')
        for authority, user in ((f"{site.address(2)}:{site.plain}", "tess"), ("169.254.169.254:80", "tess"), (f"127.0.0.1:{site.console}", "tom"), ("localhost:80", "tom")):
            told, session = self.order({"ask": [{":authority": authority}]}, user)
            # The answer may not be there any more when the connection's end is.
            expect(all(answer["error"] in ("target", "") and not answer["text"].startswith("<") for answer in told["answers"]), told)
            expect(told["goodbye"] and told["goodbye"]["text"].startswith("target: "), told)
            expect("never an address or a name" in session["endReason"], session)
            closed = self.closed()[-1]
            expect(closed["reason"] == "target" and "never an address or a name" in closed["message"], closed)

    def check_a_hub_that_asks_for_more_of_the_device_is_refused(self):
        site = self.site
        other = site.known[EXCLUDED]["id"].replace("-", "")
        wrong = [{":authority": f"{other}:{site.plain}"}, {":authority": "DEVICE:9100"}, {":authority": f"DEVICE:{site.snmp}"}, {":authority": "DEVICE"},
                 {":authority": f"DEVICE:{site.plain}", ":scheme": "ftp"}, {":authority": f"DEVICE:{site.plain}", ":path": "http://169.254.169.254/"},
                 {":authority": f"DEVICE:{site.plain}", ":method": "TRACE"}, {":authority": f"DEVICE:{site.plain}", ":path": "/next", "host": "169.254.169.254"}]
        told, session = self.order({"ask": wrong, "stays": True}, "tara")
        answers = told["answers"]
        # A path that is an address is no HTTP/2, and ends that stream.
        expect([answer["error"] for answer in answers[:-1]] == ["target"] * 5 + ["reset 1", "target"], answers)
        expect(answers[-1]["status"] == 200 and "Next page" in answers[-1]["text"], answers[-1])
        with open(site.path(f"{GOOD}.jsonl"), encoding="utf-8") as file:
            expect(json.loads(file.readlines()[-1])["headers"]["Host"] == f"{site.address(GOOD)}:{site.plain}", "the device's own name")

    def check_a_hub_that_opens_ten_thousand_streams_is_refused(self):
        for heeds in (False, True):
            told, session = self.order({"flood": 10_000, "port": self.site.plain, "heeds": heeds}, "tara")
            expect(told["goodbye"] == {"code": 1, "text": "request HEADERS: max concurrent streams exceeded"}, told)
            expect("The hub broke the protocol: PROTOCOL_ERROR" in session["endReason"], session)
            closed = self.closed()[-1]
            # The 32 that may be open at one time, and those that came when one of them was answered.
            expect(closed["message"].startswith("The hub broke the protocol") and int(closed["requests"]) < 100, closed)

    def check_the_agent_goes_on_with_its_own_hub(self):
        site = self.site
        site.configure(f'remotetechnician = "127.0.0.1:{self.hub.port}"', f'remotetechnician = "127.0.0.1:{site.remote}"')
        page = site.open(site.known[GOOD], "tom")
        expect(page.get("/").status == 200, "its page")
        page.end()


class Endings:
    """Sessions that end in their middle."""

    def __init__(self, site):
        self.site = site

    def ends(self, page, user, *sentences):
        closed = eventually(lambda: (lambda reply: reply if reply.status == 403 else None)(page.get("/")), "the end of the page", 20)
        expect("This page is closed" in closed.text and all(sentence in closed.text for sentence in sentences), closed.text[-600:])
        self.site.becomes(page.job, "ended", user)

    def closing(self, sentence):
        eventually(lambda: any(sentence in event["data"]["message"] for event in self.site.events("RemoteSessionClosed")),
                   lambda: f"{sentence!r} in {[event['data'] for event in self.site.events('RemoteSessionClosed')]}")

    def check_a_session_ends_at_the_agent(self):
        page = self.site.open(self.site.known[GOOD], "tara")
        expect("1 session" in self.site.agent_command("remote", "close", "--all"), "it was ended")
        self.ends(page, "tara", "ended at the agent")
        self.closing("It was ended at the agent.")

    def check_each_command_at_the_agent_is_answered(self):
        for _ in range(15):
            self.site.agent_command("remote", "close", str(uuid.uuid4()), good=(66,))
            self.site.agent_command("remote", "trust", self.site.known[GOOD]["serial"], good=(66,))
            expect("[]" in self.site.agent_command("remote", "list", "--output", "json"), "no session is open")

    def check_a_session_ends_with_its_users_role(self):
        page = self.site.open(self.site.known[GOOD], "tara")
        self.site.hub_command("user", "roles", "tara", "--role", "viewer")
        self.ends(page, "tara", "Remote Technician User, which you do not have any more")
        self.closing("may open devices")

    def check_a_session_ends_with_a_revocation(self):
        page = self.site.open(self.site.known[GOOD], "tom")
        install = self.site.listed("install", "list")[0]["id"]
        self.site.hub_command("install", "revoke", install)
        self.ends(page, "tom", "revoked")
        self.closing("revoked")
        status, answer = self.site.ask("POST", f"devices/{self.site.known[GOOD]['id']}/page", {"reason": "a jam", "seconds": 600}, "tom")
        expect(status == 422 and "revoked" in json.dumps(answer), f"{status} {answer}")

    def check_agent_and_hub_have_run_all_the_time(self):
        for program in (self.site.agent, self.site.hub):
            expect(program.process.poll() is None, program.text[-2000:])


def checks(site, stopping):
    return [Refusals(site), AtHostileHub(site, stopping), Endings(site)]


if __name__ == "__main__":
    sys.exit(remote_site.main(__doc__, start, checks))
