"""Judges what the JSON scanner says of lines, with Python's own json, which knows RFC 8259 independently.

    json_events.py FILE

A line of FILE has four fields separated by tabs: the text in hexadecimal; "event", "blank" or "refused";
what the scanner found of event_type; and of connector. A value is "-" where it is missing, "s:" and the
string in hexadecimal UTF-8, or "o:" and the text of any other value in hexadecimal.

Prints one line for each disagreement, and then how many lines of each kind Python saw:

    events blank refused
"""

import json
import re
import sys


def refuse(name):
    raise ValueError(f"{name} is no JSON")


def number(text):
    """A number is kept as its text: Python reads no integers of thousands of digits, and floats are not exact."""
    return ("number", text)


DECODER = json.JSONDecoder(parse_constant=refuse, parse_int=number, parse_float=number)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def judge(text):
    """The kind of the line, and the event where it is one."""
    if not text.strip(b" \t\r"):
        return "blank", None
    try:
        document = DECODER.decode(text.decode())
    except ValueError:
        return "refused", None
    return ("event", document) if isinstance(document, dict) else ("refused", None)


def agrees(event, name, said):
    if name not in event:
        return said == "-"
    value = event[name]
    if isinstance(value, str):
        return said == "s:" + LONE_SURROGATE.sub("\ufffd", value).encode().hex()
    return said.startswith("o:") and DECODER.decode(bytes.fromhex(said[2:]).decode()) == value


def main():
    counts = {"event": 0, "blank": 0, "refused": 0}
    with open(sys.argv[1], encoding="ascii") as lines:
        for line in lines:
            text, kind, event_type, connector = line.rstrip("\n").split("\t")
            wanted, event = judge(bytes.fromhex(text))
            counts[wanted] += 1
            if kind != wanted:
                print(f"{bytes.fromhex(text)}: {kind}, but Python says {wanted}")
            elif event is not None:
                for name, said in (("event_type", event_type), ("connector", connector)):
                    if not agrees(event, name, said):
                        print(f"{bytes.fromhex(text)}: {name} is {said}, not {event.get(name)!r}")
    print(*counts.values())


main()
