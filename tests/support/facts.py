"""facts: what is true of a capture in captures/, as a table of what otway must say about it for each role of a target."""

import json
import os
import re

import pcapfile
import rtp
from program import CAPTURES

# The proxy that made the diverted calls used these.
SERVICES = {"cfu": "CFU", "cfb": "CFB", "cfnr": "CFNR", "cfnl": "CFNL", "cd": "CD", "cfnrc": "CFNRc"}
# Who lives where on the test bed; the relay (10.77.0.6) passes on what they say.
PEOPLE = {"10.77.0.11": "alice", "10.77.0.12": "bob", "10.77.0.13": "carol", "10.77.0.14": "dan",
          "[fd77::b]": "alice", "[fd77::c]": "bob"}


def names():
    return sorted(n[:-5] for n in os.listdir(CAPTURES) if n.endswith(".json"))


def addr_spec(text):
    """The URI within a name-addr, its parameters off when it stands in angle brackets."""
    inside = re.search(r"<([^>]*)>", text)
    return inside.group(1) if inside else text.split(";")[0].strip()


class Role:
    """A target of a warrant, and how the call must be seen from it."""

    def __init__(self, name, target, person, header, side, trust=False):
        self.name, self.target, self.person = name, target, person
        self.header, self.side, self.trust = header, side, trust


