"""The shape of the tree: who may know whom, names, headers that stand alone, files that fit a head."""

import os
import re
import shutil
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SRC, INCLUDE = os.path.join(ROOT, "src"), os.path.join(ROOT, "include")

# Neighbours: they stand on base and model, and do not know each other.
STAGES = ["capture", "decap", "sip", "match", "call", "media", "delivery", "kms", "store", "io"]
# What the way of a packet is made of; its ends are not.
WAY = ["decap", "sip", "match", "call", "media"]
# Who may see which outside library.
LIBRARIES = {
    "pcap": ["capture", "delivery"],
    "osip": ["sip"],
    "srtp2/": [],
    "sqlite3": ["store"],
    "libpq-fe": ["store"],
    "libav": ["delivery"],
    "libsw": ["delivery"],
    "seccomp": ["delivery", "daemon"],
    "openssl/": ["base", "media", "io"],
    "event2/": ["io"],
    "cyaml": ["base"],
    "jansson": ["base", "delivery", "kms", "store", "cli", "daemon"],
}
LINES_MAX = 400
# Named for what everybody calls them.
KNOWN_NAMES = re.compile(r"(put_)?be(16|24|32|64)$")
# Where state for the whole program is meant: how much is logged, a library that must be started once, what a signal leaves.
STATEFUL = {os.path.join("src", "base", "log.c"), os.path.join("src", "cli", "reading.c")}


def sources(*suffixes):
    for top in (SRC, INCLUDE):
        for where, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                if name.endswith(suffixes):
                    yield os.path.join(where, name)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def short(path):
    return os.path.relpath(path, ROOT)


def folder_of(path):
    """"media" for src/media/unseal.c, "" for src/pipeline.c."""
    parts = os.path.relpath(path, SRC).split(os.sep)
    return parts[0] if len(parts) > 1 else ""


def home_of(header):
    """Which folder a header of include/otway speaks for; "" for the pipeline."""
    name = header[len("otway/"):-len(".h")]
    if "/" in name:
        return name.split("/")[0]
    for folder in sorted(os.listdir(SRC)):
        if os.path.exists(os.path.join(SRC, folder, name + ".c")):
            return folder
    return ""


def includes(path):
    return re.findall(r'^#include ([<"][^>"]+)[>"]', read(path), re.M)


class Includes(unittest.TestCase):
    """Arrows only go down."""

    def allowed(self, folder):
        if folder == "base":
            return {"base"}
        if folder == "model":
            return {"base", "model"}
        if folder in STAGES:
            return {"base", "model", folder}
        if folder == "":
            return {"base", "model", "", "cli", *WAY}
        if folder == "cli":
            return {"base", "model", "", "daemon", folder, *STAGES}
        return {"base", "model", "", folder, *STAGES}

    def test_a_body_includes_its_own_contract_and_what_lies_beneath(self):
        for path in sources(".c", ".h"):
            if path.startswith(INCLUDE):
                continue
            for header in includes(path):
                with self.subTest(file=short(path), header=header[1:]):
                    if header.startswith('"otway/'):
                        self.assertIn(home_of(header[1:]), self.allowed(folder_of(path)))
                    elif header.startswith('"'):
                        self.assertNotIn("/", header, "a private header lies beside its bodies")
                        self.assertTrue(os.path.exists(os.path.join(os.path.dirname(path), header[1:])))

    def test_the_pipeline_does_not_know_its_ends(self):
        for path in sources(".c", ".h"):
            if os.path.basename(path).startswith("pipeline") and path.startswith(SRC):
                for header in includes(path):
                    if header.startswith('"otway/'):
                        self.assertIn(home_of(header[1:]), {"base", "model", "", *WAY}, short(path))

    def test_a_contract_includes_contracts_beneath_it_only(self):
        for path in sources(".h"):
            if not path.startswith(INCLUDE):
                continue
            name = os.path.relpath(path, INCLUDE)
            folder = home_of(name)
            for header in includes(path):
                if header.startswith('"'):
                    with self.subTest(file=short(path), header=header[1:]):
                        self.assertIn(home_of(header[1:]), {"base"} if folder == "base" else {"base", "model", folder} if folder != "" else
                                      {"base", "model", *WAY})

    def test_an_outside_library_is_seen_by_few(self):
        for path in sources(".c", ".h"):
            for header in includes(path):
                for library, folders in LIBRARIES.items():
                    if header.startswith("<" + library) and header != "<pcap/pcap-inttypes.h":
                        with self.subTest(file=short(path), header=header[1:]):
                            self.assertTrue(path.startswith(SRC), "no contract shows an outside library")
                            self.assertIn(folder_of(path), folders)

    def test_libcrypto_is_seen_by_one_file_of_a_folder(self):
        seen = [folder_of(p) for p in sources(".c", ".h") if any(h.startswith("<openssl/") for h in includes(p))
                and not re.match(r"crypto(_\w+)?\.c$", os.path.basename(p))]
        self.assertEqual(len(seen), len(set(seen)), "base has crypto, media one engine, io one file for TLS")


