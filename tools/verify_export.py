#!/usr/bin/env python3
"""Verifies a PrintTrail export or proof with nothing but its files and public keys.

    verify_export.py EXPORT --key KEY [--key COUNTERSIGNER ...]
    verify_export.py --proof FILE --key KEY
    verify_export.py --batch DIR --key KEY      every directory in DIR is an export, every file a proof

It is written from docs/formats/{export,proof,journal,events}.md alone and shares no code with PrintTrail, so that a fault in one
does not hide in the other. KEY is the journal's verifier key, name+id+base64; `ptjournal key JOURNAL` prints it. Exit statuses are
those of `ptjournal verify` (docs/formats/proof.md, "Exit status"):

    0 sound, 10 malformed, 11 no manifest, 12 another journal, 13 unknown key, 14 bad signature, 15 incomplete, 16 edited,
    17 wrong path, 18 a file that the manifest does not name, 19 records that a countersigner does not vouch for,
    64 wrong command line, 65 a format of another release, 66 no such file, 74 a file that cannot be read, 77 permission denied

Needs Python 3.11 and the package `cryptography`.
"""

import argparse
import base64
import binascii
import collections
import datetime
import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MALFORMED, NO_MANIFEST, ANOTHER_JOURNAL, UNKNOWN_KEY, BAD_SIGNATURE, INCOMPLETE, EDITED, WRONG_PATH, UNNAMED, NOT_COUNTERSIGNED = range(10, 20)
USAGE, OTHER_FORMAT, NO_INPUT, INPUT_OUTPUT, PERMISSION = 64, 65, 66, 74, 77

FORMAT = "printtrail-export/2"
FILES = {"jsonl": ({"events.jsonl"}, {"events.jsonl", "omitted.bin"}), "csv": ({"readings.csv"},)}
NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX = 65_536, 64
PROOF_BYTES_MAX, PROOF_HASHES_MAX = 1 << 20, 65
SEQUENCE_MAX = 1 << 48
FINDINGS_MAX = 100

EVENT_TYPES = {
    1: "AgentStarted", 2: "AgentStopped", 3: "InstallEnrolled", 10: "SweepStarted", 11: "SweepCompleted", 12: "DiscoveryFailed",
    20: "DeviceDiscovered", 21: "DeviceMoved", 22: "DeviceReplaced", 23: "DeviceSeenAlso",
    24: "DeviceMerged", 25: "DeviceRetired", 26: "DeviceReturned", 30: "ReadingTaken",
    31: "ReadingChanged", 32: "ReadingUnchanged", 33: "PollFailed",
    40: "AlertRaised", 41: "AlertUpdated", 42: "AlertCleared", 50: "MeterEpochOpened", 51: "MeterOffsetSet", 52: "MeterLeapt",
    60: "UploadRejected", 61: "UploadConflicted",
    70: "JournalDamaged", 71: "RecordsRemoved", 72: "ReadingsThinned", 73: "JournalRestored",
    80: "JobReceived", 81: "JobStarted", 82: "JobCompleted", 83: "JobFailed", 84: "JobExpired", 85: "JobRefused",
    90: "SettingsApplied", 91: "SettingsRefused",
    92: "RemoteSessionOpened", 93: "RemoteRequest", 94: "RemoteSessionClosed", 95: "RemoteCertificatePinned", 96: "RemoteCertificateChanged",
    97: "RemoteRequestBegun",
}


