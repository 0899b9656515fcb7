"""calls: made calls, each a thing that the real captures do not show. A function makes a Scene and returns it with what must be
said of it (fields of Expected, and the warrant's); its first line says what is special."""

import base64

from scene import Dialog, Key, Scene, sdp

A, B, C, PROXY = "10.1.0.11:5060", "10.1.0.12:5060", "10.1.0.13:5060", "10.1.0.1:5060"
AM, BM, CM = "10.1.0.11:40000", "10.1.0.12:50000", "10.1.0.13:50000"
SAVP, AVP = "RTP/SAVP", "RTP/AVP"
MADE = {}


def made(function):
    MADE[function.__name__] = function
    return function


def ip(address):
    return address.rsplit(":", 1)[0].strip("[]")


def port(address):
    return int(address.rsplit(":", 1)[1])


def at(address, *lines, profile=SAVP, **more):
    """An SDP of one audio line that receives at an address."""
    return sdp(ip(address), (port(address), profile, *lines), **more)


def both(scene, key_a, key_b, **more):
    """The two voices of the usual call."""
    return scene.voice(AM, BM, key_a, **more), scene.voice(BM, AM, key_b, **more)


def usual(suite="AES_CM_128_HMAC_SHA1_80", more="", **voice):
    """The usual call with one suite, and parameters behind its key."""
    s = Scene()
    ka, kb = Key("a", suite), Key("b", suite)
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(1, more)), at(BM, kb.line(1, more)))
    s.talk(*both(s, ka, kb, **voice))
    d.bye()
    return s, {}


def suite_case(suite):
    def case():
        return usual(suite)
    case.__doc__ = "SDES with %s." % suite
    MADE["suite_" + suite.lower()] = case


for name in ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_192_CM_HMAC_SHA1_80", "AES_192_CM_HMAC_SHA1_32",
             "AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"):
    suite_case(name)


def null_case(suite):
    def case():
        s, more = usual(suite)
        for v in s.voices:
            v.state = "clear"
        return s, more
    case.__doc__ = "Authenticated but not encrypted: %s. Its content was never encrypted, the tag is taken off." % suite
    MADE["suite_" + suite.lower()] = case


null_case("NULL_HMAC_SHA1_80")
null_case("NULL_HMAC_SHA1_32")


@made
def other_spelling_of_aes_256():
    """The suite written as AES_CM_256_HMAC_SHA1_80 (scenario S73)."""
    s = Scene()
    ka, kb = Key("a", "AES_256_CM_HMAC_SHA1_80"), Key("b", "AES_256_CM_HMAC_SHA1_80")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(suite="AES_CM_256_HMAC_SHA1_80")), at(BM, kb.line(suite="AES_CM_256_HMAC_SHA1_80")))
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {}


@made
def base64_without_padding():
    """46 octets of AES-256 key material written without "==" (S70)."""
    s = Scene()
    ka, kb = Key("a", "AES_256_CM_HMAC_SHA1_80"), Key("b", "AES_256_CM_HMAC_SHA1_80")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(inline=ka.inline.rstrip("="))), at(BM, kb.line(inline=kb.inline.rstrip("="))))
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {}


@made
def lifetime_written_as_power():
    """|2^31 behind the key, no MKI (S71)."""
    return usual(more="|2^31")


@made
def lifetime_written_as_number():
    """|1048576 behind the key, no MKI (S71)."""
    return usual(more="|1048576")


@made
def session_parameters_that_change_nothing():
    """WSH and FEC_ORDER, and an unknown one with a leading minus, are lived with (RFC 4568 6.3)."""
    return usual(more="|2^31 WSH=128 FEC_ORDER=FEC_SRTP -SOMETHING=1")


@made
def srtcp_in_clear():
    """UNENCRYPTED_SRTCP: reports are authenticated only (E bit off, S87)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(1, " UNENCRYPTED_SRTCP")), at(BM, kb.line(1, " UNENCRYPTED_SRTCP")))
    voices = both(s, ka, kb, flags="c")
    for _ in range(4):
        s.talk(*voices, count=10)
        voices[0].control(50001)
        voices[1].control(40001)
    d.bye()
    return s, {}


@made
def srtp_in_clear():
    """UNENCRYPTED_SRTP: the content was never encrypted, a tag is behind it."""
    s, more = usual(more=" UNENCRYPTED_SRTP", flags="r")
    for v in s.voices:
        v.state = "clear"
    return s, more


@made
def srtcp_beside_the_media():
    """SRTCP on the next port, both ways."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    voices = both(s, ka, kb)
    for _ in range(4):
        s.talk(*voices, count=10)
        voices[0].control(50001)
        voices[1].control(40001)
    d.bye()
    return s, {}