class Headers(unittest.TestCase):
    def test_each_contract_compiles_alone(self):
        compiler = os.environ.get("CC", "cc")
        for path in sources(".h"):
            if path.startswith(INCLUDE):
                with self.subTest(short(path)):
                    done = subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-I", INCLUDE, "-Wall", "-Wextra", "-Werror",
                                           "-fsyntax-only", "-x", "c", path], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_each_private_header_compiles_alone(self):
        compiler = os.environ.get("CC", "cc")
        for path in sources(".h"):
            if path.startswith(SRC):
                with self.subTest(short(path)):
                    done = subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-I", INCLUDE, "-fsyntax-only", "-x", "c", path],
                                          capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_function_is_named_after_its_header_or_a_type_of_it(self):
        declared = re.compile(r"^(?:static inline )?(?:const )?(?:struct |enum |unsigned )?\w+[ *]+(\w+)\(", re.M)
        for path in sources(".h"):
            if not path.startswith(INCLUDE):
                continue
            text = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
            stem = os.path.basename(path)[:-2]
            prefixes = {stem} | set(re.findall(r"^(?:typedef )?(?:struct|enum) (\w+)", text, re.M))
            prefixes |= set(re.findall(r"^typedef \w+ (\w+?)_t;", text, re.M)) | {p.rstrip("s") for p in (stem,)}
            for name in declared.findall(text):
                if KNOWN_NAMES.match(name):
                    continue
                with self.subTest(header=short(path), function=name):
                    self.assertTrue(any(name.startswith(p + "_") or name == p for p in prefixes) or
                                    any(name.startswith(p.split("_")[0] + "_") for p in prefixes), name)

    def test_every_guard_bears_the_name_of_its_file(self):
        for path in sources(".h"):
            if path.startswith(INCLUDE):
                guard = re.sub(r"\W", "_", os.path.relpath(path, INCLUDE)).upper()
                self.assertIn("#ifndef %s\n#define %s\n" % (guard, guard), read(path), short(path))


class Files(unittest.TestCase):
    def test_a_file_begins_with_what_it_is_for(self):
        for path in sources(".c", ".h"):
            with self.subTest(short(path)):
                self.assertTrue(read(path).startswith("/*"))

    def test_a_file_fits_a_head(self):
        for path in sources(".c", ".h"):
            with self.subTest(short(path)):
                self.assertLessEqual(read(path).count("\n"), LINES_MAX)

    def test_no_file_holds_state_that_changes(self):
        """Such state belongs to a struct that somebody owns."""
        kept = re.compile(r"^static (?!const\b|inline\b|_Thread_local\b)[^(\n]*?(?:;|=|\[)", re.M)
        for path in sources(".c"):
            with self.subTest(short(path)):
                found = [line for line in kept.findall(read(path)) if "const" not in line]
                if short(path) not in STATEFUL:
                    self.assertEqual(found, [])

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not here")
    def test_the_spacing_of_bodies_is_clang_formats(self):
        """Headers are tables for people to read; their columns are set by hand."""
        paths = list(sources(".c"))
        for where, _, names in os.walk(os.path.join(ROOT, "tests")):
            paths += [os.path.join(where, n) for n in sorted(names) if n.endswith(".c")]
        done = subprocess.run(["clang-format", "--style=file", "--dry-run", "-Werror", *paths], capture_output=True, text=True, cwd=ROOT)
        found = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "clang-format-violations" in line})
        self.assertEqual([os.path.relpath(p, ROOT) for p in found], [])

    def test_no_path_of_somebodys_machine_is_written_down(self):
        for where, folders, names in os.walk(ROOT):
            folders[:] = sorted(f for f in folders if f not in (".git", "__pycache__") and not f.startswith("build"))
            for name in sorted(names):
                path = os.path.join(where, name)
                if name.endswith((".c", ".h", ".py", ".md", ".build", ".txt", ".html", ".sql")) or "." not in name:
                    with open(path, "rb") as f:
                        found = re.findall(rb"(?<![\w.])/(?:wor" + rb"k|root|home)/\w+", f.read())
                    self.assertEqual(found, [], short(path))


if __name__ == "__main__":
    unittest.main()