def counted(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class Fault(Exception):
    """Something is wrong: a status and a sentence."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


# Keys and signed notes (docs/formats/journal.md, "Checkpoints")


def decode64(text, error):
    """The bytes of standard base64 with padding, in its one canonical form."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise error from None
    if base64.b64encode(raw).decode() != text:
        raise error
    return raw


@dataclass(frozen=True)
class Key:
    name: str
    public: bytes

    @staticmethod
    def parse(text):
        error = Fault(
            USAGE, f"'{text}' is no verifier key, name+id+base64. `ptjournal key JOURNAL` prints the journal's, `pthub key` the hub's.")
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise error
        raw = decode64(parts[2], error)
        if len(raw) != 33 or raw[0] != 1 or not is_key_name(parts[0]):
            raise error
        key = Key(parts[0], raw[1:])
        if parts[1].lower() != key.id.hex():
            raise error
        return key

    @property
    def id(self):
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    def verifies(self, signature, text):
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
            return True
        except (InvalidSignature, ValueError):
            return False


def is_key_name(name):
    return bool(name) and not any(ord(c) <= 0x20 or c in "+\x7f" or c.isspace() for c in name)


def journal_of(name):
    """The journal id in a name of its key or of one of its trees; None where it is another's."""
    match = re.fullmatch(r"printtrail\.journal/([0-9a-f]{32})(/[^/]*)?", name)
    return match and match[1]


@dataclass(frozen=True)
class Note:
    text: str
    signatures: tuple  # of (name, key id, signature)

    @staticmethod
    def parse(raw, status):
        def error(reason):
            return Fault(status, f"The signed note cannot be read: {reason}.")

        if len(raw) > NOTE_BYTES_MAX:
            raise error("it is too large")
        try:
            content = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise error("it is not UTF-8") from None
        text, blank, rest = content.rpartition("\n\n")
        lines = rest.split("\n")
        if not blank or not text or not rest or lines.pop() != "":
            raise error("text and signatures are not parted by an empty line, or the last line does not end")
        text += "\n"
        if any(ord(c) < 0x20 and c != "\n" for c in text):
            raise error("it has a control character")
        if not 1 <= len(lines) <= NOTE_SIGNATURES_MAX:
            raise error(f"it has {len(lines)} signatures")
        return Note(text, tuple(Note.signature(line, error) for line in lines))

    @staticmethod
    def signature(line, error):
        wrong = error(f"'{line}' is no signature line")
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not is_key_name(parts[1]):
            raise wrong
        raw = decode64(parts[2], wrong)
        if len(raw) <= 4:
            raise wrong
        return parts[1], raw[:4], raw[4:]

    def check(self, keys, what):
        """Every key must have signed, and every signature of one must verify."""
        for key in keys:
            if not any((name, id) == (key.name, key.id) for name, id, _ in self.signatures):
                raise Fault(UNKNOWN_KEY, f"{what} is not signed by the key of {key.name} that you trust.")
        for key in keys:
            for name, id, signature in self.signatures:
                if (name, id) == (key.name, key.id) and not key.verifies(signature, self.text):
                    raise Fault(BAD_SIGNATURE, f"{what} is not what {name} signed.")


@dataclass(frozen=True)
class Checkpoint:
    note: Note
    origin: str
    size: int
    root: bytes

    @staticmethod
    def parse(raw, status):
        note = Note.parse(raw, status)
        error = Fault(status, "The signed note is not a checkpoint.")
        lines = note.text.split("\n")
        if len(lines) < 4 or "" in lines[:-1]:
            raise error
        root = decode64(lines[2], error)
        if len(root) != 32:
            raise error
        return Checkpoint(note, lines[0], decimal(lines[1], error), root)


def decimal(text, error, bits=64):
    if not re.fullmatch(r"0|[1-9][0-9]*", text, re.ASCII) or int(text) >= 1 << bits:
        raise error
    return int(text)


class Trust:
    """The journal that is believed, and who must have signed beside it."""

    def __init__(self, keys):
        journals = [key for key in keys if journal_of(key.name)]
        if len(journals) != 1:
            raise Fault(USAGE, "--key must name one journal's key. `ptjournal key JOURNAL` prints it.")
        self.public = journals[0].public
        self.journal = journal_of(journals[0].name)
        self.countersigners = [key for key in keys if key not in journals]

    def check(self, checkpoint):
        """Returns the epoch that the checkpoint is of."""
        match = re.fullmatch(rf"printtrail\.journal/{self.journal}/(0|[1-9][0-9]*)", checkpoint.origin, re.ASCII)
        if not match or int(match[1]) >= 1 << 32:
            raise Fault(ANOTHER_JOURNAL, f"The checkpoint is of {checkpoint.origin}, not of the journal {self.journal}.")
        keys = [Key(checkpoint.origin, self.public)] + self.countersigners
        checkpoint.note.check(keys, f"The checkpoint {match[1]}/{checkpoint.size}")
        return int(match[1])


# Records and trees (docs/formats/journal.md, "Canonical bytes" and "Tree")


def leaf_hash(canonical):
    return hashlib.sha256(b"\0" + canonical).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def canonical_bytes(epoch, sequence, time, payload):
    return (
        b"\1" + epoch.to_bytes(4, "big") + sequence.to_bytes(8, "big") + time.to_bytes(8, "big", signed=True)
        + len(payload).to_bytes(4, "big") + payload
    )


class Frontier:
    """The right edge of a tree: the roots of its perfect subtrees, largest first."""

    def __init__(self):
        self.size, self.roots = 0, []

    def append(self, root, height=0):
        merging = self.size >> height
        while merging & 1:
            root = node(self.roots.pop(), root)
            merging >>= 1
        self.roots.append(root)
        self.size += 1 << height

    @property
    def root(self):
        if not self.roots:
            return hashlib.sha256(b"").digest()
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node(left, root)
        return root


def subtree_heights(begin, end):
    """The heights of the perfect subtrees that the leaves from `begin` before `end` are made of."""
    while begin < end:
        height = (end - begin).bit_length() - 1
        if begin:
            height = min(height, (begin & -begin).bit_length() - 1)
        yield height
        begin += 1 << height


# Proofs (docs/formats/proof.md)


def proves_inclusion(leaf, index, size, root, path):
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def proves_consistency(older, newer, hashes):
    m, n = older.size, newer.size
    if m == 0 or m > n:
        return False
    if m == n:
        return not hashes and older.root == newer.root
    if m & (m - 1) == 0:
        hashes = [older.root] + hashes
    if not hashes:
        return False
    fn, sn = m - 1, n - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = hashes[0]
    for c in hashes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == older.root and sr == newer.root


def unreadable(reason):
    return Fault(MALFORMED, f"This is not a proof that can be read: {reason}.")


def verify_proof(raw, trust):
    if len(raw) > PROOF_BYTES_MAX:
        raise unreadable("it is too large")
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise unreadable("it is not UTF-8") from None
    if lines.pop() != "":
        raise unreadable("its last line does not end")
    blocks = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        else:
            blocks.append([])
    if len(blocks) == 3 and len(blocks[0]) >= 3 and blocks[0][0] == "c2sp.org/tlog-proof@v1":
        return verify_inclusion(blocks, trust)
    if len(blocks) == 5 and blocks[0][:1] == ["printtrail.journal/consistency-proof@v1"]:
        return verify_consistency(blocks, trust)
    raise unreadable("it has not the title and the parts of a proof")


def proof_hashes(lines):
    if len(lines) > PROOF_HASHES_MAX:
        raise unreadable(f"it has {len(lines)} hashes")
    hashes = [decode64(line, unreadable(f"'{line[:80]}' is no hash")) for line in lines]
    if any(len(digest) != 32 for digest in hashes):
        raise unreadable("a hash has not 32 bytes")
    return hashes


def proof_checkpoint(text, signatures):
    return Checkpoint.parse("".join(line + "\n" for line in text + [""] + signatures).encode(), MALFORMED)


def verify_inclusion(blocks, trust):
    _, extra, number, *path = blocks[0]
    error = unreadable("its second line does not hold a record, or its third no index")
    if not extra.startswith("extra ") or not number.startswith("index "):
        raise error
    canonical = decode64(extra[6:], error)
    if len(canonical) < 25 or canonical[0] != 1 or int.from_bytes(canonical[21:25], "big") != len(canonical) - 25:
        raise error
    index = decimal(number[6:], error)
    hashes = proof_hashes(path)
    checkpoint = proof_checkpoint(blocks[1], blocks[2])
    epoch = trust.check(checkpoint)
    record_epoch, sequence = int.from_bytes(canonical[1:5], "big"), int.from_bytes(canonical[5:13], "big")
    if (record_epoch, sequence) != (epoch, index + 1):
        raise Fault(WRONG_PATH, f"The record says that it is {record_epoch}/{sequence}, the proof is for {epoch}/{index + 1}.")
    if not proves_inclusion(leaf_hash(canonical), index, checkpoint.size, checkpoint.root, hashes):
        raise Fault(WRONG_PATH, f"The record {epoch}/{sequence} is not in the tree of checkpoint {epoch}/{checkpoint.size}.")
    return f"record {epoch}/{sequence} is in the tree of {counted(checkpoint.size, 'record')} of journal {trust.journal}."


def verify_consistency(blocks, trust):
    hashes = proof_hashes(blocks[0][1:])
    older, newer = proof_checkpoint(blocks[1], blocks[2]), proof_checkpoint(blocks[3], blocks[4])
    epochs, faults = [], []
    for checkpoint in (older, newer):
        try:
            epochs.append(trust.check(checkpoint))
        except Fault as fault:
            faults.append(fault)
    if faults:
        raise min(faults, key=lambda fault: fault.status)
    if epochs[0] != epochs[1]:
        raise Fault(WRONG_PATH, f"The checkpoints are of the epochs {epochs[0]} and {epochs[1]}.")
    if not proves_consistency(older, newer, hashes):
        raise Fault(WRONG_PATH, f"The tree of size {newer.size} does not begin with that of size {older.size}.")
    return f"the tree of {counted(newer.size, 'record')} of {newer.origin} begins with that of {older.size}."


# Exports (docs/formats/export.md)


def integer(value, bits, low=0):
    if type(value) is not int or not low <= value < 1 << bits:
        raise ValueError(f"{value!r} is no number from {low} on")
    return value


def whole(number):
    raise ValueError(f"{number} is not written as a whole number")


def text(value):
    if type(value) is not str:
        raise ValueError(f"{value!r} is no text")
    return value


class Manifest:
    """manifest.json, its members taken out and their types checked."""

    def __init__(self, raw):
        try:
            content = json.loads(raw, parse_float=whole)
            self.format = text(content["format"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Fault(MALFORMED, f"manifest.json is not the manifest of an export: {error}.") from None
        if self.format != FORMAT:
            raise Fault(OTHER_FORMAT, f"This export has format {self.format}; this program knows {FORMAT}.")
        try:
            self.journal, self.key = text(content["journal"]), text(content["key"])
            options = content["options"]
            self.table = text(options["format"])
            for name in ("from", "to", "device"):
                if options.get(name) is not None:
                    text(options[name])
            self.device, self.types = options.get("device"), options.get("types")
            if self.types is not None:
                self.types = [text(name) for name in self.types]
            self.epochs = [Epoch(**Epoch.members(entry)) for entry in content["epochs"]]
            self.files = [
                (text(f["name"]), integer(f["bytes"], 64), integer(f["lines"], 64), text(f["sha256"])) for f in content["files"]
            ]
            self.check()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Fault(MALFORMED, f"manifest.json is not the manifest of an export: {error}.") from None

    def check(self):
        names = [file[0] for file in self.files]
        if len(set(names)) != len(names) or set(names) not in FILES.get(self.table, ()):
            raise ValueError(f"no export of the format {self.table} has the files {', '.join(names)}")
        numbers = [epoch.epoch for epoch in self.epochs]
        if numbers != sorted(set(numbers)):
            raise ValueError("epochs are not in order")

    @property
    def is_whole(self):
        return self.device is None and self.types is None


@dataclass
class Epoch:
    epoch: int
    first: int
    last: int
    records: int
    gaps: list  # of (first, last): positions of the stretch that have no record any more, ascending
    size: int
    checkpoint: str | None

    def lost_from(self, first):
        """How many of the positions from `first` on have no record any more."""
        return sum(max(0, end - max(begin, first) + 1) for begin, end in self.gaps)

    def kept_from(self, first):
        """The first position from `first` on that has its record."""
        for begin, end in self.gaps:
            if begin <= first <= end:
                first = end + 1
        return first

    @staticmethod
    def gaps_of(entry, first, last):
        gaps, following = [], first
        ranges = entry.get("lost")
        if ranges is not None and type(ranges) is not list:
            raise ValueError("the lost ranges are no list")
        for index, lost in enumerate(ranges or []):
            is_open = lost.get("to") is None
            begin, end = integer(lost["from"], 64), last if is_open else integer(lost["to"], 64)
            if not following <= begin <= end + is_open or end > last or is_open and index + 1 < len(ranges):
                raise ValueError(f"lost ranges overlap, are not in order or lie outside of {first} to {last}")
            if begin <= end:
                gaps.append((begin, end))
            following = end + 1
        return gaps

    @staticmethod
    def members(entry):
        first, last = integer(entry["from"], 64, 1), integer(entry["to"], 64)
        records, omitted = integer(entry["records"], 64), integer(entry["omitted"], 64)
        size, checkpoint = entry.get("size"), entry.get("checkpoint")
        if not first <= last <= SEQUENCE_MAX:
            raise ValueError(f"an epoch goes from {first} to {last}")
        gaps = Epoch.gaps_of(entry, first, last)
        if records + omitted != last - first + 1 - sum(end - begin + 1 for begin, end in gaps):
            raise ValueError(f"an epoch goes from {first} to {last} with {counted(records, 'record')} and {omitted} left out")
        if (size is None) != (checkpoint is None):
            raise ValueError("an epoch has no size or no checkpoint")
        if size is not None and integer(size, 64) > SEQUENCE_MAX:
            raise ValueError(f"a tree has {size} records")
        if entry.get("lost") and (size or 0) >= entry["lost"][0]["from"]:
            raise ValueError("a tree has a record in it that is lost")
        if checkpoint is not None:
            text(checkpoint)
        return dict(
            epoch=integer(entry["epoch"], 32), first=first, last=last, records=records, gaps=gaps, size=size or 0, checkpoint=checkpoint)


def shown(name):
    """A file's name as a terminal may have it."""
    return "".join(c if c.isprintable() else " " for c in name)


class Export:
    def __init__(self, directory, trust):
        self.directory, self.trust = directory, trust
        self.faults, self.records, self.sealed, self.lost = [], 0, 0, 0

    def found(self, status, sentence):
        self.faults.append(Fault(status, sentence))

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        """None where there is no such file."""
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def verify(self):
        raw = self.read("manifest.json")
        if raw is None:
            raise Fault(NO_MANIFEST, "The export has no manifest.json.")
        manifest = Manifest(raw)
        stated = self.stated_key(manifest)
        if manifest.journal != self.trust.journal:
            raise Fault(ANOTHER_JOURNAL, f"This is an export of the journal {manifest.journal}, not of {self.trust.journal}.")
        if stated.public != self.trust.public:
            self.found(UNKNOWN_KEY, f"The export states the key {manifest.key}, which is not the key that you trust.")
        self.check_seal(hashlib.sha256(raw).digest())
        self.lost = sum(epoch.lost_from(epoch.first) for epoch in manifest.epochs)
        roots = [self.root_of_checkpoint(epoch) for epoch in manifest.epochs]
        self.check_names(manifest)
        for name, size, lines, digest in manifest.files:
            if name != "events.jsonl":
                self.check_file(name, size, lines, digest)
        for name, size, lines, digest in manifest.files:
            if name == "events.jsonl" and os.path.exists(self.path(name)):
                EventsPass(self, manifest, roots).run()
            if name == "events.jsonl":
                self.check_file(name, size, lines, digest)

    @staticmethod
    def stated_key(manifest):
        try:
            key = Key.parse(manifest.key)
        except Fault:
            key = None
        if key is None or journal_of(key.name) != manifest.journal:
            raise Fault(MALFORMED, f"manifest.json states a key that is not the journal's: {manifest.key}.")
        return key

    def check_seal(self, digest):
        raw = self.read("manifest.sig")
        if raw is None:
            return self.found(UNKNOWN_KEY, "The export has no manifest.sig: nobody signed what it holds and leaves out.")
        try:
            error = Fault(BAD_SIGNATURE, "manifest.sig is no export's seal.")
            note = Note.parse(raw, BAD_SIGNATURE)
            lines = note.text.split("\n")
            if len(lines) != 3 or not lines[0].endswith("/export") or not journal_of(lines[0]):
                raise error
            stated = decode64(lines[1], error)
            if len(stated) != 32:
                raise error
            if journal_of(lines[0]) != self.trust.journal:
                raise Fault(ANOTHER_JOURNAL, f"The manifest is signed as {lines[0]}, not for the journal {self.trust.journal}.")
            note.check([Key(lines[0], self.trust.public)], "The manifest")
            if stated != digest:
                raise Fault(EDITED, "The manifest is not the one that was signed: its SHA-256 differs.")
        except Fault as fault:
            self.faults.append(fault)

    def root_of_checkpoint(self, epoch):
        root, signed = None, 0
        try:
            if epoch.checkpoint is not None:
                checkpoint = Checkpoint.parse(epoch.checkpoint.encode("utf-8", "replace"), BAD_SIGNATURE)
                root = checkpoint.root
                number = self.trust.check(checkpoint)
                if (number, checkpoint.size) != (epoch.epoch, epoch.size):
                    raise Fault(EDITED, f"The checkpoint of epoch {epoch.epoch} is that of {number}/{checkpoint.size}.")
                signed = checkpoint.size
        except Fault as fault:
            self.faults.append(fault)
        self.expect_countersigned(epoch, signed)
        return root

    def expect_countersigned(self, epoch, signed):
        """Whoever has the journal's key can make what lies in no tree that a countersigner has signed."""
        first = epoch.kept_from(max(signed + 1, epoch.first))
        if self.trust.countersigners and first <= epoch.last:
            signers = " and ".join(key.name for key in self.trust.countersigners)
            count = epoch.last - first + 1 - epoch.lost_from(first)
            self.found(
                NOT_COUNTERSIGNED, f"No checkpoint that {signers} signed covers {counted(count, 'record')}, from "
                f"{epoch.epoch}/{first} on: the journal's key alone vouches for them. Export up to the last countersigned checkpoint, "
                "which ptjournal stat tells: ptjournal export --to EPOCH/SIZE.")

    def check_names(self, manifest):
        named = {"manifest.json", "manifest.sig"} | {file[0] for file in manifest.files}
        for name in sorted(set(os.listdir(self.directory)) - named):
            self.found(UNNAMED, f"{shown(name)} is no part of the export: the manifest does not name it.")

    def check_file(self, name, size, lines, digest):
        if not os.path.exists(self.path(name)):
            return self.found(INCOMPLETE, f"{name}, which the manifest names, is missing.")
        found, count, sha = 0, 0, hashlib.sha256()
        with open(self.path(name), "rb") as file:
            while chunk := file.read(1 << 20):
                found, count = found + len(chunk), count + chunk.count(b"\n")
                sha.update(chunk)
        if name == "events.jsonl" and count < lines:
            self.found(INCOMPLETE, f"{name} has {count} whole lines; the manifest says {lines}.")
        if name != "events.jsonl" and found < size:
            self.found(INCOMPLETE, f"{name} ends after {found} bytes; the manifest says {size}.")
        if (found, sha.hexdigest()) != (size, digest):
            self.found(EDITED, f"{name} is not the file of the manifest: its length or SHA-256 differs.")


class EventsPass:
    """The lines of events.jsonl, each against its payload, all together against the trees of their epochs."""

    def __init__(self, export, manifest, roots):
        self.export, self.manifest = export, manifest
        self.epochs = list(zip(manifest.epochs, roots))
        has_omitted = any(file[0] == "omitted.bin" for file in manifest.files)
        self.omitted = memoryview(export.read("omitted.bin") or b"" if has_omitted else b"")
        self.begin_epoch()

    def run(self):
        with open(self.export.path("events.jsonl"), "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                self.export.records = number
                try:
                    self.check(line[:-1], number)
                except Fault as fault:
                    self.export.faults.append(fault)
        while self.epoch:
            self.end_epoch()
        if self.omitted:
            self.export.found(EDITED, "omitted.bin has more hashes than there are records left out.")

    def check(self, line, number):
        unreadable = Fault(EDITED, f"Line {number} is not an event of an export.")
        try:
            event = json.loads(line)
            epoch, sequence_text, time_text = integer(event["epoch"], 32), text(event["sequence"]), text(event["recordtime"])
            sequence, time = int(sequence_text), int(time_text)
            payload = base64.b64decode(text(event["payload"]), validate=True)
            canonical = canonical_bytes(epoch, sequence, time, payload)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise unreadable from None
        place = f"Record {epoch}/{sequence} (line {number})"
        leaf = leaf_hash(canonical)
        if event.get("leafhash") != leaf.hex():
            raise Fault(EDITED, f"{place} does not have the hash that it states.")
        if not self.shows(event, epoch, sequence, time, payload):
            self.export.found(EDITED, f"{place}: what it shows is not what its payload says.")
        if not self.is_wanted(payload):
            self.export.found(EDITED, f"{place} is not of the devices and types that the manifest names.")
        self.add(leaf, epoch, sequence, place)

    def shows(self, event, epoch, sequence, time, payload):
        expected = {
            "specversion": "1.0", "datacontenttype": "application/json", "id": f"{epoch}-{sequence}", "epoch": epoch,
            "source": f"urn:printtrail:journal:{self.manifest.journal}", "sequence": str(sequence), "recordtime": str(time),
            "payload": base64.b64encode(payload).decode(),
        }
        if any(event.get(name) != value for name, value in expected.items()) or type(event.get("data")) is not dict:
            return False
        header = Header.parse(payload)
        named = (event.get("type"), event.get("subject"), event.get("time"))
        # Whether a body can be read is not known here: docs/formats/export.md leaves `data` to the seal.
        readings = [("printtrail.Unreadable.v1", None, timestamp(time, 10**9))]
        if header:
            readings.append((f"printtrail.{header.name}.v1", header.device, timestamp(header.time, 1000)))
        return named in readings

    def is_wanted(self, payload):
        if self.manifest.is_whole:
            return True
        header = Header.parse(payload)
        return bool(header) and self.manifest.device in (None, header.device) and (
            self.manifest.types is None or header.name in self.manifest.types)

    # The tree of the epoch whose lines pass

    def begin_epoch(self):
        self.epoch, self.root = self.epochs.pop(0) if self.epochs else (None, None)
        self.tree, self.lines, self.covered, self.is_broken = Frontier(), 0, 0, False
        self.last = self.epoch.first - 1 if self.epoch else 0
        self.gaps = collections.deque(self.epoch.gaps if self.epoch else ())

    def add(self, leaf, epoch, sequence, place):
        while self.epoch and self.epoch.epoch < epoch:
            self.end_epoch()
        if not self.epoch or self.epoch.epoch != epoch:
            raise Fault(EDITED, f"{place} is of an epoch that has no place here.")
        self.lines += 1
        if not self.last < sequence <= self.epoch.last:
            self.is_broken = True
            raise Fault(EDITED, f"{place} is out of order, twice there, or outside of what the manifest names.")
        expected = self.last + 1
        while self.gaps and self.gaps[0][0] <= sequence:
            begin, end = self.gaps[0]
            if sequence <= end:
                self.is_broken = True
                raise Fault(EDITED, f"{place} is one that the manifest calls lost.")
            if begin == expected:
                expected = end + 1
            self.gaps.popleft()
        if self.manifest.is_whole and sequence != expected and not self.is_broken:
            self.is_broken = True
            self.export.found(EDITED, f"{place} stands where record {epoch}/{expected} should.")
        self.last = sequence
        self.fill(sequence - 1)
        if not self.is_broken and sequence <= self.epoch.size:
            self.tree.append(leaf)
            self.covered += 1

    def fill(self, sequence):
        """Appends what was left out up to this sequence, as far as the checkpoint's tree goes."""
        if self.is_broken:
            return
        for height in list(subtree_heights(self.tree.size, min(sequence, self.epoch.size))):
            root, self.omitted = bytes(self.omitted[:32]), self.omitted[32:]
            if len(root) < 32:
                self.is_broken = True
                return self.export.found(INCOMPLETE, f"omitted.bin has no hashes for records of epoch {self.epoch.epoch}.")
            self.tree.append(root, height)

    def end_epoch(self):
        if self.lines != self.epoch.records:
            self.is_broken = True
            self.export.found(
                EDITED, f"Epoch {self.epoch.epoch} has {counted(self.lines, 'record')} here, the last of them {self.last}; the manifest says "
                f"{self.epoch.records}.")
        self.fill(self.epoch.size)
        if not self.is_broken and self.root is not None:
            if self.tree.root != self.root:
                self.export.found(
                    WRONG_PATH, f"The tree of epoch {self.epoch.epoch}, of {counted(self.epoch.size, 'record')}, does not have the root that was signed.")
            else:
                self.export.sealed += self.covered
        self.begin_epoch()


@dataclass
class Header:
    """The fixed part of an event (docs/formats/events.md)."""

    name: str
    time: int
    device: str | None

    @staticmethod
    def parse(payload):
        if len(payload) < 27 or payload[0] != 1:
            return None
        number = int.from_bytes(payload[1:3], "big")
        device = payload[11:27]
        return Header(
            EVENT_TYPES.get(number, f"Type{number}"), int.from_bytes(payload[3:11], "big", signed=True),
            device.hex() if any(device) else None)


def timestamp(count, per_second):
    """RFC 3339 in UTC with as many decimals as the unit has; None where a calendar of four-digit years ends."""
    seconds, rest = divmod(count, per_second)
    try:
        day = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return None
    return f"{day:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{rest:0{len(str(per_second)) - 1}d}Z"


# The command line


def verify_path(path, trust, is_proof):
    """Returns the status and the sentences."""
    try:
        if is_proof:
            with open(path, "rb") as file:
                return 0, ["Sound: " + verify_proof(file.read(), trust)]
        export = Export(path, trust)
        export.verify()
    except Fault as fault:
        return fault.status, [f"NOT SOUND: {fault}"]
    except FileNotFoundError:
        return NO_INPUT, [f"There is no {path}."]
    except PermissionError:
        return PERMISSION, [f"No permission to read {path}."]
    except OSError as error:
        return INPUT_OUTPUT, [f"Could not read {path}: {error}."]
    if not export.faults:
        clauses = [f"{counted(export.records, 'record')} of journal {trust.journal}, {export.sealed} sealed by a checkpoint"]
        if export.lost:
            clauses.append(f"{counted(export.lost, 'record')} lost by earlier damage")
        if export.records > export.sealed:
            clauses.append(f"{counted(export.records - export.sealed, 'record')} with the export's seal alone as proof")
        if os.path.exists(export.path("readings.csv")):
            clauses.append("readings.csv has the seal alone as its proof")
        return 0, [f"Sound: {'; '.join(clauses)}."]
    sentences = [f"wrong: {fault}" for fault in export.faults[:FINDINGS_MAX]]
    return min(fault.status for fault in export.faults), sentences + [f"NOT SOUND: {counted(len(export.faults), 'finding')}."]


def verify_batch(directory, trust):
    worst = 0
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        status, sentences = verify_path(path, trust, not os.path.isdir(path))
        print(status, name, " ".join(sentences[0].split()), sep="\t")
        worst = min(filter(None, (worst, status)), default=0)
    return worst


class Arguments(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main():
    arguments = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = arguments.add_mutually_exclusive_group(required=True)
    what.add_argument("export", nargs="?", help="an export's directory")
    what.add_argument("--proof", metavar="FILE", help="a proof")
    what.add_argument("--batch", metavar="DIR", help="a directory of exports and proofs")
    arguments.add_argument("--key", action="append", required=True, help="a verifier key to trust; may be given again")
    given = arguments.parse_args()
    try:
        trust = Trust([Key.parse(key) for key in given.key])
    except Fault as fault:
        arguments.error(str(fault))
    if given.batch:
        return verify_batch(given.batch, trust)
    if given.export and not os.path.isdir(given.export):
        print(f"There is no directory {given.export}.")
        return NO_INPUT
    status, sentences = verify_path(given.proof or given.export, trust, given.proof is not None)
    print("\n".join(sentences))
    return status


if __name__ == "__main__":
    sys.exit(main())
