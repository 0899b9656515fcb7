"""prometheus: reads the text format of Prometheus, version 0.0.4, strictly: whatever its description does not allow is an error."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
KINDS = ("counter", "gauge", "histogram", "summary", "untyped")
SENTENCE = re.compile(r"[A-Z0-9][^.\\]*\.")
ESCAPES = {"\\": "\\", '"': '"', "n": "\n"}


class Malformed(Exception):
    pass


def word(pattern, text, at):
    found = pattern.match(text, at)
    if found is None:
        raise Malformed("no name at %d of %r" % (at, text))
    return found.group(), found.end()


def quoted(text, at):
    """A label's value and what lies behind it."""
    if text[at:at + 1] != '"':
        raise Malformed("no quotation mark at %d of %r" % (at, text))
    value, at = [], at + 1
    while True:
        c = text[at:at + 1]
        if c == "":
            raise Malformed("a value without an end in %r" % text)
        if c == '"':
            return "".join(value), at + 1
        if c == "\\":
            at += 1
            if text[at:at + 1] not in ESCAPES:
                raise Malformed("an escape that is none in %r" % text)
            c = ESCAPES[text[at]]
        value.append(c)
        at += 1


def labels_of(text, at):
    found = {}
    while True:
        name, at = word(LABEL, text, at)
        if name in found or name.startswith("__") or text[at:at + 1] != "=":
            raise Malformed("a label in %r" % text)
        found[name], at = quoted(text, at + 1)
        if text[at:at + 1] == "}":
            return found, at + 1
        if text[at:at + 1] != ",":
            raise Malformed("no comma at %d of %r" % (at, text))
        at += 1


def sample(text):
    """(name, labels, value)"""
    name, at = word(NAME, text, 0)
    labels = {}
    if text[at:at + 1] == "{":
        labels, at = labels_of(text, at + 1)
    if text[at:at + 1] != " ":
        raise Malformed("no value in %r" % text)
    if not re.fullmatch(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf|NaN)", text[at + 1:]):
        raise Malformed("%r is no value" % text[at + 1:])
    return name, labels, float(text[at + 1:])


def read(text):
    """{name: (kind, {labels as a sorted tuple of pairs: value})}; each family says what it is, in a sentence, and then its kind."""
    if text and not text.endswith("\n"):
        raise Malformed("the last line does not end")
    families, last, helped = {}, None, {}
    for line in text.split("\n")[:-1]:
        if line.startswith("#"):
            words = line.split(" ")
            if words[:2] == ["#", "HELP"]:
                if len(words) < 4 or not NAME.fullmatch(words[2]) or words[2] in helped:
                    raise Malformed(line)
                helped[words[2]] = " ".join(words[3:])
            if words[:2] == ["#", "TYPE"]:
                if len(words) != 4 or not NAME.fullmatch(words[2]) or words[3] not in KINDS or words[2] in families:
                    raise Malformed(line)
                if not SENTENCE.fullmatch(helped.get(words[2], "")) or list(helped)[-1] != words[2]:
                    raise Malformed("nothing before it says what it is: %s" % line)
                last = words[2]
                families[last] = (words[3], {})
            continue
        name, labels, value = sample(line)
        key = tuple(sorted(labels.items()))
        if name != last or key in families[name][1]:
            raise Malformed("out of its place, or twice: %r" % line)
        families[name][1][key] = value
    for name, (kind, samples) in families.items():
        if not samples or (kind == "counter") != name.endswith("_total") or any(v < 0 for v in samples.values()):
            raise Malformed(name)
    return families