@made
def srtcp_on_the_port_of_the_media():
    """a=rtcp-mux: SRTCP and SRTP share a port (RFC 5761)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(), "a=rtcp-mux"), at(BM, kb.line(), "a=rtcp-mux"))
    voices = both(s, ka, kb)
    for _ in range(4):
        s.talk(*voices, count=10)
        voices[0].control()
        voices[1].control()
    d.bye()
    return s, {}


@made
def srtcp_on_a_port_of_its_own():
    """a=rtcp: names the port of SRTCP (RFC 3605)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(), "a=rtcp:41000"), at(BM, kb.line(), "a=rtcp:51000"))
    voices = both(s, ka, kb)
    for _ in range(3):
        s.talk(*voices, count=10)
        voices[0].control(51000)
        voices[1].control(41000)
    d.bye()
    return s, {}


@made
def two_master_keys_told_apart_by_mki():
    """Two keys in one a=crypto line; halfway the sender goes on with the second (S71)."""
    s = Scene()
    ka, ka2, kb = Key("a"), Key("a2"), Key("b")
    d = Dialog(s, A, B)
    line = "a=crypto:1 %s inline:%s|2^20|1:4;inline:%s|2^20|2:4" % (ka.suite, ka.inline, ka2.inline)
    d.simple(at(AM, line), at(BM, kb.line(1, "|2^20|1:1")))
    va, vb = s.voice(AM, BM, ka, mki="00000001"), s.voice(BM, AM, kb, mki="01")
    s.talk(va, vb)
    va.use(ka2, mki="00000002")
    s.talk(va, vb)
    d.bye()
    return s, {"opened": [ka, ka2, kb]}


@made
def recorded_from_after_three_wraps():
    """The capture begins late: ROC is 3 in the first packet seen, and a session refresh brings the keys (S74)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()), tag="b1")
    d.reply(200, at(BM, kb.line()))
    d.ack()
    s.talk(s.voice(AM, BM, ka, seq=40000, roc=3), s.voice(BM, AM, kb, seq=20000, roc=1))
    d.bye()
    return s, {"outcome": None, "caller": None, "callee": None}


@made
def recorded_late_with_gcm():
    """As before, with AEAD_AES_128_GCM and ROC 2."""
    s = Scene()
    ka, kb = Key("a", "AEAD_AES_128_GCM"), Key("b", "AEAD_AES_128_GCM")
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()), tag="b1")
    d.reply(200, at(BM, kb.line()))
    d.ack()
    s.talk(s.voice(AM, BM, ka, seq=40000, roc=2), s.voice(BM, AM, kb, seq=20000, roc=2))
    d.bye()
    return s, {"outcome": None, "caller": None, "callee": None}


@made
def first_packets_around_the_wrap_are_lost():
    """The sender starts at 65530 and its first six packets never reach the tap: all that is seen has ROC 1 (S75)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = s.voice(AM, BM, ka, seq=65530), s.voice(BM, AM, kb)
    for _ in range(6):
        va.send(lose=True)
        vb.send()
        s.wait(20)
    s.talk(va, vb, count=40)
    d.bye()
    return s, {}


@made
def a_packet_three_hundred_late():
    """One packet comes 300 places late: a live receiver's window is shorter (S84)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=10)
    va.send(delay=301 * 20)
    s.talk(va, vb, count=310)
    d.bye()
    return s, {}


@made
def every_packet_twice():
    """A mirror shows each packet twice within microseconds (S12)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    for _ in range(30):
        va.send(copies=1)
        vb.send(copies=2)
        s.wait(20)
    d.bye()
    return s, {}


