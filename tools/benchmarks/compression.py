"""What delivery's batches come to with gzip, by records a message and level, beside the same records as JSON lines."""

import os
import subprocess
import time
import zlib

from common import say, summary

# Batches of one size that are measured at most.
BATCHES = 400


def batches(bin, journal, records, skip):
    """The messages that delivery would send, as bytes."""
    output = subprocess.run([f"{bin}/ptbench", "batches", "--directory", journal, "--records", str(records), "--batches", str(BATCHES),
                             "--skip", str(skip)], check=True, capture_output=True).stdout
    found, place = [], 0
    while place < len(output):
        size = int.from_bytes(output[place:place + 4], "big")
        found.append(output[place + 4:place + 4 + size])
        place += 4 + size
    return found


def packed(messages, level):
    """Bytes and seconds of processor that gzip takes for them (RFC 1952, as gRPC has it)."""
    start, size = time.process_time(), 0
    for message in messages:
        pack = zlib.compressobj(level, zlib.DEFLATED, 31)
        size += len(pack.compress(message)) + len(pack.flush())
    return size, time.process_time() - start


def compression(bin, work):
    journal = os.path.join(work, "journal")
    subprocess.run([f"{bin}/ptbench", "offline", "--directory", journal, "--devices", "100", "--days", "20", "--mebibytes", "512"],
                   check=True, capture_output=True)
    # The first readings of each device are whole ones; what follows is what an agent sends day by day.
    skip = 2_000
    for records in (1, 5, 10, 50, 500):
        messages = batches(bin, journal, records, skip)
        count = records * len(messages)
        plain = sum(len(message) for message in messages)
        line = {"benchmark": "delivery.compression", "records": records, "plain": round(plain / count, 1)}
        for level in (1, 6, 9):
            size, seconds = packed(messages, level)
            line |= {f"level{level}": round(size / count, 1), f"microseconds{level}": round(seconds / count * 1e6, 2)}
        whole = [zlib.compress(message, 1) for message in messages]
        start = time.process_time()
        for message in whole:
            zlib.decompress(message)
        line["inflating"] = round((time.process_time() - start) / count * 1e6, 2)
        say(**line)
        summary(f"{records} a message: {line['plain']} bytes a record, level 1 {line['level1']} ({line['level1'] / line['plain']:.0%}) at "
                f"{line['microseconds1']} µs, level 6 {line['level6']} at {line['microseconds6']}, level 9 {line['level9']} at "
                f"{line['microseconds9']}; inflating {line['inflating']}")
    export = subprocess.run([f"{bin}/ptjournal", "export", journal], check=True, capture_output=True).stdout
    lines = export.splitlines(keepends=True)[skip:skip + 200_000]
    size, seconds = packed([b"".join(lines[i:i + 500]) for i in range(0, len(lines), 500)], 1)
    say(benchmark="delivery.json", plain=round(sum(map(len, lines)) / len(lines), 1), level1=round(size / len(lines), 1))
    summary(f"the same as JSON lines: {sum(map(len, lines)) / len(lines):.0f} bytes a record, 500 together with level 1 {size / len(lines):.0f}")
