"""kms_live: records calls of kms_calls as they go over the loopback, by tcpdump, for captures/: a capture, what is true of it, and
its keys as an export for `decrypt --keys`. In a network of its own, where the people have the addresses of the other captures:

    unshare -n python3 tests/support/kms_live.py FOLDER       OTWAY and SEALER say which programs
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

import pcapfile
import rtp
from kms import Network
from kms_calls import DIVERSIONS, GCM, People, make

NET, DOMAIN = "10.77.0.", "ims.example"
# name: kind, shape, suite, what it shows
CALLS = {
    "k01_ticket": ("ticket", "plain", None, "MIKEY-TICKET, mode 1: the caller requested the ticket of the KMS"),
    "k02_own_ticket_update": ("own-ticket", "rekeyed", None, "MIKEY-TICKET, mode 3: a ticket of the caller's own making; re-keyed by "
                              "an update of the CSB, without a ticket"),
    "k03_ticket_cfnr": ("ticket", "CFNR", None, "MIKEY-TICKET; Bob does not answer, Carol's phone has the ticket resolved: cause 408"),
    "k04_ticket_gcm256": ("ticket", "plain", GCM, "MIKEY-TICKET with AEAD_AES_256_GCM, PRF and MAC by SHA-256"),
    "k05_otway_rees": ("rees", "plain", None, "key management after Otway and Rees"),
    "k06_otway_rees_cfb": ("rees", "CFB", None, "Otway and Rees; Bob is busy, Carol answers: cause 486"),
}


def headers(message):
    return [line.partition(": ")[::2] for line in message.decode().split("\r\n\r\n")[0].split("\r\n")[1:]]


def dialogs(datagrams):
    """What the signalling is, by Call-ID."""
    found = {}
    for d in datagrams:
        if b"SIP/2.0" not in d.payload[:200]:
            continue
        fields, start = headers(d.payload), d.payload.split(b"\r\n")[0].decode()
        call_id = next(v for n, v in fields if n == "Call-ID")
        c = found.setdefault(call_id, {"call_id": call_id, "transports": ["udp"], "methods": {}, "statuses": {}, "messages": 0,
                                       **{k: [] for k in ("r_uris", "froms", "tos", "pai", "diversion", "history_info", "contacts",
                                                          "crypto")}})
        c["messages"] += 1
        cseq = next(v for n, v in fields if n == "CSeq").split()[1]
        kind, word = ("statuses", "%s %s" % (start.split()[1], cseq)) if start.startswith("SIP/") else ("methods", start.split()[0])
        c[kind][word] = c[kind].get(word, 0) + 1
        if kind == "methods":
            c["r_uris"].append(" ".join(start.split()[:2]))
        for name, key in (("From", "froms"), ("To", "tos"), ("P-Asserted-Identity", "pai"), ("Diversion", "diversion"),
                          ("History-Info", "history_info")):
            for value in (re.sub(r";tag=.*", "", v) for n, v in fields if n == name):
                if value not in c[key] and not (key == "pai" and kind == "statuses"):
                    c[key].append(value)
    return list(found.values())


def stream(voice, seen, spans):
    """A stream as its sender knows it; seen: its packets in the capture; spans: (key, MKI, packets) in their order."""
    known = voice.expected()
    frames = [at for at, _ in seen]
    return {
        "src": voice.src, "dst": voice.dst, "ssrc": "0x%08x" % voice.ssrc, "media": "audio", "profile": "RTP/SAVP",
        "packets": len(seen), "distinct_packets": known["packets"], "lost": known["lost"], "first_seq": seen[0][1].seq,
        "roc_max": 0, "pts": {"0": len(seen)}, "duration": round((frames[-1] - frames[0]) / 10**9, 3),
        "keys": [{"suite": key.suite, "inline": key.inline, "mki": mki, "packets": packets, "from": {"given": "by the KMS"}}
                 for key, mki, packets in spans],
        "encrypted": True, "undecrypted_packets": 0, "decrypted_packets": known["decrypted"],
        "payload_sha256": known["payload_sha256"], "rtp_sha256": known["rtp_sha256"]}


def record(folder, name, network):
    kind, shape, suite, note = CALLS[name]
    path = os.path.join(folder, name + ".pcap")
    tap = subprocess.Popen(["tcpdump", "-i", "lo", "-n", "-w", path, "--time-stamp-precision=nano", "--immediate-mode", "udp"],
                           stderr=subprocess.PIPE, text=True)
    tap.stderr.readline()  # it listens
    time.sleep(0.5)
    call = make(kind, shape, network, People(DOMAIN, call_id=name + "@" + DOMAIN, **({"suite": suite} if suite else {})), NET)
    time.sleep(0.5)
    tap.terminate()
    tap.wait()
    call.s.close()
    datagrams = list(pcapfile.datagrams(pcapfile.read(path)))
    seen = rtp.streams(datagrams)
    if len(datagrams) != len(call.s.frames) or sorted(seen) != sorted(v.id for v in call.s.voices):
        raise SystemExit("%s: not all of it was captured" % name)
    streams = [stream(v, seen[v.id], v.spans()) for v in call.s.voices]
    meta = {"scenario": kind + " " + shape, "set": "kms", "domain": DOMAIN, "expected": {}, "note": note, "caller": call.p.alice,
            "callee": call.p.bob, "keys_file": name + ".keys", "kms": network.identity}
    if shape in DIVERSIONS:
        meta.update(cdiv=shape.lower(), served_user=call.p.bob, diverted_to=call.p.carol, target=call.p.bob)
    facts = {"file": name + ".pcap", "frames": len(datagrams), "sip_messages": len(call.s.messages), "icmp_packets": 0,
             "calls": dialogs(datagrams), "streams": streams, "rtcp_packets": {}, "dtls_packets": {}, "stun_packets": 0,
             "dtls_fingerprints": [], "sdes_keys": []}
    export = [{"suite": k["suite"], "inline": k["inline"], "call_id": call.p.call_id, **({"mki": k["mki"]} if k["mki"] else {})}
              for s in streams for k in s["keys"]]
    for ending, content in ((".json", {"meta": meta, "facts": facts}), (".keys", export)):
        with open(os.path.join(folder, name + ending), "w", encoding="utf-8") as f:
            json.dump(content, f, indent=1)
            f.write("\n")


def main(folder):
    for command in ("ip link set lo up", *("ip addr add %s%d/32 dev lo" % (NET, n) for n in (1, 11, 12, 13))):
        subprocess.run(command.split(), check=True)
    with tempfile.TemporaryDirectory() as where:
        network = Network(where, DOMAIN)
        for person in ("alice", "bob", "carol"):
            network.user("sip:%s@%s" % (person, DOMAIN), ["sip:carol@" + DOMAIN] if person == "bob" else ())
        network.start()
        try:
            for name in CALLS:
                record(folder, name, network)
        finally:
            network.stop()


if __name__ == "__main__":
    main(sys.argv[1])
