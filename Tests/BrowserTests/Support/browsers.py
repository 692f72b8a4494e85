"""Two real browsers behind one face: Chromium by playwright, Firefox by marionette. Keys and presses are those of a person: they go through
the browser's own input, not through scripts of the page."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time


class Timeout(Exception):
    """What was waited for did not come."""


class Browser:
    """What both can do. Expressions are JavaScript; their values come back as Python's."""

    def wait(self, expression, seconds=15, what=None):
        """Waits until an expression is true, and returns its value."""
        end = time.monotonic() + seconds
        while True:
            try:
                value = self.js(f"return ({expression});")
            except Exception as error:  # noqa: BLE001: a page that is just being left has nothing to ask
                if time.monotonic() > end:
                    raise Timeout(f"{what or expression}: {error}") from error
                value = None
            if value:
                return value
            if time.monotonic() > end:
                raise Timeout(f"waited {seconds} s for: {what or expression}")
            time.sleep(0.05)

    def open(self, address):
        """Goes to a page of the console, from a blank one, so that nothing of the page before is left."""
        self.go("about:blank")
        self.go(address)
        self.wait_page()

    def page(self, address):
        """Goes to a page as a link does."""
        self.js("document.querySelector('main')?.replaceChildren(); location.hash = arguments[0];", address)
        self.wait_page()

    def wait_page(self):
        self.wait("document.querySelector('main h1') && !document.querySelector('main[aria-busy]') && !document.querySelector('table[aria-busy=true]')",
                  what="a page")

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0])?.innerText ?? null;", selector)

    def texts(self, selector):
        return self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText);", selector)

    def has(self, text, seconds=10, within="main"):
        """Waits until a text is on the page."""
        self.wait(f"(document.querySelector({json.dumps(within)})?.innerText ?? '').replaceAll('\\u202f', ' ').includes({json.dumps(text)})",
                  seconds, f"the text {text!r}")

    def press_button(self, name, within="body"):
        """Presses the button (or link) with this name."""
        self.wait(FIND_BUTTON % (json.dumps(within), json.dumps(name)), what=f"a button {name!r}")
        self.click("[data-test-target]")

    def write(self, selector, text):
        """Empties a field and types into it."""
        self.click(selector)
        self.chord("Control", "a")
        self.key("Backspace")
        if text:
            self.type(text)

    def choose(self, selector, value):
        self.js("""const e = document.querySelector(arguments[0]); e.value = arguments[1];
                   e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true}));""", selector, value)

    def field(self, label):
        """The selector of the field with this label."""
        found = self.wait("""(() => { const l = [...document.querySelectorAll('label')].find(l => (l.querySelector('span') ?? l).innerText.trim() === %s && l.offsetParent);
            return l && '#' + (l.htmlFor || l.querySelector('input, select, textarea').id); })()""" % json.dumps(label), what=f"a field {label!r}")
        return found

    def focused(self):
        """Tag and name of what has the focus."""
        return self.js("const e = document.activeElement; return e.tagName + ' ' + (e.getAttribute('aria-label') || e.innerText || e.value || '').trim().slice(0, 80);")

    def overflow(self):
        """How far the page is wider than the window, with what sticks out; None if it is not."""
        return self.js("""
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return null;
            const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 4);
            return document.documentElement.scrollWidth + ' > ' + width + ': ' + out.map(e => e.tagName + '.' + e.className).join(', ');""")

    def accessibility(self):
        """What axe-core finds that is serious or critical."""
        results = self.async_js(axe_source() + """
            ;axe.run(document, { resultTypes: ["violations"] }).then(
                r => done(r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v =>
                    v.id + " (" + v.impact + "): " + v.nodes.slice(0, 3).map(n => n.target.join(" ") + " " + (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? "")).join(" | "))),
                e => done(["axe failed: " + e]));""")
        return results


FIND_BUTTON = """(() => {
    for (const e of document.querySelectorAll('[data-test-target]')) e.removeAttribute('data-test-target');
    const found = [...document.querySelectorAll(%s + ' button, ' + 'a')].find(e => e.offsetParent !== null
        && ((e.getAttribute('aria-label') ?? e.innerText).trim() === %s) && !e.disabled);
    if (!found) return false;
    found.setAttribute('data-test-target', '');
    return true; })()"""


def axe_source():
    import axe_core_python
    path = os.path.join(os.path.dirname(axe_core_python.__file__), "axe.min.js")
    with open(path, encoding="utf-8") as source:
        return source.read()


