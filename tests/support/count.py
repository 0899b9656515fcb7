"""count: how many single tests runs of `meson test` had and how they ended, out of their testlog.json. Shows what failed.
A cmocka program and a unittest file count each of their tests; any other program counts as one."""

import json
import re
import sys

UNITTEST = re.compile(r"^Ran (\d+) tests? in", re.M)
CMOCKA = re.compile(r"^\[==========\] .*?(\d+) test\(s\) run", re.M)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] .*?(\d+) test\(s\)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] .*?(\d+) test\(s\)", re.M)


def count(entry):
    """(passed, failed, skipped) of one program."""
    text = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    well = entry["result"] in ("OK", "EXPECTEDFAIL")
    if entry["result"] == "SKIP":
        return 0, 0, 1
    if UNITTEST.search(text):
        ran = sum(int(n) for n in UNITTEST.findall(text))
        ends = dict(re.findall(r"(failures|errors|skipped|unexpected successes)=(\d+)", text[text.rindex("\nRan "):]))
        skipped = int(ends.get("skipped", 0))
        failed = sum(int(ends.get(k, 0)) for k in ("failures", "errors", "unexpected successes"))
    elif CMOCKA.search(text):
        ran = sum(int(n) for n in CMOCKA.findall(text))
        skipped = sum(int(n) for n in CMOCKA_SKIPPED.findall(text))
        failed = sum(int(n) for n in CMOCKA_FAILED.findall(text))
    else:
        ran, skipped, failed = 1, 0, 0 if well else 1
    if not well and failed == 0:
        failed, ran = 1, ran + 1  # a crash, a sanitizer's finding or a time-out behind the last test
    return max(ran - failed - skipped, 0), failed, skipped


def main(*paths):
    total, entries = [0, 0, 0], []
    try:
        for path in paths:
            with open(path, encoding="utf-8") as f:
                entries += [json.loads(line) for line in f if line.strip()]
    except OSError as e:
        print("no test ran: %s" % e)
        print("0 passed, 1 failed, 0 skipped")
        return 1
    for entry in entries:
        counts = count(entry)
        total = [a + b for a, b in zip(total, counts)]
        if counts[1]:
            for name in ("stdout", "stderr"):
                print((entry.get(name) or "")[-20000:])
        print("%-28s %4d passed %4d failed %4d skipped  %6.1f s" % (entry["name"], *counts, entry["duration"]))
    if not entries:
        total[1] = 1
        print("no test ran")
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
