"""A PostgreSQL server for tests: its own data in a folder of its own, on a unix socket and on loopback, gone when the test is.

    postgres.py CERTS PROGRAM…   runs PROGRAM URL CERTS while the server is up; CERTS as support/certs.py makes them

The environment has the folder of its socket in OTWAY_TEST_SOCKETS and the port it has in both places in OTWAY_TEST_PORT. The roles
are those of deploy/postgresql.sql; "secretive" needs a password. Exit code 77, which counts as skipped, where no server is installed.
"""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BEGIN_SECONDS = 60
PR_SET_PDEATHSIG = 1
# "secretive" needs a password, over a socket as well; TLS is all that the network has.
HBA = """local all secretive scram-sha-256
local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""


def programs():
    """The folder of initdb and postgres; None: none are here."""
    known = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[-2]), reverse=True)
    found = shutil.which("initdb")
    for folder in known + ([os.path.dirname(os.path.realpath(found))] if found else []):
        if os.path.exists(os.path.join(folder, "initdb")) and os.path.exists(os.path.join(folder, "postgres")):
            return folder
    return None


def user():
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise RuntimeError("no user to run a server as")


def as_user(who):
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


class Server:
    """with Server(certs) as server: server.url, server.sockets, server.port"""

    def __init__(self, certs):
        self.bin, self.who, self.certs = programs(), user(), certs
        self.folder = tempfile.mkdtemp(prefix="otway-pg-")
        self.data, self.sockets, self.port = os.path.join(self.folder, "data"), os.path.join(self.folder, "s"), free_port()
        self.process = None

    def own(self, path, mode):
        if self.who:
            os.chown(path, self.who.pw_uid, self.who.pw_gid)
        os.chmod(path, mode)

    def make(self):
        os.mkdir(self.sockets)
        os.mkdir(self.data)
        for path in (self.folder, self.data, self.sockets):
            self.own(path, 0o700)
        subprocess.run([os.path.join(self.bin, "initdb"), "--no-sync", "-D", self.data, "-U", "admin", "-E", "UTF8", "--locale=C.UTF-8",
                        "--auth=trust"], check=True, stdout=subprocess.DEVNULL, cwd="/", **as_user(self.who))
        for kind in ("pem", "key"):
            copy = os.path.join(self.data, "server." + kind)
            shutil.copy(os.path.join(self.certs, "one.kms." + kind), copy)
            self.own(copy, 0o600)
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as f:
            f.write(HBA)

    def start(self):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.sockets, "fsync": "off",
                    "ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key", "max_connections": 40,
                    "shared_buffers": "16MB"}
        args = [os.path.join(self.bin, "postgres"), "-D", self.data]
        for name, value in settings.items():
            args += ["-c", f"{name}={value}"]
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(args, cwd="/", stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        preexec_fn=die_with_parent, **as_user(self.who))
        end = time.monotonic() + BEGIN_SECONDS
        while self.sql("postgres", "SELECT 1", quiet=True) != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log.name, encoding="utf-8", errors="replace") as log:
                    raise RuntimeError("the server does not start: " + log.read()[-2000:])
            time.sleep(0.1)

    def start_first(self):
        """Somebody else may have taken the port meanwhile."""
        for _ in range(2):
            try:
                return self.start()
            except RuntimeError:
                self.stop()
                self.port = free_port()
        return self.start()

    def sql(self, database, *statements, quiet=False):
        args = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.sockets, "-p", str(self.port), "-U", "admin", "-d", database]
        for one in statements:
            args += ["-f", one] if one.endswith(".sql") else ["-c", one]
        done = subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if quiet else None, check=False)
        if done.returncode != 0 and not quiet:
            raise RuntimeError("psql: " + " ".join(statements))
        return done.returncode

    @property
    def url(self):
        return f"postgresql://admin@/otway?host={self.sockets}&port={self.port}"

    def __enter__(self):
        try:
            self.make()
            self.start_first()
            self.sql("postgres", "CREATE DATABASE otway TEMPLATE template0 ENCODING 'UTF8'",
                     "CREATE ROLE secretive LOGIN PASSWORD 'open sesame'", "GRANT CONNECT ON DATABASE otway TO secretive")
            self.sql("otway", os.path.join(ROOT, "deploy", "postgresql.sql"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def stop(self):
        """Clients are cut off; what was committed stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(20)
        if self.process is not None:
            self.log.close()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def stop_cleanly(*_):
    sys.exit(1)


def main(certs, command):
    if programs() is None:
        return 77
    signal.signal(signal.SIGTERM, stop_cleanly)
    with Server(certs) as server:
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        env.update(OTWAY_TEST_SOCKETS=server.sockets, OTWAY_TEST_PORT=str(server.port))
        return subprocess.run([*command, server.url, certs], env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