class Chromium(Browser):
    name = "chromium"

    def __init__(self, download_to):
        from playwright.sync_api import sync_playwright
        self.driver = sync_playwright().start()
        # Debian's own; a sandbox inside a container or as root it has not.
        self.browser = self.driver.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        self.context = self.browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light", accept_downloads=True,
                                                ignore_https_errors=True)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(15_000)
        self.problems = []
        self.downloads = []
        self.download_to = download_to
        self.tab.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.problems.append(str(error)))
        self.tab.on("download", self.downloaded)

    def downloaded(self, download):
        path = os.path.join(self.download_to, download.suggested_filename)
        download.save_as(path)
        self.downloads.append(path)

    def go(self, address):
        self.tab.goto(address)

    def js(self, body, *arguments):
        return self.tab.evaluate("(args) => (function () { %s }).apply(null, args)" % body, list(arguments))

    def async_js(self, body):
        return self.tab.evaluate("() => new Promise((done) => { %s })" % body)

    def click(self, selector):
        self.tab.locator(selector).first.click()

    def type(self, text):
        self.tab.keyboard.type(text)

    def key(self, name):
        self.tab.keyboard.press(name)

    def chord(self, modifier, name):
        self.tab.keyboard.press(f"{modifier}+{name}")

    def resize(self, width, height):
        self.tab.set_viewport_size({"width": width, "height": height})

    def scheme(self, name):
        self.tab.emulate_media(color_scheme=name)

    def reduced_motion(self, is_on):
        self.tab.emulate_media(reduced_motion="reduce" if is_on else "no-preference")

    def screenshot(self, path):
        self.tab.screenshot(path=path)

    def take_problems(self):
        found, self.problems = self.problems, []
        return found

    def settle(self, seconds):
        self.tab.wait_for_timeout(seconds * 1000)

    def waits_for_download(self, seconds=30):
        end = time.monotonic() + seconds
        while not self.downloads:
            if time.monotonic() > end:
                raise Timeout("no download came")
            self.settle(0.1)
        return self.downloads.pop(0)

    def close(self):
        self.browser.close()
        self.driver.stop()


KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Backspace": "\ue003", "ArrowLeft": "\ue012", "ArrowRight": "\ue014",
        "ArrowUp": "\ue013", "ArrowDown": "\ue015", "Home": "\ue011", "End": "\ue010", "Shift": "\ue008", "Control": "\ue009", "Space": " "}


