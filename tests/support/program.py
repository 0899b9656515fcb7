"""program: runs otway for a test, with a store of its own in a folder of its own."""

import datetime
import json
import os
import resource
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAPTURES = os.path.join(ROOT, "captures")
# The program under test; meson says which.
OTWAY = os.environ.get("OTWAY", os.path.join(ROOT, "build", "asan", "src", "otway"))
# A test that hangs has failed.
PATIENCE = 180


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return "exit %d\n--- stdout\n%s\n--- stderr\n%s" % (
            self.code, self.out.decode("utf-8", "replace")[-2000:], self.err.decode("utf-8", "replace")[-4000:])


def stamp(at):
    """Nanoseconds since 1970 as RFC 3339 in UTC."""
    sec, frac = divmod(at, 10**9)
    return datetime.datetime.fromtimestamp(sec, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%09dZ" % frac


class Otway:
    """One store and a place for case folders; all of it goes when the test ends."""

    def __init__(self):
        self._tmp = tempfile.TemporaryDirectory(prefix="otway-test-")
        self.folder = self._tmp.name
        self.store = os.path.join(self.folder, "store", "warrants.db")
        self.url = None  # of a store that is elsewhere

    def close(self):
        self._tmp.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run(self, *args, stdin=None, code=None, file_size_max=None):
        """`otway ARGS` with this store. With `code` another exit code is an error of the test; file_size_max stands for a full
        disk: writing on fails (EFBIG)."""
        args = [str(a) for a in args]
        nouns = 2 if args[0] in ("agency", "warrant", "audit", "kms", "config") else 1
        command = [OTWAY] + args[:nouns] + ["--store", self.url or "sqlite:" + self.store] + args[nouns:]
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "PG"))}
        env["HOME"] = self.folder
        limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_max, file_size_max))) if file_size_max else None
        done = subprocess.run(command, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, env=env, cwd=self.folder,
                              preexec_fn=limit, restore_signals=limit is None)
        result = Result(done)
        if code is not None and result.code not in ((code,) if isinstance(code, int) else code):
            raise AssertionError("%s: exit code %s expected, got %r" % (" ".join(command), code, result))
        return result

    _stores = {}  # name of an agency -> the files of a store that knows it alone

    def agency(self, name):
        """Enters an agency; the first of a store is entered once for all tests and copied."""
        folder = os.path.dirname(self.store)
        if os.path.exists(folder):
            self.run("agency", "add", name, code=0)
        elif name in self._stores:
            os.mkdir(folder, 0o700)
            for file, octets in self._stores[name].items():
                with open(os.open(os.path.join(folder, file), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
                    f.write(octets)
        else:
            self.run("agency", "add", name, code=0)
            self._stores[name] = tree(folder)

    def warrant(self, liid, target, agency="Test Agency", start="2000-01-01T00:00:00Z", end="2100-01-01T00:00:00Z",
                authority="order 1/26", trust=False, more=(), code=0):
        targets = [target] if isinstance(target, str) else target
        words = ["--liid", liid, "--agency", agency]
        for t in targets:
            words += ["--target", t]
        words += ["--from", start, "--until", end, "--authority", authority]
        return self.run("warrant", "add", *words, *(["--trust-from"] if trust else []), *more, code=code)

    def decrypt(self, captures, out="case", more=(), **how):
        captures = [captures] if isinstance(captures, str) else captures
        return self.run("decrypt", "--verbose", *captures, "--out", self.path(out), *more, **how)

    def keys_file(self, keys, name="keys.json", mode=0o600):
        path = self.path(name)
        with open(path, "w") as f:
            json.dump(keys, f)
        os.chmod(path, mode)
        return path

    def case(self, liid, out="case"):
        with open(self.path(out, liid, "case.json"), encoding="utf-8") as f:
            return json.load(f)


def tree(folder):
    """{relative path: octets} of every file below a folder."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found
