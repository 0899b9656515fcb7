"""sip_bed: SIP of other people's programs in a test's network: kamailio between sipp and sipp, and sipp's SRTP by support/player.c,
since sipp seals nothing; or between two baresip, which do it all themselves."""

import os
import shutil
import subprocess
import time
import unittest

from plan import Plan
from program import PATIENCE
from scene import MS, Key

PROXY, CALLER, CALLEE = "10.13.0.1", "10.11.0.1", "10.12.0.1"

# Adds who calls, as far as it believes it (RFC 3325), and stays in the way of the dialog.
KAMAILIO = """
debug=0
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:%s:5060
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {
	if (is_method("REGISTER")) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (has_totag()) {
		if (loose_route() || (is_method("ACK") && t_check_trans())) {
			t_relay();
		}
		exit;
	}
	if (is_method("CANCEL")) {
		if (t_check_trans()) {
			t_relay();
		}
		exit;
	}
	remove_hf("P-Asserted-Identity");
	append_hf("P-Asserted-Identity: <$fu>\\r\\n");
	record_route();
	$du = "sip:%s:5060";
	t_relay();
}
"""

HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <[field0]>;tag=[pid]a[call_number]
      To: <[field1]>%s
      Call-ID: [call_id]
      CSeq: %s
      Contact: <sip:[local_ip]:[local_port]>
      Max-Forwards: 70"""
SDP = """v=0
      o=- 1 1 IN IP4 %(host)s
      s=-
      c=IN IP4 %(host)s
      t=0 0
      m=audio [field%(port)d] RTP/SAVP 0
      a=crypto:1 [field%(suite)d] inline:[field%(key)d]
"""


def send(text, **attributes):
    more = "".join(' %s="%s"' % a for a in attributes.items())
    return "  <send%s><![CDATA[\n      %s\n\n  ]]></send>\n" % (more, text)


def receive(what, **attributes):
    more = "".join(' %s="%s"' % a for a in attributes.items())
    return "  <recv %s%s/>\n" % (what, more)


def scenario(*steps):
    return '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="call">\n%s</scenario>\n' % "".join(steps)


def calling(talk):
    body = "\n      Content-Type: application/sdp\n      Content-Length: [len]\n\n      " + SDP % {
        "host": CALLER, "port": 2, "suite": 3, "key": 4}
    return scenario(
        send("INVITE [field1] SIP/2.0\n      " + HEAD % ("", "1 INVITE") + body, retrans=500),
        receive('response="100"', optional="true"), receive('response="180"', optional="true", rrs="true"),
        receive('response="200"', rrs="true"),
        send("ACK [next_url] SIP/2.0\n      " + HEAD % ("[peer_tag_param]", "1 ACK") + "\n      [routes]\n      Content-Length: 0\n"),
        '  <pause milliseconds="%d"/>\n' % talk,
        send("BYE [next_url] SIP/2.0\n      " + HEAD % ("[peer_tag_param]", "2 BYE") + "\n      [routes]\n      Content-Length: 0\n",
             retrans=500),
        receive('response="200"'))


def called():
    last = ("[last_Via:]\n      [last_From:]\n      [last_To:];tag=[pid]b[call_number]\n      [last_Call-ID:]\n      [last_CSeq:]\n"
            "      [last_Record-Route:]\n      Contact: <sip:[local_ip]:[local_port]>")
    body = "\n      Content-Type: application/sdp\n      Content-Length: [len]\n\n      " + SDP % {
        "host": CALLEE, "port": 0, "suite": 1, "key": 2}
    bye = "[last_Via:]\n      [last_From:]\n      [last_To:]\n      [last_Call-ID:]\n      [last_CSeq:]\n      Content-Length: 0\n"
    return scenario(
        receive('request="INVITE"', rrs="true"), send("SIP/2.0 180 Ringing\n      " + last + "\n      Content-Length: 0\n"),
        '  <pause milliseconds="100"/>\n', send("SIP/2.0 200 OK\n      " + last + body, retrans=500), receive('request="ACK"'),
        receive('request="BYE"'), send("SIP/2.0 200 OK\n      " + bye))


class Bed:
    """with Bed(network) as bed: bed.calls(…)"""

    def __init__(self, network, folder):
        for program in ("kamailio", "sipp"):
            if shutil.which(program) is None:
                raise unittest.SkipTest(program + " is not installed")
        self.network, self.folder, self.processes = network, folder, []
        self.log = open(self.path("bed.log"), "ab")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def start(self, n, *words, **how):
        process = self.network.start(n, *words, stdin=how.pop("stdin", subprocess.DEVNULL), stdout=self.log, stderr=self.log,
                                     cwd=self.folder, env={**os.environ, "TERM": "dumb", "HOME": self.folder})
        self.processes.append(process)
        return process

    def __enter__(self):
        run = self.path("kamailio")
        os.makedirs(run, exist_ok=True)
        config = self.write("kamailio.cfg", KAMAILIO % (PROXY, CALLEE))
        self.proxy = self.start("p", "kamailio", "-f", config, "-DD", "-E", "-m", "16", "-M", "4", "-Y", run)
        end = time.monotonic() + PATIENCE
        while not self._listens():
            if self.proxy.poll() is not None or time.monotonic() > end:
                raise AssertionError("kamailio does not start: " + self.said())
            time.sleep(0.05)
        return self

    def _listens(self):
        out = self.network.run("p", "ss", "-Hlun", stdout=subprocess.PIPE).stdout
        return b":5060" in out

    def said(self):
        with open(self.path("bed.log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-4000:]

    def __exit__(self, *_):
        for p in reversed(self.processes):
            if p.poll() is None:
                p.terminate()
        for p in self.processes:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.log.close()

    def calls(self, people, count, talk, rate=10, suite="AES_CM_128_HMAC_SHA1_80"):
        """Begins so many calls by sipp through kamailio. Returns (numbers, the Plan of their media, what waits for their end)."""
        numbers = range(people.next, people.next + count)
        people.next += count
        plan, ours, theirs = Plan(), ["SEQUENTIAL"], ["SEQUENTIAL"]
        for i, n in enumerate(numbers):
            ka, kb = (Key("%s %s %d" % (people.run, s, n), suite) for s in "ab")
            am, bm = (CALLER, 20000 + 2 * n), (CALLEE, 20000 + 2 * n)
            ours.append("%s;%s;%d;%s;%s;" % (people.caller(n), people.callee(n), am[1], suite, ka.inline))
            theirs.append("%d;%s;%s;" % (bm[1], suite, kb.inline))
            begin = (i * 1000 // rate + 700) * MS
            ends = "%s:%d" % am, "%s:%d" % bm
            plan.speak(begin, begin + talk * MS, *ends, ka)
            plan.speak(begin, begin + talk * MS, *reversed(ends), kb)
        uas = self.start("b", "sipp", "-sf", self.write("called.xml", called()), "-inf", self.write("called.csv", "\n".join(theirs) + "\n"),
                         "-i", CALLEE, "-p", "5060", "-m", str(count), "-nostdin")
        time.sleep(0.5)
        uac = self.start("a", "sipp", "-sf", self.write("calling.xml", calling(talk + 1500)), "-inf",
                         self.write("calling.csv", "\n".join(ours) + "\n"), "-i", CALLER, "-p", "5060", "-m", str(count), "-r", str(rate),
                         "-nostdin", "-trace_err", "%s:5060" % PROXY)

        def end():
            codes = uac.wait(PATIENCE), uas.wait(PATIENCE)
            if codes != (0, 0):
                raise AssertionError("sipp ended with %s: %s" % (codes, self.said()))
        return list(numbers), plan, end