class Firefox(Browser):
    name = "firefox"

    def __init__(self, download_to):
        from marionette_driver.marionette import Marionette
        self.download_to = download_to
        self.seen = set()
        self.profile = tempfile.mkdtemp(prefix="printtrail-firefox-")
        self.port = free_port()
        with open(os.path.join(self.profile, "user.js"), "w", encoding="utf-8") as prefs:
            for name, value in {
                "marionette.port": self.port, "browser.download.folderList": 2, "browser.download.dir": download_to,
                "browser.download.useDownloadDir": True, "browser.download.always_ask_before_handling_new_types": False,
                "browser.helperApps.neverAsk.saveToDisk": "application/x-tar,application/gzip,application/octet-stream",
                "layout.css.prefers-color-scheme.content-override": 1, "browser.shell.checkDefaultBrowser": False,
                "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False, "browser.startup.page": 0,
                "browser.aboutwelcome.enabled": False, "network.captive-portal-service.enabled": False,
            }.items():
                prefs.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        # A home of its own: what else the user has of Firefox is not touched.
        environment = {**os.environ, "HOME": self.profile, "MOZ_HEADLESS": "1", "MOZ_HEADLESS_WIDTH": "1280", "MOZ_HEADLESS_HEIGHT": "1000"}
        self.log = open(os.path.join(self.profile, "log"), "wb")
        # Its own settings and its console are asked for by this driver: without that option it keeps them to itself.
        self.process = subprocess.Popen(["firefox-esr", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", self.profile, "about:blank"],
                                        stdout=self.log, stderr=self.log, env=environment)
        self.client = Marionette(host="127.0.0.1", port=self.port)
        end = time.monotonic() + 60
        while True:
            try:
                self.client.start_session({"acceptInsecureCerts": True})
                break
            except Exception:  # noqa: BLE001: it is still starting
                if time.monotonic() > end or self.process.poll() is not None:
                    self.close()
                    raise
                time.sleep(0.3)
        self.client.set_context("content")
        self.client.timeout.script = 60
        self.client.timeout.page_load = 60
        self.resize(1280, 900)

    def go(self, address):
        # Another part behind the # alone is no navigation to wait for.
        self.client.navigate(address)

    def js(self, body, *arguments):
        return self.client.execute_script(body, script_args=arguments, sandbox=None, new_sandbox=False)

    def async_js(self, body):
        return self.client.execute_async_script("const done = arguments[arguments.length - 1]; " + body, sandbox=None)

    def click(self, selector):
        from marionette_driver.by import By
        element = self.client.find_element(By.CSS_SELECTOR, selector)
        self.js("arguments[0].scrollIntoView({block: 'center'});", element)
        element.click()

    def actions(self):
        return self.client.actions.sequence("key", "keyboard")

    def type(self, text):
        sequence = self.actions()
        for character in text:
            sequence = sequence.key_down(character).key_up(character)
        sequence.perform()

    def key(self, name):
        *modifiers, last = name.split("+")
        sequence = self.actions()
        for modifier in modifiers:
            sequence = sequence.key_down(KEYS[modifier])
        code = KEYS.get(last, last)
        sequence = sequence.key_down(code).key_up(code)
        for modifier in reversed(modifiers):
            sequence = sequence.key_up(KEYS[modifier])
        sequence.perform()

    def chord(self, modifier, name):
        self.key(f"{modifier}+{name}")

    def resize(self, width, height):
        """Firefox' windows are never narrower than some 500 px: below that the page is zoomed, so that a pixel of CSS is two of the window."""
        zoom = 2 if width < 500 else 1
        with self.client.using_context("chrome"):
            self.client.execute_script("gBrowser.selectedBrowser.fullZoom = arguments[0];", script_args=[zoom], sandbox="system")
        self.client.set_window_rect(width=width * zoom, height=height * zoom)
        for _ in range(20):
            inner = self.js("return [innerWidth, innerHeight];")
            if inner[0] == width:
                return
            rect = self.client.window_rect
            self.client.set_window_rect(width=rect["width"] + (width - inner[0]) * zoom, height=rect["height"] + (height - inner[1]) * zoom)
            time.sleep(0.1)
        raise Timeout(f"the window is {inner[0]} wide and not {width}")

    def preference(self, name, value):
        self.client.set_pref(name, value)

    def scheme(self, name):
        self.preference("layout.css.prefers-color-scheme.content-override", 0 if name == "dark" else 1)

    def reduced_motion(self, is_on):
        self.preference("ui.prefersReducedMotion", 1 if is_on else 0)

    def screenshot(self, path):
        import base64
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.client.screenshot(full=False)))

    def take_problems(self):
        """Errors of pages, out of the browser's own console: those of scripts, and what the policy refused."""
        with self.client.using_context("chrome"):
            found = self.client.execute_script("""
                const found = [];
                for (const m of Services.console.getMessageArray()) {
                    if (!(m instanceof Ci.nsIScriptError)) continue;
                    if (!/^http/.test(m.sourceName) && !/content.security|csp/i.test(m.category)) continue;
                    if ((m.flags & Ci.nsIScriptError.warningFlag) && !/content.security|csp/i.test(m.category)) continue;
                    found.push(m.errorMessage + " (" + m.sourceName + ":" + m.lineNumber + ")");
                }
                Services.console.reset();
                return found;""", sandbox="system")
        return found

    def settle(self, seconds):
        time.sleep(seconds)

    def waits_for_download(self, seconds=30):
        end = time.monotonic() + seconds
        while True:
            done = [name for name in os.listdir(self.download_to) if not name.endswith(".part") and name not in self.seen]
            done = [name for name in done if os.path.getsize(os.path.join(self.download_to, name)) > 0
                    and not os.path.exists(os.path.join(self.download_to, name + ".part"))]
            if done:
                self.seen.add(done[0])
                return os.path.join(self.download_to, done[0])
            if time.monotonic() > end:
                raise Timeout("no download came")
            time.sleep(0.1)

    def close(self):
        with contextlib.suppress(Exception):
            self.client.quit(in_app=True)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)


def chromium_path():
    return shutil.which("chromium") or shutil.which("chromium-browser")


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


BROWSERS = {"chromium": Chromium, "firefox": Firefox}


def missing(name):
    """Why a browser cannot be driven here; None if it can."""
    import importlib.util
    if name == "chromium" and not chromium_path():
        return "chromium is not installed"
    if name == "firefox" and not shutil.which("firefox-esr"):
        return "firefox-esr is not installed"
    for module in ("axe_core_python", "playwright" if name == "chromium" else "marionette_driver"):
        if importlib.util.find_spec(module) is None:
            return f"Python has no {module}"
    return None


if __name__ == "__main__":
    # Whether a browser can be driven here: status 0, or 77 with the reason.
    import sys
    found = missing(sys.argv[1])
    if found:
        print(found, file=sys.stderr)
    sys.exit(77 if found else 0)
