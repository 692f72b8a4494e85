"""Runs checks of a console in a real browser: what a check says with, and what runs them and tells what each has found."""

import argparse
import inspect
import json
import os
import sys
import tempfile
import time
import traceback

import browsers


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def equal(found, wanted, what=""):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, and not {wanted!r}")


def main(about, site_of, checks_of, always=()):
    """The program: prints a line of JSON for each check. Returns 1 if one failed, 77 if the browser cannot be driven here.

    site_of(directory, network) starts a site; checks_of(browser, site) is an object each of whose methods that begin with check_ is a check. They go
    on from each other, in the order in which they are written. `always`: how the names begin of those that --only does not leave out.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", choices=sorted(browsers.BROWSERS), required=True)
    parser.add_argument("--network", type=int, required=True)
    parser.add_argument("--only", help="checks with this in their names alone")
    options = parser.parse_args()
    reason = browsers.missing(options.browser)
    if reason:
        print(reason, file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory(prefix="printtrail-browser-") as directory:
        site = browser = None
        try:
            downloads = os.path.join(directory, "downloads")
            os.mkdir(downloads)
            site = site_of(directory, options.network)
            browser = browsers.BROWSERS[options.browser](downloads)
            wanted = [(name, method) for name, method in named(checks_of(browser, site))
                      if not options.only or options.only in name or name.startswith(tuple(always))]
            # A list, because each of them is to be run.
            return 0 if all([passes(browser, name, method) for name, method in wanted]) else 1
        finally:
            if browser:
                browser.close()
            if site:
                site.stop()


def named(checks):
    methods = [method for name, method in inspect.getmembers(checks, inspect.ismethod) if name.startswith("check_")]
    return [(method.__name__.removeprefix("check_").replace("_", " "), method)
            for method in sorted(methods, key=lambda method: method.__func__.__code__.co_firstlineno)]


def passes(browser, name, method):
    start = time.monotonic()
    detail = None
    try:
        method()
    except Exception as error:  # noqa: BLE001: a check that ended otherwise failed as well, and the others go on
        detail = f"{type(error).__name__}: {error}"
        if not isinstance(error, (Failed, browsers.Timeout)):
            detail += "\n" + traceback.format_exc()
        detail += seen(browser, name)
    print(json.dumps({"check": name, "ok": detail is None, "seconds": round(time.monotonic() - start, 1), "detail": detail}), flush=True)
    return detail is None


def seen(browser, name):
    """What was on the page when a check failed."""
    try:
        text = f"\nat {browser.js('return location.hash;')}: {(browser.text('body') or '')[:1500]}\nconsole: {browser.take_problems()}"
        keep = os.environ.get("PT_SCREENSHOTS")
        if keep:
            browser.screenshot(os.path.join(keep, f"{browser.name}-{name.replace(' ', '-')}.png"))
        return text
    except Exception as error:  # noqa: BLE001: the failure itself is what counts
        return f"\nthe page could not be asked: {error}"