@made
def lost_and_out_of_order():
    """Some packets are lost, some come in another order."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    for i in range(60):
        va.send(lose=i in (7, 8, 30), delay=50 if i % 11 == 5 else 0)
        vb.send(delay=70 if i % 13 == 3 else 0)
        s.wait(20)
    d.bye()
    return s, {}


@made
def two_ringing_branches_with_keys_of_their_own():
    """Forked: two 183 with early media, each with its own key; one wins (S81)."""
    s = Scene()
    ka, kb, kc = Key("a"), Key("b"), Key("c")
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()))
    s.wait(50)
    d.reply(183, at(BM, kb.line()), tag="b1")
    d.reply(183, at(CM, kc.line()), tag="c1")
    vb, vc = s.voice(BM, AM, kb), s.voice(CM, AM, kc)
    s.talk(vb, vc, count=20)
    d.reply(200, at(CM, kc.line()), tag="c1")
    d.ack(tag="c1")
    s.talk(s.voice(AM, CM, ka), vc, count=20)
    d.bye(tag="c1")
    return s, {"toward": {}}


@made
def a_refused_new_offer_leaves_the_old_keys():
    """A re-INVITE with other keys is answered 488: media goes on under the keys of before."""
    s = Scene()
    ka, kb, never = Key("a"), Key("b"), Key("never")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=15)
    d.invite(at(AM, never.line()), tag="b1")
    d.reply(488)
    d.ack()
    s.talk(va, vb, count=15)
    d.bye()
    return s, {}


@made
def a_new_key_and_a_straggler_of_the_old():
    """Rekeyed by re-INVITE; packets under the old key still come after the first ones under the new (S78)."""
    s = Scene()
    ka, ka2, kb, kb2 = Key("a"), Key("a2"), Key("b"), Key("b2")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=15)
    d.invite(at(AM, ka2.line()), tag="b1")
    va.send(delay=90)
    va.send(delay=110)
    d.reply(200, at(BM, kb2.line()))
    d.ack()
    va.use(ka2)
    vb.use(kb2)
    s.talk(va, vb, count=15)
    d.bye()
    return s, {"opened": [ka, ka2, kb, kb2]}


@made
def the_key_goes_on_as_the_counter_wraps():
    """Rekeyed, and ten packets later the sequence number wraps: ROC 0, then 1, under the second key."""
    s = Scene()
    ka, ka2, kb = Key("a"), Key("a2"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = s.voice(AM, BM, ka, seq=65511), s.voice(BM, AM, kb)
    s.talk(va, vb, count=15)
    d.invite(at(AM, ka2.line()), tag="b1")
    d.reply(200, at(BM, kb.line()))
    d.ack()
    va.use(ka2)
    s.talk(va, vb, count=25)
    d.bye()
    return s, {"opened": [ka, ka2, kb]}


@made
def the_sender_changes_its_ssrc():
    """After a hold the sender goes on with another SSRC, same key: a stream of its own."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=15)
    d.invite(at(AM, ka.line(), "a=sendonly"), tag="b1")
    d.reply(200, at(BM, kb.line(), "a=recvonly"))
    d.ack()
    s.wait(500)
    d.invite(at(AM, ka.line(), "a=sendrecv"), tag="b1")
    d.reply(200, at(BM, kb.line(), "a=sendrecv"))
    d.ack()
    s.talk(s.voice(AM, BM, ka, ssrc=0xCAFE0001, seq=9000), vb, count=15)
    d.bye()
    return s, {"toward": {}}


@made
def the_offer_comes_with_the_answer():
    """INVITE without SDP: offer in 200, answer in ACK (S56)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.invite()
    d.reply(180)
    d.reply(200, at(BM, kb.line()))
    d.ack(at(AM, ka.line()))
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {}


@made
def the_answer_to_a_reliable_183_comes_in_prack():
    """INVITE without SDP, offer in a reliable 183, answer in PRACK (RFC 3262 5)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.invite(headers=["Supported: 100rel"])
    first = d.last
    d.reply(183, at(BM, kb.line()), headers=["Require: 100rel", "RSeq: 1"])
    d.request("PRACK", at(AM, ka.line()), tag="b1", headers=["RAck: 1 1 INVITE"])
    d.reply(200)
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=15)
    d.reply(200, to=first)
    d.request("ACK", tag="b1", cseq=1)
    s.talk(va, vb, count=15)
    d.bye()
    return s, {}


@made
def an_update_brings_new_keys():
    """UPDATE in an early dialog re-offers with other keys (RFC 3311)."""
    s = Scene()
    ka, ka2, kb, kb2 = Key("a"), Key("a2"), Key("b"), Key("b2")
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()))
    first = d.last
    d.reply(183, at(BM, kb.line()), headers=["Require: 100rel", "RSeq: 1"])
    d.request("PRACK", tag="b1", headers=["RAck: 1 1 INVITE"])
    d.reply(200)
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=15)
    d.request("UPDATE", at(AM, ka2.line()), tag="b1")
    d.reply(200, at(BM, kb2.line()))
    va.use(ka2)
    vb.use(kb2)
    s.talk(va, vb, count=15)
    d.reply(200, to=first)
    d.request("ACK", tag="b1", cseq=1)
    d.bye()
    return s, {"opened": [ka, ka2, kb, kb2]}


@made
def two_audio_lines_with_keys_of_their_own():
    """Two m=audio sections, each with its port and its key (S51), the second with a c= of its own (S54)."""
    s = Scene()
    k = {n: Key(n) for n in ("a0", "a1", "b0", "b1")}
    d = Dialog(s, A, B)
    d.simple(sdp("10.1.0.11", (40000, SAVP, k["a0"].line()), (40002, SAVP, "c=IN IP4 10.1.0.21", k["a1"].line())),
             sdp("10.1.0.12", (50000, SAVP, k["b0"].line()), (50002, SAVP, k["b1"].line())))
    s.talk(s.voice(AM, BM, k["a0"]), s.voice(BM, AM, k["b0"]),
           s.voice("10.1.0.21:40002", "10.1.0.12:50002", k["a1"]), s.voice("10.1.0.12:50002", "10.1.0.21:40002", k["b1"]))
    d.bye()
    return s, {"toward": {}}


