"""Sweeps beside onesixtyone, nmap and fusioninventory-netdiscovery: a /24 with default settings, and a /16 at the same packet rate.

usage: sweeps.py BIN WORK [subnet] [present] [waking] [class_b]      in a network namespace of its own; run.py starts it in one

The networks are made anew (networks.py): what vanishes, vanishes for all of them alike.
"""

import os
import re
import signal
import subprocess
import sys
import time

import networks
from common import SUMMARY, say, summary
from networks import Network

# A peer that takes longer is ended, and counts as taking at least this.
SECONDS_MAX = 300
# How long an ended peer may take to go before it is killed.
ENDING_SECONDS = 5

SUBNET = Network("/24", "10.22.0.0/24", 20)
PRESENT = Network("/24, all present", "10.24.0.0/24", 20, refuses=True)
# A peer that takes longer there is ended: it is known by then.
PRESENT_SECONDS_MAX = 120
WAKING = Network("/24, five printers slow", "10.23.0.0/24", 20, slow_milliseconds=2_500)
CLASS_B = [Network("/16, refusing", "10.31.0.0/16", 250, refuses=True), Network("/16, silent", "10.32.0.0/16", 250)]
SUMMARY_FILE = "summary"
# Milliseconds between two packets of onesixtyone: a thousand packets a second at most.
MILLISECONDS = 1


class Run:
    """What one run of one program took: seconds, whether it was cut, CPU seconds and the largest resident memory of it and of the children
    that it waited for, packets sent, and what it printed."""

    def __init__(self, arguments, work, limit=SECONDS_MAX):
        path = os.path.join(work, "output")
        sent, start = networks.packets_sent(), time.monotonic()
        with open(path, "w") as output:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL, start_new_session=True)
        self.is_cut = False
        ended, status, usage = wait(process.pid, start + limit)
        if not ended:
            self.is_cut = True
            os.killpg(process.pid, signal.SIGTERM)
            ended, status, usage = wait(process.pid, time.monotonic() + ENDING_SECONDS)
            if not ended:
                os.killpg(process.pid, signal.SIGKILL)
                _, status, usage = os.wait4(process.pid, 0)
        self.seconds = time.monotonic() - start
        process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.packets = networks.packets_sent() - sent
        self.cpu_seconds, self.resident_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        with open(path, errors="replace") as output:
            self.output = output.read()

    @property
    def took(self):
        return f"{'at least ' if self.is_cut else ''}{self.seconds:,.1f} s"


def wait(pid, until):
    """Waits for a child until a time of the monotonic clock: whether it ended, its status and usage."""
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended or time.monotonic() > until:
            return bool(ended), status, usage
        time.sleep(0.01)


def own(bin, network, work, configuration="", *options):
    """`ptagent sweep` as it comes: with an empty configuration."""
    path = os.path.join(work, "ptagent.toml")
    with open(path, "w") as file:
        file.write(configuration)
    return Run([f"{bin}/ptagent", "sweep", network.addresses, "--config", path, "--output", "csv", *options], work)


def found(run, network, pattern):
    """How many of the network's printers a line of the output that holds the pattern names."""
    named = set()
    for line in run.output.splitlines():
        if re.search(pattern, line):
            named.update(re.findall(r"\b10(?:\.\d+){3}\b", line))
    return len(named & set(network.printers))


def tell(network, name, run, count, **more):
    say(benchmark=f"sweep of a {network.name}", program=name, seconds=round(run.seconds, 2), is_cut=run.is_cut, found=count, packets=run.packets,
        cpu_seconds=round(run.cpu_seconds, 2), resident_mb=round(run.resident_mb, 1), status=run.status, **more)


NMAP = ["nmap", "-sU", "-p161", "-oG", "-"]
NMAP_FOUND = r"^Host: .* 161/open/"
ONE_SIXTY_ONE_FOUND = r"\[public\]"


def beside(network, mine, peers, work, limit=SECONDS_MAX, others="silent addresses"):
    """Runs the peers, each a name with its arguments and what a line of its output that names a printer holds."""
    count = found(mine, network, ",found,")
    tell(network, "ptagent", mine, count)
    summary(f"sweep of a {network.name}, 20 printers and 234 {others}, default settings each: ptagent {mine.took}, {count} found, "
            f"{mine.packets} packets")
    for name, (arguments, pattern) in peers.items():
        run = Run(arguments, work, limit)
        # What a program printed before it was cut may not have come out.
        count, ratio = None if run.is_cut else found(run, network, pattern), run.seconds / mine.seconds
        tell(network, name, run, count, ratio=round(ratio, 2))
        summary(f"  {name}: {run.took}, {'cut' if run.is_cut else f'{count} found'}, {run.packets} packets, {'at least ' if run.is_cut else ''}{ratio:.1f} x ptagent's time")


