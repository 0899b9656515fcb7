"""kms: runs the reference KMS for a test, with a folder of its own: settings, users, keys, certificates."""

import os
import secrets
import shutil
import signal
import subprocess
import time

from certs import Authority
from program import OTWAY, PATIENCE


class Network:
    """An operator: its domain, its CA, its users and its KMS. `otway` (program.Otway) is what may ask it."""

    def __init__(self, folder, domain, li="li"):
        self.domain = domain
        self.folder = os.path.join(folder, domain)
        os.makedirs(self.folder, exist_ok=True)
        self.certs = Authority(self.folder, "ca")
        self.li = self.certs.vouch(li)
        self.user_side = self.certs.vouch("proxy")
        self.li_name = li
        self.identity = "sip:kms@" + domain
        self.users, self.answerers, self.more = {}, [], {}
        self.process = None
        self.port = 0
        self._write("store.key", secrets.token_hex(32))

    def path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def user(self, identity, answerers=()):
        """A user and the key shared with it."""
        self.users[identity] = (secrets.token_bytes(16), list(answerers))
        return self.users[identity][0]

    def settings(self):
        cert, key = self.certs.vouch("kms")
        lines = [f"identity: {self.identity}", f"listen: 127.0.0.1:{self.port}", f"ca: {self.certs.ca}", f"cert: {cert}",
                 f"key: {key}", "li_clients:", f"  - {self.li_name}", f"store: {self.path('kms.db')}",
                 f"store_key: {self.path('store.key')}"]
        lines += [f"{k}: {v}" for k, v in self.more.items()]
        if self.answerers:
            lines += ["answerers:"] + [f"  - '{a}'" for a in self.answerers]
        if self.users:
            lines += ["users:"]
        for identity, (psk, answerers) in self.users.items():
            lines += [f"  - identity: {identity}", f"    psk: '{psk.hex()}'"]
            if answerers:
                lines += ["    answerers:"] + [f"      - '{a}'" for a in answerers]
        return self._write("kms.yaml", "\n".join(lines) + "\n")

    def start(self):
        """Starts the KMS, at the port it had before if it ran before; returns its port."""
        told = self.path("port")
        if os.path.exists(told):
            os.unlink(told)
        with open(self.path("kms.err"), "ab") as err:
            self.process = subprocess.Popen([OTWAY, "kms", "serve", self.settings(), "--port-file", told],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
        end = time.monotonic() + PATIENCE
        while not self._told(told):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("the KMS did not start: " + self.said())
            time.sleep(0.01)
        self.port = int(self._told(told))
        return self.port

    @staticmethod
    def _told(path):
        if not os.path.exists(path):
            return ""
        with open(path, encoding="ascii") as f:
            return f.read().strip()

    def said(self):
        with open(self.path("kms.err"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE)
            code, self.process = self.process.returncode, None
            return code
        return None

    def close(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def agree(self, otway, *more):
        """The agreement of `otway` with this KMS; `more` are options such as --home."""
        cert, key = self.li
        return otway.run("kms", "add", self.identity, "--url", self.url, "--ca", self.certs.ca, "--cert", cert, "--key", key,
                         *more, code=0)

    def log(self, otway):
        """The KMS's own trail, as its operator sees it."""
        import json
        out = otway.run("kms", "log", self.path("kms.yaml"), "--json", code=0).out
        return [json.loads(line) for line in out.splitlines()]
