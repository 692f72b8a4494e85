#!/usr/bin/env python3
"""A device's own page in Chromium: from the hub's console to the device, and what the device's scripts reach from there.

    page_checks.py --console https://localhost:PORT --device ID --user NAME --password WORDS

The device is whoever serves it (Tests/HubServerTests/RemoteBrowserTests.swift). Prints a line of JSON for each check: {"check", "ok", "detail"}.
"""

import argparse
import json
import os
import sys
import tempfile
from urllib.parse import urlsplit

import browsers


def check(name, ok, detail=""):
    print(json.dumps({"check": name, "ok": bool(ok), "detail": str(detail)[:2000]}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("console", "device", "user", "password"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        chromium = browsers.Chromium(directory)
        try:
            run(chromium, options, directory)
        except Exception as error:  # noqa: BLE001: what went wrong is told as a check that failed
            check("the checks came to their end", False, f"{error} at {[page.url for page in chromium.context.pages]}: "
                  f"{[page.inner_text('body')[:600] for page in chromium.context.pages]}")
        finally:
            chromium.close()


def run(b, options, directory):
    tab = b.tab
    tab.goto(f"{options.console}/#/devices/{options.device}")
    b.write(b.field("User"), options.user)
    b.write(b.field("Password"), options.password)
    b.key("Enter")
    tab.get_by_role("button", name="Open its page").click()
    tab.get_by_label("Why do you have to see it?").fill("a jam that comes back")
    tab.get_by_role("button", name="Ask its agent").click()
    with b.context.expect_page(timeout=40_000) as opened:
        tab.get_by_role("button", name="Show the page").click(timeout=30_000)
    page = opened.value
    seen = []
    page.on("request", lambda request: seen.append(request))
    page.wait_for_selector("h1:has-text('Front page')", timeout=15_000)
    place = urlsplit(page.url)
    check("the page has an origin of its own", place.hostname.endswith(".remote.localhost") and len(place.hostname.split(".")[0]) == 32, page.url)
    check("the key is not in the address", not place.fragment and place.path == "/", page.url)
    check("no request names the key or another page", all("#" not in request.url and "localhost/#" not in (request.headers.get("referer") or "") for request in seen))
    page.wait_for_function("document.querySelectorAll('#reach li').length >= 5", timeout=20_000)
    reached = {item.split(": ")[0]: item.split(": ", 1)[1] for item in page.locator("#reach li").all_inner_texts()}
    for what in ("fetch", "image", "frame", "worker", "cookie"):
        check(f"a device's script gets nowhere by {what}", reached.get(what) == "refused", reached)
    check("nobody opened it who could be reached", page.evaluate("window.opener === null"))
    page.click("#next")
    page.wait_for_selector("h1:has-text('Next page')")
    check("an absolute link of the device's stays here", urlsplit(page.url).netloc == place.netloc and page.url.endswith("/next"), page.url)
    page.go_back()
    path = os.path.join(directory, "firmware.bin")
    with open(path, "wb") as file:
        file.write(os.urandom(3 << 20))
    page.set_input_files("input[type=file]", path)
    page.click("#send")
    page.wait_for_selector("#got", timeout=20_000)
    check("a file is uploaded whole", int(page.inner_text("#got").split()[0]) > 3 << 20, page.inner_text("#got"))
    tab.bring_to_front()
    tab.get_by_role("button", name="End now").click()
    tab.wait_for_selector("text=The session is over", timeout=15_000)
    check("the console says that it is over", True)
    page.wait_for_timeout(2_500)
    page.goto(f"https://{place.netloc}/")
    text = page.inner_text("body")
    check("the page says that it is closed, and by whom", "This page is closed" in text and options.user in text, text)


if __name__ == "__main__":
    sys.exit(main())