@made
def a_flood_of_forged_sources():
    """Two thousand packets with SSRCs of their own on the target's port: counted, nothing else (S85)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=15)
    for i in range(2000):
        head = b"\x80\x00" + (i & 0xFFFF).to_bytes(2, "big") + bytes(4) + (0xABCD0000 + i).to_bytes(4, "big")
        s.datagram(BM, AM, head + base64.b64encode(b"%170d" % (i * i))[:170])
    s.talk(va, vb, count=15)
    d.bye()
    return s, {"counters": {"forged": 2000}}


@made
def four_suites_offered_the_third_taken():
    """The tag of the answer says which of four offered keys is in use (S69)."""
    s = Scene()
    offered = [Key("a1"), Key("a2", "AES_CM_128_HMAC_SHA1_32"), Key("a3", "AES_256_CM_HMAC_SHA1_80"), Key("a4", "AEAD_AES_128_GCM")]
    kb = Key("b", "AES_256_CM_HMAC_SHA1_80")
    d = Dialog(s, A, B)
    d.simple(at(AM, *[k.line(i + 1) for i, k in enumerate(offered)]), at(BM, kb.line(3)))
    s.talk(*both(s, offered[2], kb))
    d.bye()
    return s, {}


@made
def an_answer_with_the_wrong_tag():
    """The answer says tag 1, with the suite of tag 3: the suite decides (S69)."""
    s = Scene()
    offered = [Key("a1"), Key("a2", "AES_CM_128_HMAC_SHA1_32"), Key("a3", "AES_256_CM_HMAC_SHA1_80")]
    kb = Key("b", "AES_256_CM_HMAC_SHA1_80")
    d = Dialog(s, A, B)
    d.simple(at(AM, *[k.line(i + 1) for i, k in enumerate(offered)]), at(BM, kb.line(1)))
    s.talk(*both(s, offered[2], kb))
    d.bye()
    return s, {}


@made
def a_line_that_cannot_be_used_beside_one_that_can():
    """An unknown session parameter makes its line invalid (RFC 4568 6.3); the next line holds (S72)."""
    s = Scene()
    bad, ka, kb = Key("bad"), Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, bad.line(1, " SOMETHING=1"), ka.line(2)), at(BM, kb.line(2)))
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {}


@made
def media_before_its_description():
    """The callee's media reaches the tap before its 200 (S62): held, then opened, none lost."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()))
    d.reply(180)
    va, vb = both(s, ka, kb)
    for _ in range(10):
        vb.send()
        s.wait(20)
    d.reply(200, at(BM, kb.line()))
    d.ack()
    s.talk(va, vb)
    d.bye()
    return s, {}


@made
def crypto_under_rtp_avp():
    """RTP/AVP with a=crypto in offer and answer is SRTP (S67)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line(), profile=AVP), at(BM, kb.line(), profile=AVP))
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {}


@made
def plain_rtp():
    """RTP/AVP in clear, and nothing else."""
    s = Scene()
    d = Dialog(s, A, B)
    d.simple(at(AM, profile=AVP), at(BM, profile=AVP))
    s.talk(*both(s, None, None))
    d.bye()
    return s, {}


@made
def ciphertext_under_rtp_avp():
    """The SDP says RTP/AVP and has no key, the packets are SRTP: never delivered as clear."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, profile=AVP), at(BM, profile=AVP))
    s.talk(*both(s, ka, kb, state="sealed"), count=40)
    for v in s.voices:
        v.reason = "no-key"
    d.bye()
    return s, {"exit": 5, "opened": []}


@made
def ciphertext_without_tag_under_rtp_avp():
    """The same without an authentication tag: even the length looks like G.711."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, profile=AVP), at(BM, profile=AVP))
    s.talk(*both(s, ka, kb, state="sealed", flags="u"), count=60)
    for v in s.voices:
        v.reason = "no-key"
    d.bye()
    return s, {"exit": 5, "opened": []}


@made
def secure_profile_without_a_key():
    """RTP/SAVP on both sides and no a=crypto at all (S82): sealed, no-key."""
    s = Scene()
    d = Dialog(s, A, B)
    d.simple(at(AM), at(BM))
    s.talk(*both(s, Key("a"), Key("b"), state="sealed"), count=40)
    for v in s.voices:
        v.reason = "no-key"
    d.bye()
    return s, {"exit": 5, "opened": []}


def unsupported(name, suite, more, doc):
    def case():
        s = Scene()
        ka, kb = Key("a"), Key("b")
        d = Dialog(s, A, B)
        d.simple(at(AM, ka.line(1, more, suite=suite)), at(BM, kb.line(1, more, suite=suite)))
        s.talk(*both(s, Key("other a"), Key("other b"), state="sealed"), count=30)
        for v in s.voices:
            v.reason = "suite-unsupported"
        d.bye()
        return s, {"exit": 5, "opened": []}
    case.__doc__ = doc
    MADE[name] = case


unsupported("suite_f8", "F8_128_HMAC_SHA1_80", "", "F8: not supported, and said so.")
unsupported("key_derivation_rate", None, " KDR=1", "A key derivation rate other than 0: not supported, and said so.")


@made
def a_key_that_was_never_signalled():
    """After a re-INVITE without SDP the far end goes on under a key nobody saw (S79): opened before, failed after."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=20)
    vb.use(Key("secret"))
    vb.rekeys = 0
    for _ in range(20):
        va.send()
        vb.send(unknown=True)
        s.wait(20)
    vb.key = kb
    d.bye()
    return s, {"exit": 5}


