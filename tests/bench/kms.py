"""kms: what keys of a KMS cost: an exchange in the KMS and in who asks it (`kms`), keys a second of one server with its disk
synced and not (`kms_load`), and waiting for keys (`kms_hold`). Prints tables; judges nothing."""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

KEYS = 96  # of a round with the disk synced
MANY = 1000  # and of one without


def say(title):
    print("\n== " + title, flush=True)


def serve(folder, load, keys, preload=None):
    """One `otway kms serve`, asked by kms_load."""
    from kms import Network  # knows OTWAY from the environment
    domain = "bench.example"
    network = Network(folder, domain)
    psks = [network.user("sip:%s@%s" % (name, domain)).hex() for name in ("alice", "bob")]
    before = os.environ.pop("LD_PRELOAD", None)
    if preload:
        os.environ["LD_PRELOAD"] = preload
    try:
        port = network.start()
    finally:
        os.environ.pop("LD_PRELOAD", None)
        if before:
            os.environ["LD_PRELOAD"] = before
    try:
        subprocess.run([load, str(port), str(network.process.pid), network.folder, domain, *psks, str(keys)], check=True)
    finally:
        network.close()


def commits(folder, journal, synchronous, rows):
    """Seconds for each of so many rows a transaction, in a file of the settings given: what a disk takes for a change."""
    path = os.path.join(folder, "commits.db")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = " + journal)
    db.execute("PRAGMA synchronous = " + synchronous)
    db.execute("CREATE TABLE change (number INTEGER PRIMARY KEY, octets BLOB)")
    start = time.monotonic()
    for _ in range(20):
        db.execute("BEGIN IMMEDIATE")
        for _ in range(rows):
            db.execute("INSERT INTO change (octets) VALUES (?)", (bytes(400),))
        db.execute("COMMIT")
    took = (time.monotonic() - start) / 20
    db.close()
    for name in os.listdir(folder):
        if name.startswith("commits.db"):
            os.unlink(os.path.join(folder, name))
    return took / rows


def disk(folder):
    ways = [("DELETE", "EXTRA", 1), ("DELETE", "EXTRA", 2), ("DELETE", "EXTRA", 32), ("WAL", "FULL", 1), ("WAL", "FULL", 32),
            ("DELETE", "OFF", 1)]
    rounds = [[commits(folder, *way) for way in ways] for _ in range(5)]
    print("%-10s %-12s %14s %12s %10s" % ("journal", "synchronous", "changes each", "ms a change", "ratio"))
    for i, way in enumerate(ways):
        print("%-10s %-12s %14d %12.3f %10.3f" % (*way, 1e3 * statistics.median(r[i] for r in rounds),
                                                  statistics.median(r[i] / r[0] for r in rounds)), flush=True)


def main():
    p = argparse.ArgumentParser()
    for name in ("otway", "kms", "load", "hold", "nosync", "certs"):
        p.add_argument("--" + name, required=True)
    a = p.parse_args()
    os.environ["OTWAY"] = os.path.abspath(a.otway)
    # Beside the build: a disk, not memory.
    with tempfile.TemporaryDirectory(prefix="otway-bench-", dir=os.path.dirname(os.path.abspath(a.kms))) as folder:
        with open(os.open(os.path.join(folder, "store.key"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(os.urandom(32).hex())
        say("an exchange")
        subprocess.run([a.kms, a.certs, folder], check=True)
        say("what the disk takes for a change (SQLite alone)")
        disk(folder)
        say("one kms serve, as it is: each change synced")
        serve(os.path.join(folder, "synced"), a.load, KEYS)
        say("the same without syncing, for comparison alone")
        serve(os.path.join(folder, "unsynced"), a.load, MANY, os.path.abspath(a.nosync))
        say("waiting")
        subprocess.run([a.hold], check=True)


if __name__ == "__main__":
    main()
