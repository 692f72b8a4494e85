"""Two network namespaces, so that a sweep meets a network as it is: most addresses have no host, and what is sent there vanishes.

      the scanner's namespace                      the printers' namespace
      +--------------------------+                 +------------------------------------------------------------+
      |  v-scan 192.0.2.1/30  ---|------ veth -----|---  v-net 192.0.2.2/30, a router                           |
      |  10.0.0.0/8 via .2       |                 |  silent networks: printers' addresses, the rest a blackhole |
      +--------------------------+                 |  refusing networks: every address is there, and answers for |
                                                   |  a closed port with ICMP port unreachable, without a limit  |
                                                   +------------------------------------------------------------+

Names are asked of a name server on the scanner's loopback that knows none and says so at once: without one, programs that look names up would
be measured waiting for it. Nothing leaves the machine. Both namespaces end with the processes in them. The scanner's counters of v-scan tell what it sent.
"""

import contextlib
import ipaddress
import os
import socket
import subprocess
import sys
import threading
import time

from common import ROOT, interface, program

# The printers' namespace ends by itself after so long, whatever happens to us: a whole run takes 20 minutes.
SECONDS_MAX = 3_600
# How long the namespace of the printers may take to come up.
READY_SECONDS_MAX = 10


def in_namespace(arguments):
    """Runs a Python program in network and mount namespaces of its own, as root or as root of a user namespace. Ends with a sentence where neither is
    permitted."""
    how = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    allowed = subprocess.run(how + ["true"], capture_output=True, text=True)
    if allowed.returncode != 0:
        raise SystemExit(
            f"The sweep is measured in network namespaces, which this machine does not permit: {allowed.stderr.strip()}\n"
            "Run tools/bench as root, or allow user namespaces (kernel.unprivileged_userns_clone = 1). The other benchmarks need none.")
    status = subprocess.run(how + [sys.executable] + arguments).returncode
    if status != 0:
        raise SystemExit(status)


def hosts(network, count):
    """So many addresses of a network, spread over it evenly; never its first or last."""
    addresses = ipaddress.ip_network(network)
    step = (addresses.num_addresses - 2) // count
    return [str(addresses[1 + step // 2 + number * step]) for number in range(count)]


class Network:
    """An address range of the printers' namespace. Every fourth printer may be slow, as one that wakes up."""

    def __init__(self, name, addresses, printers, refuses=False, slow_milliseconds=0):
        self.name, self.addresses, self.refuses, self.slow_milliseconds = name, addresses, refuses, slow_milliseconds
        self.printers = hosts(addresses, printers)

    def routes(self):
        """For `ip -batch`, in the printers' namespace."""
        if self.refuses:
            return [f"route add local {self.addresses} dev lo"]
        return [f"route add blackhole {self.addresses}"] + [f"address add {printer}/32 dev lo" for printer in self.printers]


MODELS = ["hp-laserjet-m507", "kyocera-ecosys-m3655", "brother-hl-l6400", "lexmark-mx522", "ricoh-im-c3000"]


def write_fleet(path, networks):
    """A fleet file with the printers of the networks on port 161, which answer SNMPv1 and v2c: that is what the peers ask with."""
    with open(path, "w") as file:
        file.write(f'port = 161\nseed = 24\nmodels = "{ROOT}/Fixtures/devices"\n')
        for network in networks:
            for number, address in enumerate(network.printers):
                model = MODELS[number % len(MODELS)]
                file.write(f'\n[[printers]]\naddress = "{address}"\nmodel = "{model}"\nlocation = "Benchmark"\nversions = ["v1", "v2c"]\n')
                if network.slow_milliseconds and number % 4 == 0:
                    file.write(f'faults = ["slow:{network.slow_milliseconds}"]\n')


def ip(commands, inside=()):
    subprocess.run([*inside, "ip", "-batch", "-"], input="\n".join(commands), text=True, check=True, stdout=subprocess.DEVNULL)


def serve_no_names(work):
    """Answers every question with NXDOMAIN (RFC 1035, section 4.1.1) until this process ends, and has this mount namespace ask here."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def answer():
        while True:
            question, address = server.recvfrom(512)
            if len(question) >= 12:
                # Identifier, response with recursion and "no such name", one question as it came.
                server.sendto(question[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + end_of_question(question), address)

    threading.Thread(target=answer, daemon=True).start()
    path = os.path.join(work, "resolv.conf")
    with open(path, "w") as file:
        file.write("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", path, "/etc/resolv.conf"], check=True)


def end_of_question(message):
    """The first question of a message with what follows its header cut behind type and class."""
    end = 12
    while end < len(message) and message[end] != 0:
        end += 1 + message[end]
    return message[12:end + 5]


@contextlib.contextmanager
def printers(bin, work, networks):
    """Simulated printers on these networks, behind a router, until the block ends. Needs a namespace of its own (`in_namespace`)."""
    with program(["unshare", "--net", "sleep", str(SECONDS_MAX)]) as holder:
        inside = ["nsenter", f"--target={holder.pid}", "--net"]
        wait_for_namespace(holder.pid)
        ip(["link set lo up", "link add v-scan type veth peer name v-net", f"link set v-net netns {holder.pid}",
            "address add 192.0.2.1/30 dev v-scan", "link set v-scan up", "route add 10.0.0.0/8 via 192.0.2.2"])
        serve_no_names(work)
        ip(["link set lo up", "address add 192.0.2.2/30 dev v-net", "link set v-net up"], inside)
        # Refusals are not limited: on a real network each host has a limit of its own.
        settings = {"ip_forward": 1, "icmp_ratelimit": 0, "icmp_msgs_per_sec": 1_000_000, "icmp_msgs_burst": 1_000_000}
        script = "".join(f"test ! -e /proc/sys/net/ipv4/{name} || echo {value} > /proc/sys/net/ipv4/{name}\n" for name, value in settings.items())
        subprocess.run([*inside, "sh", "-e"], input=script, text=True, check=True)
        ip([command for network in networks for command in network.routes()], inside)
        path = os.path.join(work, "printers.toml")
        write_fleet(path, networks)
        with program([*inside, f"{bin}/ptsim", "serve", "--fleet", path, "--speed", "0"], ready="ready"):
            yield


def wait_for_namespace(pid):
    """Until the process has left this namespace: before, an interface would be given to ourselves."""
    own = os.readlink("/proc/self/ns/net")
    end = time.monotonic() + READY_SECONDS_MAX
    while os.readlink(f"/proc/{pid}/ns/net") == own:
        if time.monotonic() > end:
            raise SystemExit("unshare made no network namespace")
        time.sleep(0.01)


def packets_sent():
    """What left the scanner so far, of every protocol."""
    return interface("v-scan")[9]