@made
def refused():
    """486: no media, outcome refused."""
    s = Scene()
    d = Dialog(s, A, B)
    d.invite(at(AM, Key("a").line()))
    d.reply(180)
    d.reply(486)
    d.ack()
    return s, {"outcome": "refused", "opened": []}


@made
def given_up_while_ringing():
    """CANCEL and 487, over IPv6."""
    s = Scene()
    d = Dialog(s, "[fd01::11]:5060", "[fd01::12]:5060")
    d.invite(at("[fd01::11]:40000", Key("a").line()))
    first = d.last
    d.reply(180)
    d.request("CANCEL")
    d.reply(200)
    d.reply(487, to=first)
    d.request("ACK", tag="b1", cseq=1)
    return s, {"outcome": "cancelled", "opened": []}


@made
def over_ipv6_with_muxed_control():
    """IPv6, AES-256, SRTCP on the port of the media."""
    s = Scene()
    ka, kb = Key("a", "AES_256_CM_HMAC_SHA1_80"), Key("b", "AES_256_CM_HMAC_SHA1_80")
    d = Dialog(s, "[fd01::11]:5060", "[fd01::12]:5060")
    a, b = "[fd01::11]:40000", "[fd01::12]:50000"
    d.simple(at(a, ka.line(), "a=rtcp-mux"), at(b, kb.line(), "a=rtcp-mux"))
    voices = s.voice(a, b, ka), s.voice(b, a, kb)
    s.talk(*voices, count=15)
    voices[0].control()
    s.talk(*voices, count=15)
    d.bye()
    return s, {}


def joined(name, doc, headers, **more):
    """A back-to-back user agent makes one call of two dialogs; the target is named in the second alone."""
    def case():
        s = Scene()
        k = {n: Key(n) for n in ("a", "ra", "rc", "c")}
        first = Dialog(s, A, PROXY, callee="sip:hotline@ims.example", call_id="leg-one@a.example", headers=headers)
        second = Dialog(s, PROXY, B, callee="sip:bob@ims.example", caller="sip:hotline@ims.example", call_id="leg-two@p.example",
                        headers=headers)
        relay_a, relay_b = "10.1.0.2:30000", "10.1.0.2:30002"
        first.invite(at(AM, k["a"].line()))
        second.invite(at(relay_b, k["rc"].line()))
        second.reply(180)
        first.reply(180)
        second.reply(200, at(BM, k["c"].line()))
        first.reply(200, at(relay_a, k["ra"].line()))
        second.ack()
        first.ack()
        s.talk(s.voice(AM, relay_a, k["a"]), s.voice(relay_a, AM, k["ra"]), s.voice(relay_b, BM, k["rc"]), s.voice(BM, relay_b, k["c"]))
        first.bye()
        second.bye()
        known = {"call_ids": {"leg-one@a.example", "leg-two@p.example"}, "caller": None, "callee": None, "matched": [],
                 "from_target": [BM, relay_a], "toward": {}}
        known.update(more)
        return s, known
    case.__doc__ = doc
    MADE[name] = case


joined("legs_joined_by_charging_vector", "Two dialogs with one icid-value are one call.",
       ["P-Charging-Vector: icid-value=\"abc123@pcscf.example\";icid-generated-at=10.1.0.1"])
joined("legs_joined_by_session_id", "Two dialogs with one Session-ID are one call (RFC 7989).",
       ["Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000"])


@made
def strangers_with_the_same_origin_line():
    """Two calls at once whose SDP has the same o= line have nothing to do with each other (S40)."""
    s = Scene()
    k = {n: Key(n) for n in "abcd"}
    origin = "o=- 1 1 IN IP4 10.9.9.9"
    ours = Dialog(s, A, B)
    theirs = Dialog(s, C, "10.1.0.14:5060", caller="sip:carol@ims.example", callee="sip:dan@ims.example", call_id="other@c.example")
    ours.invite(at(AM, k["a"].line(), origin=origin))
    theirs.invite(at(CM, k["c"].line(), origin=origin))
    mine = list(s.messages[:1])
    for d, where, key in ((ours, BM, k["b"]), (theirs, "10.1.0.14:50000", k["d"])):
        d.reply(180)
        d.reply(200, at(where, key.line(), origin=origin))
        d.ack()
    voices = both(s, k["a"], k["b"])
    others = s.voice(CM, "10.1.0.14:50000", k["c"]), s.voice("10.1.0.14:50000", CM, k["d"])
    s.talk(*voices, *others)
    ours.bye()
    theirs.bye()
    s.voices = list(voices)
    mine = [m for m in s.messages if b"call-1@a.example" in m.payload]
    return s, {"messages": mine, "call_ids": {"call-1@a.example"}, "absent": [b"carol", b"dan@", b"other@c.example"]}