def subnet(bin, work):
    """nmap takes who answers no ping for absent, which `-Pn` forbids it: printers need not answer pings. And it asks a name server for each
    host: what it takes with one that is silent stands beside it. netdiscovery's timeout is said to be 1 s by default, and is 60 s in 2.6 without
    the option."""
    addresses = SUBNET.addresses
    first, last = addresses.replace("0/24", "1"), addresses.replace("0/24", "254")
    beside(SUBNET, own(bin, SUBNET, work), {
        "onesixtyone": (["onesixtyone", addresses], ONE_SIXTY_ONE_FOUND),
        "nmap -sU -p161": (NMAP + [addresses], NMAP_FOUND),
        "nmap -sU -p161 -Pn": (NMAP + ["-Pn", addresses], NMAP_FOUND),
        "nmap -sU -p161 with a silent name server": (NMAP + ["--dns-servers", last, addresses], NMAP_FOUND),
        "fusioninventory-netdiscovery": (["fusioninventory-netdiscovery", "--timeout", "1", "--first", first, "--last", last], r"<IP>"),
    }, work)


def present(bin, work):
    """As on loopback: every address is there, and refuses what it does not serve. A name server that is silent is what a machine without a network
    has."""
    addresses = PRESENT.addresses
    first, last = addresses.replace("0/24", "1"), addresses.replace("0/24", "254")
    beside(PRESENT, own(bin, PRESENT, work), {
        "onesixtyone": (["onesixtyone", addresses], ONE_SIXTY_ONE_FOUND),
        "nmap -sU -p161": (NMAP + [addresses], NMAP_FOUND),
        "nmap -sU -p161 with a silent name server": (NMAP + ["--dns-servers", SUBNET.addresses.replace("0/24", "254"), addresses], NMAP_FOUND),
        "fusioninventory-netdiscovery": (["fusioninventory-netdiscovery", "--timeout", "1", "--first", first, "--last", last], r"<IP>"),
    }, work, PRESENT_SECONDS_MAX, "addresses that refuse")


def waking(bin, work):
    """What the longer wait is for."""
    addresses = WAKING.addresses
    beside(WAKING, own(bin, WAKING, work), {
        "onesixtyone": (["onesixtyone", addresses], ONE_SIXTY_ONE_FOUND),
        "nmap -sU -p161": (NMAP + [addresses], NMAP_FOUND),
    }, work)


def class_b(bin, work):
    """onesixtyone's rate is its packets in the time that it sends, without the seconds that it waits at its end; ours is set to that. It speaks
    SNMP alone and asks once: beside it stand SNMP alone and the default, which asks over IPP, too."""
    peer = ["onesixtyone", "-w", str(MILLISECONDS)]
    at_end = Run(peer + [SUBNET.printers[0], "public"], work).seconds
    for network in CLASS_B:
        theirs = Run(peer + [network.addresses, "public"], work)
        rate = round(theirs.packets / (theirs.seconds - at_end))
        count = found(theirs, network, ONE_SIXTY_ONE_FOUND)
        tell(network, "onesixtyone", theirs, count, packets_per_second=rate)
        summary(f"sweep of a {network.name}, 250 printers, {rate} packets/s each: onesixtyone {theirs.took}, {count} found, {theirs.packets:,} packets")
        for name, configuration in (("SNMP alone", "[discovery]\nipp = false\n"), ("SNMP and IPP", "")):
            mine = own(bin, network, work, configuration, "--packets-per-second", str(rate))
            count, ratio = found(mine, network, ",found,"), mine.seconds / theirs.seconds
            tell(network, f"ptagent, {name}", mine, count, packets_per_second=rate, ratio=round(ratio, 3))
            summary(f"  ptagent, {name}: {mine.took}, {count} found, {mine.packets:,} packets, {mine.cpu_seconds:.1f} CPU s, "
                    f"{mine.resident_mb:.0f} MB; {ratio:.2f} x onesixtyone's time")


def sweep(bin, work):
    """Measures in a namespace where the networks can be made: this file is run there, and leaves its summary in `work`."""
    networks.in_namespace([os.path.abspath(__file__), bin, work])
    with open(os.path.join(work, SUMMARY_FILE)) as file:
        for line in file:
            summary(line.rstrip("\n"))


def main(bin, work, *names):
    parts = {"subnet": subnet, "present": present, "waking": waking, "class_b": class_b}
    with networks.printers(bin, work, [SUBNET, PRESENT, WAKING, *CLASS_B]):
        for name in names or parts:
            parts[name](bin, work)
    with open(os.path.join(work, SUMMARY_FILE), "w") as file:
        file.writelines(f"{line}\n" for line in SUMMARY)


if __name__ == "__main__":
    main(*sys.argv[1:])
