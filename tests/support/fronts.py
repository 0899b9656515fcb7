#!/usr/bin/env python3
"""fronts: runs test_fronts with every capture there is, and with one of two wrapped in each way a mirror port may wrap it."""

import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import encap
import pcapfile

WRAPPED = ["s12_proxied_tcp", "s17_fragmented"]


def wrap(captures, out):
    packets = {name: list(pcapfile.read(os.path.join(captures, name + ".pcap"))) for name in WRAPPED}
    for i, kind in enumerate(encap.kinds()):
        name = WRAPPED[i % len(WRAPPED)]
        path = os.path.join(out, name + "__" + kind + ".pcap")
        pcapfile.write(path, encap.wrap(packets[name], kind), link=encap.LINKS.get(kind, (1,))[0])
        yield path


def main(captures, program):
    with tempfile.TemporaryDirectory() as out:
        plain = sorted(glob.glob(os.path.join(captures, "*.pcap")))
        return subprocess.run([program, *plain, *wrap(captures, out)]).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