def diverted(name, service, cause, reason, doc, status=None):
    """Bob's calls go to Carol: the network says why."""
    def case():
        s = Scene()
        ka, kc = Key("a"), Key("c")
        first = Dialog(s, A, PROXY, call_id="div@a.example")
        to_bob = Dialog(s, PROXY, B, call_id="div@a.example", uri="sip:bob@10.1.0.12")
        to_carol = Dialog(s, PROXY, C, call_id="div@a.example", uri="sip:carol@10.1.0.13", headers=[
            "History-Info: <sip:bob@ims.example>;index=1, <sip:carol@ims.example;cause=%d>;index=1.1;mp=1" % cause,
            "Diversion: <sip:bob@ims.example>;reason=%s;counter=1" % reason])
        first.invite(at(AM, ka.line()))
        if status:
            to_bob.invite(at(AM, ka.line()))
            to_bob.reply(180)
            to_bob.reply(status)
            to_bob.ack()
        to_carol.invite(at(AM, ka.line()))
        to_carol.reply(180, tag="c1")
        first.reply(180, tag="c1")
        to_carol.reply(200, at(CM, kc.line()), tag="c1")
        first.reply(200, at(CM, kc.line()), tag="c1")
        first.ack(tag="c1")
        to_carol.ack(tag="c1")
        s.talk(s.voice(AM, CM, ka), s.voice(CM, AM, kc))
        first.bye(tag="c1")
        return s, {"call_ids": {"div@a.example"}, "matched": [(None, "diverting", True)], "from_target": [CM],
                   "diversions": [{"service": service, "cause": cause, "by": "sip:bob@ims.example", "to": "sip:carol@ims.example"}]}
    case.__doc__ = doc
    MADE[name] = case


diverted("diverted_unreachable", "CFNRc", 503, "unavailable", "Not reachable: CFNRc, cause 503 (RFC 4458).")
diverted("deflected_while_ringing", "CD", 487, "deflection", "Deflected during alerting: CD, cause 487.", status=302)
diverted("diverted_unconditionally", "CFU", 302, "unconditional", "CFU, cause 302.")


@made
def legs_joined_by_history():
    """An application server makes a dialog of its own to Carol; only its History-Info tells that it was Bob's call (S36)."""
    s = Scene()
    k = {n: Key(n) for n in ("a", "ra", "rc", "c")}
    relay_a, relay_c = "10.1.0.2:30000", "10.1.0.2:30002"
    first = Dialog(s, A, PROXY, call_id="leg-one@a.example")
    second = Dialog(s, PROXY, C, call_id="leg-two@as.example", callee="sip:carol@ims.example", headers=[
        "History-Info: <sip:bob@ims.example>;index=1, <sip:carol@ims.example;cause=302>;index=1.1;mp=1"])
    first.invite(at(AM, k["a"].line()))
    second.invite(at(relay_c, k["rc"].line()))
    second.reply(180)
    first.reply(180)
    second.reply(200, at(CM, k["c"].line()))
    first.reply(200, at(relay_a, k["ra"].line()))
    second.ack()
    first.ack()
    s.talk(s.voice(AM, relay_a, k["a"]), s.voice(relay_a, AM, k["ra"]), s.voice(relay_c, CM, k["rc"]), s.voice(CM, relay_c, k["c"]))
    first.bye()
    second.bye()
    return s, {"call_ids": {"leg-one@a.example", "leg-two@as.example"}, "from_target": [CM, relay_a], "toward": {},
               "matched": [(None, "to-target", True), ("History-Info", "diverting", True)],
               "diversions": [{"service": "CFU", "cause": 302, "by": "sip:bob@ims.example", "to": "sip:carol@ims.example"}]}


@made
def media_from_behind_a_translator():
    """The callee's SDP has a private address; its media flows from and to the translator's public one (S60)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    public = "198.51.100.7:61002"
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at("192.168.7.7:50000", kb.line()))
    s.talk(s.voice(AM, public, ka), s.voice(public, AM, kb))
    d.bye()
    return s, {"learned": [public]}


@made
def an_invite_sent_three_times():
    """Retransmissions of the INVITE change nothing (S44)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.invite(at(AM, ka.line()))
    again = s.messages[0]
    for _ in range(2):
        s.wait(500)
        s.messages.append(again._replace(at=s.clock))
        s.datagram(again.src, again.dst, again.payload)
    d.reply(180)
    d.reply(200, at(BM, kb.line()))
    d.ack()
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {}


