"""Turns the style and the script of the page into C strings: embed.py OUT.c NAME=FILE…"""
import sys


def main(out, parts):
    with open(out, "w", encoding="ascii") as c:
        c.write("/* made by page/embed.py */\n#include \"page.h\"\n\n")
        for part in parts:
            name, path = part.split("=", 1)
            with open(path, "rb") as f:
                octets = ",".join(str(b) for b in f.read() + b"\0")
            c.write(f"const char {name}[] = {{{octets}}};\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
