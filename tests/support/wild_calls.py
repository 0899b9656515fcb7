"""wild_calls: made calls whose media is not where, or not when, its description says. As in calls.py, a function makes a Scene and
returns it with what must be said of it."""

from calls import A, AM, AVP, B, BM, C, CM, PROXY, SAVP, at, both
from scene import Dialog, Key, Scene, sdp

WILD = {}
PRIVATE, PUBLIC = "192.168.7.7:50000", "198.51.100.7:61002"
DAN, DM = "10.1.0.14:5060", "10.1.0.14:50000"


def wild(function):
    WILD[function.__name__] = function
    return function


@wild
def plain_media_from_behind_a_translator():
    """The same as media_from_behind_a_translator with RTP in clear: what flows both ways and is framed as agreed is believed (S60)."""
    s = Scene()
    d = Dialog(s, A, B)
    d.simple(at(AM, profile=AVP), at(PRIVATE, profile=AVP))
    s.talk(s.voice(AM, PUBLIC), s.voice(PUBLIC, AM), count=100)
    d.bye()
    return s, {"toward": {}, "learned": [PUBLIC]}


@wild
def sealed_media_of_a_stranger_behind_a_translator():
    """The caller's port also sends to an address nobody announced what no key of the call opens: it is not taken (S60)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(PRIVATE, kb.line()))
    voices = s.voice(AM, PUBLIC, ka), s.voice(PUBLIC, AM, kb)
    stranger = s.voice(AM, "203.0.113.9:7000", Key("of somebody else"))
    s.talk(*voices, stranger, count=60)
    s.voices = list(voices)
    d.bye()
    return s, {"learned": [PUBLIC], "absent": [bytes([203, 0, 113, 9]), b"203.0.113.9"]}


@wild
def media_at_candidates():
    """ICE: media flows between candidates (RFC 8839 5.1), none of which is the address of c= and m=."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    own_a, own_b = "10.1.0.11:40100", "10.1.0.12:50100"
    line = "a=candidate:1 1 UDP 2130706431 %s %d typ host"
    relay = "a=candidate:2 1 UDP 16777215 %s %d typ relay raddr %s rport %d"
    d = Dialog(s, A, B)
    d.simple(at("192.0.2.30:3478", ka.line(), line % ("10.1.0.11", 40100), relay % ("192.0.2.30", 3478, "10.1.0.11", 40100)),
             at("192.0.2.30:3480", kb.line(), line % ("10.1.0.12", 50100), relay % ("192.0.2.30", 3480, "10.1.0.12", 50100)))
    s.talk(s.voice(own_a, own_b, ka), s.voice(own_b, own_a, kb))
    d.bye()
    return s, {}


@wild
def two_lines_in_one_bundle():
    """Two m= sections share one port (RFC 8843): the streams of both are told apart by SSRC and opened."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    group = ["a=group:BUNDLE one two"]
    d = Dialog(s, A, B)
    d.simple(sdp("10.1.0.11", (40000, SAVP, "a=mid:one", ka.line()), ("video", 40000, SAVP, "a=mid:two", ka.line()), session=group),
             sdp("10.1.0.12", (50000, SAVP, "a=mid:one", kb.line()), ("video", 50000, SAVP, "a=mid:two", kb.line()), session=group))
    s.talk(*both(s, ka, kb), *both(s, ka, kb))
    d.bye()
    return s, {"toward": {}}


@wild
def a_bundle_whose_second_line_has_no_key_and_no_port():
    """a=bundle-only: the second line has port 0 in the offer, its streams come to the port and under the key of the first."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    group = ["a=group:BUNDLE one two"]
    d = Dialog(s, A, B)
    d.simple(sdp("10.1.0.11", (40000, SAVP, "a=mid:one", ka.line()), ("video", 0, SAVP, "a=mid:two", "a=bundle-only"), session=group),
             sdp("10.1.0.12", (50000, SAVP, "a=mid:one", kb.line()), ("video", 50000, SAVP, "a=mid:two"), session=group))
    s.talk(*both(s, ka, kb), *both(s, ka, kb))
    d.bye()
    return s, {"toward": {}}


@wild
def reports_at_an_address_of_their_own():
    """a=rtcp: names another host than c= does (RFC 3605 2.1)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(), "a=rtcp:41000 IN IP4 10.1.0.31"), at(BM, kb.line(), "a=rtcp:51000 IN IP4 10.1.0.32"))
    va, vb = both(s, ka, kb)
    for _ in range(3):
        s.talk(va, vb, count=10)
        va.control_at("10.1.0.31:41000", "10.1.0.32:51000")
        vb.control_at("10.1.0.32:51000", "10.1.0.31:41000")
    d.bye()
    return s, {}


@wild
def media_before_any_signalling():
    """The tap of the media is ahead of the tap of the signalling: 80 ms of both voices come before the INVITE; none is lost (S62)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=4)
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()))
    d.reply(200, at(BM, kb.line()))
    d.ack()
    s.talk(va, vb)
    d.bye()
    return s, {}