class Facts:
    def __init__(self, name):
        with open(os.path.join(CAPTURES, name + ".json"), encoding="utf-8") as f:
            both = json.load(f)
        self.name, self.meta, self.facts = name, both["meta"], both["facts"]
        self.path = os.path.join(CAPTURES, self.facts["file"])
        self._packets = self._datagrams = None

    @property
    def packets(self):
        if self._packets is None:
            self._packets = pcapfile.read(self.path)
        return self._packets

    @property
    def datagrams(self):
        if self._datagrams is None:
            self._datagrams = list(pcapfile.datagrams(self.packets))
        return self._datagrams

    def calls(self):
        return [c for c in self.facts["calls"] if "INVITE" in c["methods"]]

    def call(self, person):
        """The dialogs that make the call a person has part in (s10 has two calls)."""
        mine = [c for c in self.calls() if any(person in t for t in c["tos"] + c["froms"] + c["pai"] + c["history_info"])]
        return mine or self.calls()

    def sip(self, call_ids):
        """The messages of these dialogs as captured, copies of a mirror included; None of those that came over TCP."""
        if any("tcp" in c["transports"] for c in self.facts["calls"]):
            return None
        wanted = {i.encode() for i in call_ids}
        return [d for d in self.datagrams if call_id(d.payload) in wanted]

    def streams(self, person=None):
        """The streams of the call a person has part in."""
        if person is None or "calls" not in self.meta:
            return self.facts["streams"]
        hosts = {h for h, p in PEOPLE.items() if any(p in c and person in c for c in self.meta["calls"])}
        return [s for s in self.facts["streams"] if host(s["src"]) in hosts]

    def origin(self, stream):
        """Who speaks in a stream: its source, or behind a relay the one who sends the same SSRC."""
        if host(stream["src"]) in PEOPLE:
            return PEOPLE[host(stream["src"])]
        for other in self.facts["streams"]:
            if other["ssrc"] == stream["ssrc"] and host(other["src"]) in PEOPLE:
                return PEOPLE[host(other["src"])]
        return None

    def expected(self, stream, keys_given=False):
        """What case.json must say of a stream."""
        keys = stream.get("keys", [])
        signalled = self.keys_given() is None
        opened = bool(keys) and (signalled or keys_given)
        known = {
            "state": "clear" if not stream["encrypted"] else "decrypted" if opened else "sealed",
            "packets": stream["distinct_packets"],
            "duplicates": stream["packets"] - stream["distinct_packets"],
            "lost": stream["lost"],
            "media": stream["media"],
            "reason": None,
        }
        if known["state"] == "sealed":
            known.update(decrypted=0, payload_sha256=None, rtp_sha256=None, reason=self.reason(stream))
        else:
            known.update(payload_sha256=stream["payload_sha256"], profile=stream["profile"])
        if known["state"] == "decrypted":
            known.update(decrypted=stream["decrypted_packets"], failed=0, rekeys=len(keys) - 1, suite=keys[-1]["suite"],
                         roc_first=0, rtp_sha256=stream["rtp_sha256"], key_source="sdes" if signalled else "file")
        elif known["state"] == "clear":
            mine = rtp.streams(self.datagrams)[(stream["src"], stream["dst"], stream["ssrc"])]
            known.update(decrypted=0, rekeys=0, suite=None, key_source="none", rtp_sha256=rtp.rtp_sha256(mine))
        return known

    def reason(self, stream):
        if stream["profile"].startswith("UDP/TLS"):
            return "dtls-srtp"
        return "auth-failed" if self.meta.get("expect_not_decryptable_dir") else "no-key"

    def keys_given(self):
        """The content of a --keys file, or None."""
        if "keys_file" in self.meta:
            with open(os.path.join(CAPTURES, self.meta["keys_file"]), encoding="utf-8") as f:
                return json.load(f)
        given = self.meta.get("keys_given")
        if given is None:
            return None
        return [{"suite": given["suite"], "inline": given[who]} for who in ("caller", "callee")]

    def inline_keys(self):
        """Every key that opened a stream."""
        return sorted({k["inline"] for s in self.facts["streams"] for k in s.get("keys", [])})

    def secrets(self):
        """What no log may show: identities, addresses, Call-IDs, keys."""
        found = {c["call_id"] for c in self.facts["calls"] if c["call_id"]}
        for c in self.facts["calls"]:
            for text in c["tos"] + c["froms"] + c["pai"] + c["diversion"] + c["history_info"] + c["contacts"]:
                found.update(addr_spec(t) for t in text.split(",") if addr_spec(t).startswith(("sip", "tel")))
        found.update(re.sub(r"^(sips?|tel):", "", f) for f in list(found))
        found.update(k["inline"] for k in self.facts["sdes_keys"])
        found.update(self.inline_keys())
        found.update(a for s in self.facts["streams"] for a in (s["src"], s["dst"], host(s["src"]), host(s["dst"]), s["ssrc"]))
        found.update(PEOPLE)
        return sorted(f for f in found if len(f) > 3)

    def events(self, role):
        """How many messages of REGISTER dialogs name the target, request and response each, copies of a mirror once."""
        dialogs = [c for c in self.facts["calls"] if set(c["methods"]) == {"REGISTER"} and
                   any(role.target.split(";")[0] == addr_spec(t).split(";")[0] for t in c["tos"])]
        return sum(c["messages"] for c in dialogs) // (2 if "any" in self.name else 1)

    def roles(self):
        """Every party of the call that a warrant can be for."""
        out = []
        for person in ("bob", "carol") if "calls" in self.meta else ("bob",):
            for c in self.call(person)[:1]:
                to = self.meta.get("target") if person != "carol" else None
                to = to if to and "alice" not in to else addr_spec(c["tos"][0] or c["tos"][-1])
                out.append(Role("called" if person == "bob" else "called2", to, person, None, "to-target"))
        for person in ("alice", "dan") if "calls" in self.meta else ("alice",):
            asserted = [p for c in self.call(person) for p in c["pai"]]
            if asserted:
                out.append(Role("caller" if person == "alice" else "caller2", addr_spec(asserted[0]), person,
                                "P-Asserted-Identity", "from-target"))
                if "caller_tel" in self.meta and "variant" not in self.meta:
                    out.append(Role("caller_tel", self.meta["caller_tel"], person, "P-Asserted-Identity", "from-target"))
            else:
                c = self.call(person)[0]
                texts = [f for f in c["froms"] if addr_spec(f).startswith(("sip:", "tel:")) and "@" in f or "tel:" in f]
                if texts and "variant" not in self.meta:
                    out.append(Role("caller", addr_spec(texts[0]), person, "From", "from-target", trust=True))
        if "cdiv" in self.meta:
            out[0] = Role("diverting", self.meta["served_user"], "carol", None, "diverting")
            out.append(Role("diverted_to", self.meta["diverted_to"], "carol", "History-Info", "to-target"))
        return out


def host(address):
    return address.rsplit(":", 1)[0]


def call_id(message):
    """The Call-ID of a SIP message, or None."""
    if b"SIP/2.0" not in message[:1000]:
        return None
    for line in message.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"call-id", b"i"):
            return value.strip()
    return None
