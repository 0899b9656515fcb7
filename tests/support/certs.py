"""Certificates for tests, made by the openssl command: a CA of its own for every network, and who it vouches for.

    certs.py DIR              the set that unit tests use
"""

import os
import subprocess
import sys


def openssl(*args):
    subprocess.run(("openssl", *args), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Authority:
    """A CA below `where`: NAME.ca.pem, and NAME.PERSON.pem with NAME.PERSON.key for each person."""

    def __init__(self, where, name):
        os.makedirs(where, exist_ok=True)
        self.base = os.path.join(where, name)
        self.ca = self.base + ".ca.pem"
        if not os.path.exists(self.ca):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                    "-subj", "/CN=CA of " + name, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                    "-keyout", self.base + ".ca.key", "-out", self.ca)

    def vouch(self, person, names="IP:127.0.0.1,IP:::1,DNS:localhost", subject=None):
        """(certificate, key) of a person, who is also a server of those names. subject: other than its common name alone."""
        cert, key = f"{self.base}.{person}.pem", f"{self.base}.{person}.key"
        if not os.path.exists(cert):
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject or "/CN=" + person,
                    "-addext", "subjectAltName=" + names, "-keyout", key, "-out", cert + ".csr")
            openssl("x509", "-req", "-in", cert + ".csr", "-CA", self.ca, "-CAkey", self.base + ".ca.key", "-CAcreateserial",
                    "-days", "3650", "-copy_extensions", "copy", "-out", cert)
            os.chmod(key, 0o600)
        return cert, key


def main(where):
    one, other = Authority(where, "one"), Authority(where, "other")
    one.vouch("li")
    one.vouch("kms")
    one.vouch("elsewhere", "DNS:kms.elsewhere.example")
    one.vouch("unnamed", subject="/O=nobody")
    one.vouch("double", subject="/CN=li/CN=double")
    other.vouch("li")
    other.vouch("kms")


if __name__ == "__main__":
    main(sys.argv[1])
