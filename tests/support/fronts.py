#!/usr/bin/env python3
"""fronts: runs test_fronts with every capture there is, and with some of them wrapped in every way a mirror port may wrap them."""

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
    for name in WRAPPED:
        packets = list(pcapfile.read(os.path.join(captures, name + ".pcap")))
        for kind in encap.kinds():
            path = os.path.join(out, name + "__" + kind + ".pcap")
            pcapfile.write(path, encap.wrap(packets, kind), link=encap.LINKS.get(kind, (1,))[0])
            yield path


def main(captures, program):
    with tempfile.TemporaryDirectory() as out:
        plain = sorted(glob.glob(os.path.join(captures, "*.pcap")))
        return subprocess.run([program, *plain, *wrap(captures, out)]).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
