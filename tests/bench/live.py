"""live: what a packet of a mirror port costs its receiver, as a multiple of an empty loop of libpcap with the same ring, in turns; and
what is lost, at the highest rate that the sender reaches and at one below. Nobody's calls on a virtual cable in a network namespace:
their media alone (G.711 in SRTP, frames of 224 octets), and with the signalling of calls of a second, one frame in eighteen. Prints a
table; judges nothing. CPU time (user and system) of the receiver; medians of rounds."""

import argparse
import itertools
import os
import signal
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import pcapfile

FRAME = 224
WAYS = ("loop", "live", "front")


def in_namespace():
    """Starts this again in a network of its own; 77 (skipped) where that cannot be."""
    if subprocess.run(["unshare", "-n", "ip", "link", "add", "mirror", "type", "veth", "peer", "name", "wire"],
            stderr=subprocess.DEVNULL).returncode != 0:
        sys.exit(77)
    sys.exit(subprocess.run(["unshare", "-n", sys.executable, *sys.argv, "--inside"]).returncode)


def lay_cable():
    subprocess.run(["sysctl", "-qw", "net/ipv6/conf/default/disable_ipv6=1"], check=False)
    subprocess.run("ip link add mirror type veth peer name wire; ip link set mirror arp off multicast off up;"
                   "ip link set wire arp off multicast off up", shell=True, check=True)


def one_run(a, way, path, rate):
    """(ns a packet, packets a second, lost) of one run."""
    with subprocess.Popen([a.hear, way, "mirror", str(a.ring)], stdout=subprocess.PIPE, text=True) as hear:
        if hear.stdout.readline() != "ready\n":
            sys.exit("live_hear %s: no interface" % way)
        sent = subprocess.run([a.send, path, "wire", str(min(a.packets, rate * a.seconds) if rate else a.packets),
            *([str(rate)] if rate else [])], check=True, capture_output=True, text=True).stdout.split()
        subprocess.run(["sleep", "0.2"])
        hear.send_signal(signal.SIGTERM)
        packets, dropped, _, cpu = hear.stdout.read().split()
    if int(packets) + int(dropped) > int(sent[0]):
        sys.exit("more came than was sent")
    return float(cpu) / max(int(packets), 1) * 1e9, int(sent[0]) / float(sent[1]), int(sent[0]) - int(packets)


def main():
    p = argparse.ArgumentParser()
    for name in ("traffic", "send", "hear"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--packets", type=int, default=2000000)
    p.add_argument("--seconds", type=int, default=4)
    p.add_argument("--calls", type=int, default=1000)
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--ring", type=int, default=32)
    p.add_argument("--inside", action="store_true")
    a = p.parse_args()
    if not a.inside:
        in_namespace()
    lay_cable()
    print("%-8s %-6s %10s %10s %10s %10s %10s" % ("frames", "way", "a second", "loop ns", "ns", "ratio", "lost"))
    with tempfile.TemporaryDirectory(prefix="otway-bench-") as folder:
        calls, media = os.path.join(folder, "calls.pcap"), os.path.join(folder, "media.pcap")
        subprocess.run([a.traffic, calls, str(a.calls), "1"], check=True, stdout=subprocess.DEVNULL)
        pcapfile.write(media, (p for p in pcapfile.read(calls) if len(p.data) == FRAME))
        for path, rate in itertools.product((media, calls), (0, 100000)):
            found = {way: [] for way in WAYS}
            for _ in range(a.rounds):
                for way in WAYS:
                    found[way].append(one_run(a, way, path, rate))
            floor = [cost for cost, _, _ in found["loop"]]
            for way in WAYS:
                cost, speed, lost = zip(*found[way])
                print("%-8s %-6s %10.0f %10.1f %10.1f %9.2fx %10d" % (os.path.basename(path)[:-5], way, statistics.median(speed),
                    statistics.median(floor), statistics.median(cost), statistics.median(c / f for c, f in zip(cost, floor)), sum(lost)))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
