"""slow_kms: the LI side of a KMS that takes its time, for a test: `slow_kms.py FOLDER MILLISECONDS` serves until its input ends. It knows no
call: the keys of one follow from its Call-ID (key_of), for who sends and for who asks. Says its URL, and at the end how many it gave."""

import asyncio
import base64
import hashlib
import json
import os
import ssl
import subprocess
import sys

from certs import Authority
from otway_rees_ue import A, ANSWER, B, ENVELOPE_A, NR, OFFER, POLICY, R, encode, policy, sdp_line

SESSIONS = policy([(1, "AES_CM_128_HMAC_SHA1_80", b""), (2, "AES_CM_128_HMAC_SHA1_80", b"")])


def key_of(call_id, cs):
    """Master key and salt of a crypto session of AES_CM_128."""
    return hashlib.sha256(b"%d %s" % (cs, call_id.encode())).digest()[:30]


def tokens(call_id, caller, callee):
    """The lines of an offer and of its answer (otway_rees.h): envelopes that nobody opens here."""
    m, sealed = hashlib.sha256(call_id.encode()).digest()[:16], hashlib.sha512(call_id.encode()).digest() * 2
    fields = {A: caller.encode(), B: callee.encode(), POLICY: SESSIONS, ENVELOPE_A: sealed}
    return (sdp_line(encode(OFFER, m, fields)), sdp_line(encode(ANSWER, m, {**fields, R: callee.encode(), NR: sealed[:16]})))


def answer(body):
    call_id = body["dialog"]["call_id"]
    keys = [{"cs": cs, "key": base64.b64encode(key_of(call_id, cs)[:16]).decode(),
             "salt": base64.b64encode(key_of(call_id, cs)[16:]).decode(), "mki": None} for cs in (1, 2)]
    return {"request": body["request"], "keys": keys}


class Server:
    def __init__(self, delay):
        self.delay, self.given = delay, 0

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                body = json.loads(await reader.readexactly(size))
                await asyncio.sleep(self.delay)
                said = {"request": body["request"], "purged": 0}
                if head.split()[1].endswith(b"/keys"):
                    self.given += 1
                    said = answer(body)
                octets = json.dumps(said).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(octets) + octets)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


async def main(folder, delay):
    ours = Authority(folder, "ours")
    cert, key = ours.vouch("kms")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(cert, key)
    context.load_verify_locations(ours.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(delay)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context, backlog=512)
    print("https://127.0.0.1:%d" % listening.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(server.given, flush=True)


class SlowKms:
    """Runs it in a namespace of a network."""

    def __init__(self, network, folder, milliseconds):
        ours = Authority(folder, "ours")
        self.ca, self.li = ours.ca, ours.vouch("li")
        ours.vouch("kms")
        self.process = network.start("m", sys.executable, os.path.abspath(__file__), folder, str(milliseconds), stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def close(self):
        """How many keys it gave."""
        if self.process.poll() is not None:
            return None
        said, _ = self.process.communicate("")
        return int(said)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], int(sys.argv[2]) / 1000))
    finally:
        os._exit(0)  # connections that are still open hold nobody up
