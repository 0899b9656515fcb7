"""Turns the schema files, in the order given, into a C array of strings: embed.py OUT.c NAME FILE.sql…"""
import sys


def main(out, name, files):
    with open(out, "w", encoding="ascii") as c:
        c.write("/* made from the schema files by schema/embed.py */\n#include \"backend.h\"\n\n")
        for i, path in enumerate(files):
            with open(path, "rb") as sql:
                octets = ",".join(str(b) for b in sql.read() + b"\0")
            c.write(f"static const char schema_{i}[] = {{{octets}}};\n")
        rows = ", ".join(f"schema_{i}" for i in range(len(files)))
        c.write(f"\nconst char *const {name}[] = {{ {rows} }};\nconst size_t {name}_count = {len(files)};\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
