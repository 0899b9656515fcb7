"""bench: what a packet costs in `otway explain --quiet` and `otway decrypt`, as a multiple of what an empty pcap_dispatch loop
takes for the same file in the same round; and what `front` measures. Prints a table; judges nothing. CPU time (user and system),
medians of rounds."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time


def measure(command, **more):
    """(CPU seconds, peak KiB) of one run."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    error = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode not in (0, 5):
        sys.exit("%s: exit %d\n%s" % (" ".join(command), process.returncode, error.decode("utf-8", "replace")))
    return used.ru_utime + used.ru_stime, used.ru_maxrss, time.monotonic() - start


def prepare(otway, folder, name, targets):
    """A store with one warrant for so many subscribers; returns its name."""
    store = "sqlite:" + os.path.join(folder, name, "warrants.db")
    say = lambda *words: subprocess.run([otway, *words, "--store", store], check=True, stdout=subprocess.DEVNULL)
    say("agency", "add", "Bench")
    words = []
    for t in targets:
        words += ["--target", "tel:+4930%07d" % t]
    say("warrant", "add", "--liid", "B", "--agency", "Bench", *words, "--from", "2000-01-01T00:00:00Z", "--until",
        "2100-01-01T00:00:00Z", "--authority", "bench")
    return store


def main():
    p = argparse.ArgumentParser()
    for name in ("otway", "traffic", "loop", "front"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--calls", type=int, default=1000)
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="otway-bench-") as folder:
        rows = []
        few = max(a.calls // 10, 1)
        for title, calls, targets in (("0 %", a.calls, [9999999]), ("1 %", a.calls, range(0, a.calls, 100)), ("100 %", few, range(few))):
            path = os.path.join(folder, "%d.pcap" % calls)
            if not os.path.exists(path):
                subprocess.run([a.traffic, path, str(calls), str(a.seconds)], check=True, stdout=subprocess.DEVNULL)
            store = prepare(a.otway, folder, title.split()[0], targets)
            for verb in ("explain", "decrypt"):
                rows.append((title, verb, calls, path, store))
        found = {}
        for turn in range(a.rounds):
            for i, (title, verb, calls, path, store) in enumerate(rows):
                floor, _, _ = measure([a.loop, path])
                out = os.path.join(folder, "out-%d-%d" % (turn, i))
                command = [a.otway, verb, path, "--quiet", "--store", store] + (["--out", out] if verb == "decrypt" else [])
                cpu, peak, wall = measure(command)
                subprocess.run(["rm", "-rf", out])
                found.setdefault(i, []).append((cpu / floor, cpu, floor, peak, wall))
        print("%-8s %-16s %10s %10s %10s %10s %9s %9s" % ("targets", "command", "packets", "loop ns", "ns", "ratio", "wall s", "peak MiB"))
        for i, (title, verb, calls, path, store) in enumerate(rows):
            packets = calls * (a.seconds * 100 + 6)
            ratio, cpu, floor, peak, wall = (statistics.median(x) for x in zip(*found[i]))
            print("%-8s %-16s %10d %10.1f %10.1f %9.2fx %9.2f %9.1f" % (
                title, verb + " --quiet", packets, floor / packets * 1e9, cpu / packets * 1e9, ratio, wall, peak / 1024))
        path = os.path.join(folder, "many.pcap")
        subprocess.run([a.traffic, path, str(a.calls), "1"], check=True, stdout=subprocess.DEVNULL)
        sys.stdout.flush()
        subprocess.run([a.front, path], check=True)


if __name__ == "__main__":
    main()