@wild
def announced_in_180():
    """The answer stands in 180, and 200 has no SDP (S53)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()))
    d.reply(180, at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(vb, count=10)
    d.reply(200)
    d.ack()
    s.talk(va, vb)
    d.bye()
    return s, {}


def reused(name, doc, wait, profile, sealed):
    """The ports of our call are those of a call between others, soon after."""
    def case():
        s = Scene()
        k = {n: Key(n) if sealed else None for n in "abcd"}
        lines = {n: [k[n].line()] if sealed else [] for n in k}
        ours = Dialog(s, A, B)
        ours.simple(at(AM, *lines["a"], profile=profile), at(BM, *lines["b"], profile=profile))
        voices = both(s, k["a"], k["b"])
        s.talk(*voices, count=60)
        ours.bye()
        mine = list(s.messages)
        s.wait(wait)
        theirs = Dialog(s, C, DAN, caller="sip:carol@ims.example", callee="sip:dan@ims.example", call_id="other@c.example")
        theirs.simple(at(AM, *lines["c"], profile=profile), at(BM, *lines["d"], profile=profile))
        s.talk(*both(s, k["c"], k["d"]), count=60)
        theirs.bye()
        s.voices = list(voices)
        return s, {"messages": mine, "call_ids": {"call-1@a.example"}, "absent": [b"carol", b"dan@", b"other@c.example"]}
    case.__doc__ = doc
    WILD[name] = case


reused("ports_used_again_by_a_call_of_others", "Nothing of the call after ours is taken, sealed or not.", 1000, SAVP, True)
reused("ports_used_again_by_a_plain_call_of_others", "The same in clear: nothing but time tells whose it is.", 1000, AVP, False)
reused("ports_used_again_at_once", "The next call begins 50 ms after our BYE; its packets flow 260 ms later.", 50, SAVP, True)


@wild
def both_parties_behind_one_address():
    """Caller and callee have the same IP address, and differ by port alone."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    a, b = "10.1.0.12:40000", "10.1.0.12:50000"
    d = Dialog(s, "10.1.0.12:5060", "10.1.0.12:5070")
    d.simple(at(a, ka.line()), at(b, kb.line()))
    s.talk(s.voice(a, b, ka), s.voice(b, a, kb))
    d.bye()
    return s, {"from_target": [b], "toward": {}}


@wild
def both_sides_of_a_proxy_on_one_tap():
    """A proxy with a media relay: the same Call-ID and the same RTP, sequence numbers and SSRCs, on both sides of it."""
    s = Scene()
    outer, inner = Dialog(s, A, PROXY), Dialog(s, PROXY, B)
    relay_a, relay_b = "10.1.0.2:30000", "10.1.0.2:30002"
    outer.invite(at(AM, profile=AVP))
    inner.invite(at(relay_b, profile=AVP))
    inner.reply(180)
    outer.reply(180)
    inner.reply(200, at(BM, profile=AVP))
    outer.reply(200, at(relay_a, profile=AVP))
    outer.ack()
    inner.ack()
    va, vb = s.voice(AM, relay_a, ssrc=0x11111111), s.voice(BM, relay_b, ssrc=0x22222222)
    ra, rb = s.voice(relay_b, BM, ssrc=0x11111111), s.voice(relay_a, AM, ssrc=0x22222222)
    ra.seed, rb.seed = va.seed, vb.seed
    s.talk(va, ra, vb, rb, count=60)
    outer.bye()
    inner.bye()
    return s, {"from_target": [BM, relay_a], "toward": {}}


@wild
def a_forwarded_leg_that_nothing_joins():
    """Bob's leg rings out, and a leg to Carol begins that has another Call-ID, another o= line, no Diversion, History-Info or
    Session-ID (S39): nothing shows that it is the same call, so nothing of it is taken."""
    s = Scene()
    ka, kc = Key("a"), Key("c")
    first = Dialog(s, A, PROXY)
    first.invite(at(AM, ka.line()))
    first.reply(180)
    s.wait(20000)
    mine = list(s.messages)
    other = Dialog(s, PROXY, C, caller="sip:anonymous@anonymous.invalid", callee="sip:carol@ims.example", call_id="other@p.example")
    other.simple(sdp("10.1.0.2", (30000, SAVP, Key("p").line()), origin="o=p 7 7 IN IP4 10.1.0.2"), at(CM, kc.line()))
    s.talk(s.voice("10.1.0.2:30000", CM, Key("p")), s.voice(CM, "10.1.0.2:30000", kc))
    other.bye()
    s.voices = []
    first.reply(480)
    first.ack()
    mine += s.messages[-2:]
    return s, {"messages": mine, "opened": [], "outcome": "unanswered", "absent": [b"carol", b"other@p.example"]}
