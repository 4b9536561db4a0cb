"""Reads random shared files with botocore, which knows their format independently of this project.

    profiles.py SEED COUNT

Prints one line a case: the config file, the credentials file and the profiles in them, separated by
tabs. Every text is hexadecimal UTF-8. Profiles end with ";", and are a name and pairs of key and value,
all separated by ":". Comments behind values are left out: botocore takes them for a part of the value,
and the other SDKs do not.
"""

import pathlib
import random
import sys
import tempfile

from botocore.configloader import load_config, raw_config_parse

NAMES = ["default", "orders", "a-b", "two words", "x.y"]
KEYS = ["aws_access_key_id", "AWS_Secret_Access_Key", "role_arn", "source_profile", "region",
        "credential_process", "external_id", "duration_seconds"]
VALUES = ["AKIA", "a/b+c=", "x = y", "arn:aws:iam::123456789012:role/a", "sh -c 'echo \"x\"'", "3600",
          "#x", "ä", "", "[x]", "a;b", "a#b"]
BLANKS = ["", " ", "  ", "\t"]


def section(rng, kind, name):
    if kind == "credentials":
        return f"[{name}]"
    if name == "default":
        return rng.choice(["[default]", "[profile default]"])
    return f'[profile "{name}"]' if " " in name else rng.choice(["[profile {}]", "[profile  {}]"]).format(name)


def file(rng, kind):
    lines = rng.choice([[], ["# comment"], ["", "; comment"]])
    for name in rng.sample(NAMES, rng.randrange(4)):
        lines.append(section(rng, kind, name) + rng.choice(["", " "]))
        for key in rng.sample(KEYS, rng.randrange(5)):
            lines.append(key + rng.choice(BLANKS) + "=" + rng.choice(BLANKS) + rng.choice(VALUES)
                         + rng.choice(BLANKS))
            lines += rng.choice([[], [], ["# comment"], ["; comment = x"], [""]])
        if rng.random() < 0.3:
            lines += ["s3 =", "    max_queue_size = 10", "\tregion = nested"]
    if kind == "config" and rng.random() < 0.3:
        lines += ["[sso-session orders]", "region = sso"]
    return rng.choice(["\n", "\r\n"]).join(lines) + rng.choice(["", "\n"])


def hexed(text):
    return text.encode().hex()


def main():
    rng = random.Random(int(sys.argv[1]))
    with tempfile.TemporaryDirectory() as directory:
        config, credentials = (pathlib.Path(directory) / name for name in ("config", "credentials"))
        for _ in range(int(sys.argv[2])):
            config.write_bytes(file(rng, "config").encode())
            credentials.write_bytes(file(rng, "credentials").encode())
            # As botocore.session.Session.full_config does it.
            profiles = load_config(str(config))["profiles"]
            for name, values in raw_config_parse(str(credentials)).items():
                profiles.setdefault(name, {}).update(values)
            print("\t".join([
                config.read_bytes().hex(), credentials.read_bytes().hex(),
                "".join(":".join([hexed(name), *(hexed(text) for pair in values.items() for text in pair
                                                if not isinstance(pair[1], dict))]) + ";"
                        for name, values in profiles.items())]))


main()
