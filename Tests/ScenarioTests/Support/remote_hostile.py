"""What a hostile device does (hostile_pages.py), and what the person at the browser reads of it. After each of them the next page is there."""

from remote_site import eventually, expect


class Hostile:
    def __init__(self, site):
        self.site = site

    def page(self):
        if not hasattr(self, "own"):
            self.own = self.site.open(self.site.known[4], "tara")
            self.hub, self.agent = memory(self.site.hub), memory(self.site.agent)
        return self.own

    def told(self, path, status, title, sentence=""):
        reply = self.page().get(path)
        expect(reply.status == status and f"<h1>{title}</h1>" in reply.text and sentence in reply.text, f"{path}: {reply.status} {reply.text[-300:]}")
        expect("a page" in self.page().get("/fine").text, f"after {path}")

    def check_what_is_no_http_is_told(self):
        no_page = "The device answered what is no page"
        self.told("/http09", 502, no_page, "What the device answers is no HTTP")
        self.told("/two-lengths", 502, no_page, "What the device answers is no HTTP")
        self.told("/endless-headers", 502, no_page, "The head of the device&#39;s answer is too large")
        self.told("/endless-line", 502, no_page, "The head of the device&#39;s answer is too large")
        self.told("/resets", 502, no_page, "The device ended the connection before its answer was over")
        self.told("/closes", 502, no_page, "What the device answers is no HTTP: the connection ended without an answer.")

    def check_what_breaks_off_is_told(self):
        """The head was good, and out by then."""
        for path in ("/bad-chunk", "/huge-chunk", "/cut"):
            self.told(path, 502, "The device&#39;s page cannot be shown", "broke off")

    def check_who_is_led_elsewhere_is_told_where(self):
        title = "The device wanted to send you elsewhere"
        for path, address in {
            "/elsewhere": "https://evil.example/login", "/elsewhere-slashes": "//evil.example/login", "/elsewhere-user": "@evil.example/",
            "/metadata": "http://169.254.169.254/latest/meta-data/", "/loopback": "http://localhost/", "/neighbour": self.site.address(1),
            "/raw-printing": ":9100/", "/script": "javascript:alert(1)", "/rebinding": "http://rebind.example",
        }.items():
            self.told(path, 502, title, address)
        self.told("/elsewhere-backslashes", 502, title, "evil.example/login")
        refresh = self.page().get("/refresh")
        expect(refresh.status == 200 and refresh.header("refresh") is None, refresh)

    def check_a_bomb_passes_as_it_is(self):
        reply = self.page().get("/bomb", Accept_Encoding="gzip")
        expect(reply.status == 200 and reply.header("content-encoding") == "gzip" and len(reply.body) < 1 << 20, f"{reply.status} {len(reply.body)}")
        for program, before in ((self.site.hub, self.hub), (self.site.agent, self.agent)):
            expect(memory(program) - before < 100 << 20, f"it grew from {before} to {memory(program)} bytes")

    def check_an_answer_of_the_agents_is_not_forged(self):
        reply = self.page().get("/forges")
        expect(reply.status == 200 and reply.text == "hi" and "set-cookie" not in [name.lower() for name, _ in reply.headers], reply)

    def check_each_is_journalled_with_its_word(self):
        self.page().end()
        shown = {}

        def last():
            shown.update((request["path"], request) for request in self.site.session(self.own.job, "tara")["requests"])
            return "/forges" in shown
        eventually(last, lambda: f"the last request at the hub, which has {shown}")
        for path, word in {"/http09": "not-http", "/endless-headers": "too-large", "/bad-chunk": "not-http", "/cut": "not-http", "/elsewhere": None}.items():
            expect(path in shown and (shown[path].get("error") or None) == word, f"{path}: {shown.get(path)}")


def memory(program):
    """The most that a program ever had in memory, in bytes."""
    with open(f"/proc/{program.process.pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
