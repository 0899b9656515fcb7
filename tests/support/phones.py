"""phones: two baresip, without sound hardware, call each other through a Bed's kamailio, with SDES: users who share nothing with us."""

import math
import os
import shutil
import struct
import unittest
import wave

from program import PATIENCE
from sip_bed import CALLEE, CALLER, PROXY

MODULES = "/usr/lib/baresip/modules"
CONFIG = """sip_listen %s:5060
module_path %s
module g711.so
module aufile.so
module srtp.so
module_app account.so
module_app menu.so
audio_source aufile,%s/in.wav
audio_player aufile,%s/out.wav
audio_alert aufile,%s/alert.wav
rtp_ports 30000-31000
rtcp_mux no
"""
ACCOUNT = '<%s>;regint=0;mediaenc=srtp-mand;answermode=auto;outbound="sip:%s:5060";audio_codecs=pcmu\n'


def tone(path, pitch, seconds=30):
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        step = pitch * 2 * math.pi / 8000
        w.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(i * step))) for i in range(8000 * seconds)))


def phone(bed, name, host, identity, pitch):
    """A folder with its configuration."""
    folder = bed.path("phone-" + name)
    os.makedirs(folder, exist_ok=True)
    for file, text in (("config", CONFIG % (host, MODULES, folder, folder, folder)), ("accounts", ACCOUNT % (identity, PROXY)),
                       ("contacts", "")):
        with open(os.path.join(folder, file), "w", encoding="utf-8") as f:
            f.write(text)
    tone(os.path.join(folder, "in.wav"), pitch)
    return folder


def call(bed, caller, callee, seconds):
    """Begins a call of so many seconds, which the caller ends. Returns what waits for its end."""
    if shutil.which("baresip") is None or not os.path.exists(os.path.join(MODULES, "srtp.so")):
        raise unittest.SkipTest("baresip is not installed")
    their = bed.start("b", "baresip", "-f", phone(bed, "b", CALLEE, callee, 300), "-t", str(seconds + 3))
    our = bed.start("a", "sh", "-c", 'sleep 1; exec baresip -f "$0" -t "$1" -e "d$2"', phone(bed, "a", CALLER, caller, 440),
                    str(seconds), callee)

    def end():
        codes = our.wait(PATIENCE), their.wait(PATIENCE)
        if codes != (0, 0):
            raise AssertionError("baresip ended with %s: %s" % (codes, bed.said()))
    return end