@made
def the_caller_is_only_asserted():
    """The target calls anonymously; P-Asserted-Identity names it as tel URI with separators (S31)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B, caller="sip:anonymous@anonymous.invalid", headers=["P-Asserted-Identity: <tel:+49-30-123456>"])
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {"target": "sip:+4930123456@ims.example;user=phone", "caller": {"tel:+49-30-123456"}, "from_target": [AM],
               "matched": [("P-Asserted-Identity", "from-target", True)]}


@made
def garbage_among_the_signalling():
    """Octets that begin like SIP, and octets that do not, on the ports of SIP: nothing of the call is lost by them."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    junk = [b"INVITE sip:bob@ims.example SIP/2.0\r\n", b"INVITE " + b"A" * 1200, b"SIP/2.0 200 OK\r\nCall-ID: \r\n\r\n",
            b"INVITE sip:bob@ims.example SIP/2.0\r\nTo: <<<<sip:bob@ims.example>\r\nCSeq: x\r\n\r\n", b"\0" * 4, b"jaK\0",
            b"\r\n\r\n", bytes(range(256)) * 4, b"SIP/2.0 999999999999 \r\nContent-Length: -1\r\n\r\nv=0\r\nm=audio\r\n"]
    for octets in junk:
        s.datagram(A, B, octets)
    d.invite(at(AM, ka.line()))
    for octets in junk:
        s.datagram(B, A, octets)
    d.reply(180)
    d.reply(200, at(BM, kb.line()))
    d.ack()
    s.talk(*both(s, ka, kb))
    for octets in junk:
        s.datagram(A, B, octets)
        s.datagram(BM, AM, octets)
    d.bye()
    return s, {"events": None, "messages": None}


@made
def headers_extensions_and_padding():
    """CSRCs, a header extension and padding belong to the packet and not to the payload."""
    return usual(dressed=True)


@made
def headers_extensions_and_padding_with_gcm():
    """The same where the header is authenticated as associated data (RFC 7714 8.1)."""
    return usual("AEAD_AES_256_GCM", dressed=True)


@made
def a_session_refresh_changes_nothing():
    """A re-INVITE with the same SDP, keys and all (RFC 4028): no change of key."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    for _ in range(3):
        s.talk(va, vb, count=15)
        d.invite(at(AM, ka.line()), tag="b1")
        d.reply(200, at(BM, kb.line()))
        d.ack()
    s.talk(va, vb, count=15)
    d.bye()
    return s, {}


@made
def held_with_an_address_of_zeroes():
    """c=0.0.0.0 and a=inactive for twenty seconds, then resumed (S58): nothing is lost after it."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb, count=15)
    d.invite(at("0.0.0.0:40000", ka.line(), "a=inactive"), tag="b1")
    d.reply(200, at(BM, kb.line(), "a=inactive"))
    d.ack()
    s.wait(20000)
    d.invite(at(AM, ka.line()), tag="b1")
    d.reply(200, at(BM, kb.line()))
    d.ack()
    s.talk(va, vb, count=15)
    d.bye()
    return s, {"toward": {}}


@made
def the_callee_moves_to_another_port():
    """A re-INVITE from the callee: another port, another key, streams of their own from there on."""
    s = Scene()
    ka, kb, ka2, kb2 = Key("a"), Key("b"), Key("a2"), Key("b2")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    s.talk(*both(s, ka, kb), count=15)
    moved = "10.1.0.12:52000"
    d.request("INVITE", at(moved, kb2.line()), tag="b1", reverse=True)
    d.reply(200, at(AM, ka2.line()))
    d.request("ACK", tag="b1", reverse=True, cseq=d.cseq)
    s.talk(s.voice(AM, moved, ka2), s.voice(moved, AM, kb2), count=15)
    d.bye()
    return s, {"toward": {}, "opened": [ka, ka2, kb, kb2]}


@made
def six_hours_without_signalling():
    """A packet a minute for six hours, and no SIP in between (S64)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(sdp("10.1.0.11", ("video", 40000, SAVP, ka.line())), sdp("10.1.0.12", ("video", 50000, SAVP, kb.line())))
    va, vb = both(s, ka, kb)
    for _ in range(6 * 60):
        for v in (va, vb):
            v.send()
            v.timestamp += 8000 * 60 - 160
        s.wait(60000)
    d.bye()
    return s, {"toward": {}}


@made
def no_address_in_the_description():
    """The offer has no c= line at all (S55): nothing breaks, the answerer's side is intercepted."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    offer = at(AM, ka.line()).replace("c=IN IP4 10.1.0.11\r\n", "")
    d.simple(offer, at(BM, kb.line()))
    s.talk(s.voice(AM, BM, ka))
    d.bye()
    return s, {}


def named_in(name, header, side, doc, trust=False, who="sip:dan@ims.example", said=None):
    """Dan is in one header and nowhere else; Alice and Bob are what the other headers say."""
    def case():
        s = Scene()
        ka, kb = Key("a"), Key("b")
        d = Dialog(s, A, B)
        d.simple(at(AM, ka.line()), at(BM, kb.line()), headers=[header])
        s.talk(*both(s, ka, kb))
        d.bye()
        return s, {"target": who, "trust": trust, "matched": [(said or header.split(":")[0], side, not trust)],
                   "match_count": 1, "from_target": [AM if side == "from-target" else BM]}
    case.__doc__ = doc
    MADE[name] = case


named_in("served_user_of_an_originating_call", "P-Served-User: <sip:dan@ims.example>;sescase=orig;regstate=reg", "from-target",
         "The application server is told whom it serves: the one who calls (RFC 5502).")
named_in("served_user_of_a_terminating_call", "P-Served-User: <sip:dan@ims.example>;sescase=term;regstate=reg", "to-target",
         "The application server is told whom it serves: the one who is called (RFC 5502).")
named_in("called_party_behind_a_group", "P-Called-Party-ID: \"Dan\" <sip:dan@ims.example;user=phone>", "to-target",
         "To names a group, P-Called-Party-ID whose phone rings (RFC 7315 4.2, S33).")
named_in("called_party_by_number", "P-Called-Party-ID: <tel:+49-30-123456>", "to-target",
         "P-Called-Party-ID as tel URI with separators.", who="sip:+4930123456@ims.example;user=phone")
named_in("caller_who_says_so_where_from_is_trusted", "Subject: From alone", "from-target",
         "Alice is the caller by her own word: that counts with --trust-from, and is marked as not verified (S32).", trust=True,
         who="sip:alice@ims.example", said="From")
named_in("remote_party_where_from_is_trusted", "Remote-Party-ID: \"Dan\" <sip:dan@ims.example>;party=calling;privacy=off",
         "from-target", "Remote-Party-ID counts with --trust-from, and is marked as not verified.", trust=True)
named_in("preferred_identity_where_from_is_trusted", "P-Preferred-Identity: <sip:dan@ims.example>", "from-target",
         "P-Preferred-Identity counts with --trust-from, and is marked as not verified (RFC 3325 9.2).", trust=True)


@made
def called_by_the_request_uri_alone():
    """To names a hunt group, the Request-URI of the leg to Dan's telephone him (S33)."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B, callee="sip:sales@ims.example", uri="sip:dan@ims.example")
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    s.talk(*both(s, ka, kb))
    d.bye()
    return s, {"target": "sip:dan@ims.example", "callee": None, "matched": [("Request-URI", "to-target", True)], "match_count": 1}


@made
def bye_answered_407_then_again():
    """The proxy challenges the BYE (RFC 3261 22.3); the call goes on for forty seconds, until it comes with credentials."""
    s = Scene()
    d = Dialog(s, A, B)
    d.simple(at(AM, profile=AVP), at(BM, profile=AVP))
    voices = both(s, None, None)
    s.talk(*voices)
    d.request("BYE", tag="b1")
    d.reply(407, headers=['Proxy-Authenticate: Digest realm="ims.example", nonce="abc"'])
    s.wait(40000)
    for v in voices:
        v.skip(2000)
    d.invite(at("10.1.0.11:41000", profile=AVP), tag="b1")
    d.reply(200, at(BM, profile=AVP))
    d.ack()
    s.talk(voices[0], s.voice(BM, "10.1.0.11:41000", None))
    ended = s.clock
    d.bye()
    return s, {"toward": {}, "ended": [ended]}


@made
def bye_of_a_stranger():
    """A third host sends BYE: with tags of its own, answered 481, and with those of the dialog, challenged and unanswered. The
    call goes on: what is agreed later is opened, until one of its parties hangs up."""
    s = Scene()
    ka, kb = Key("a"), Key("b")
    d = Dialog(s, A, B)
    d.simple(at(AM, ka.line()), at(BM, kb.line()))
    va, vb = both(s, ka, kb)
    s.talk(va, vb)
    stranger = Dialog(s, "10.66.0.66:5060", B)
    stranger.cseq = 40
    stranger.request("BYE", tag="zz")
    stranger.reply(481, tag="zz")
    stranger.request("BYE", tag="b1")
    stranger.reply(407)
    stranger.request("BYE", tag="b1")
    s.wait(40000)
    for v in (va, vb):
        v.skip(2000)
    s.talk(va, vb)
    moved = "10.1.0.12:52000"
    d.request("INVITE", at(moved, kb.line()), tag="b1", reverse=True)
    d.reply(200, at(AM, ka.line()))
    d.request("ACK", tag="b1", reverse=True, cseq=d.cseq)
    s.talk(s.voice(AM, moved, ka), s.voice(moved, AM, kb))
    ended = s.clock
    d.bye()
    return s, {"toward": {}, "ended": [ended]}
