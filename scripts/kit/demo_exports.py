#!/usr/bin/env python3
"""Shows what Sluice does with files as they are: each becomes one object, under the name that was asked for.

Started by scripts/demo exports, which builds the binaries first. Everything happens in a temporary directory and on
loopback; nothing is left behind.
"""

import hashlib
import json
import pathlib
import random
import subprocess
import sys
import textwrap
import zipfile

from demo import BINARIES, heading, run_in_scratch
from demo_story import Story
from local_s3 import REGION, LocalS3

BUCKET = "acme-exports"
MULTIPART = 16 << 20
"""Bytes above which objects go in parts here; 100 MiB unless configured."""
REMOVE_AFTER = 4
"""Seconds; in real life rather hours."""


class Exports(Story):
    def __init__(self, directory: pathlib.Path, s3: LocalS3):
        super().__init__(directory, s3)
        self.sent: dict[str, bytes] = {}
        """What each address must have."""

    def begin(self) -> None:
        print("\nReports and exports of any kind are backed up to a bucket as they are: each file becomes one "
              "object.")
        self.configure()

    def tell(self) -> None:
        self.wait("the spool is ready", (self.spool / "incoming/scratch").is_dir)
        heading(2, "Files are submitted; where their objects lie is printed")
        users = self.file("users.csv", b"id,name\n" + b"".join(
            f"{number},somebody {number}\n".encode() for number in range(20_000)))
        self.submit("reports", users)
        self.submit("reports", "--as", "2026/11/users.csv", users)
        archive = self.directory / "50% of it.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            out.write(users, "users.csv")
        self.submit("reports", "--as", "2026/11/", archive, self.file("nothing.txt", b""))
        self.submit("segments", "--as", "vip/users.csv", users)

        heading(3, f"One of 40 MB, in parts, since it is larger than {MULTIPART >> 20} MiB here")
        self.submit("reports", self.file("events.parquet", random.Random(7).randbytes(40_000_000)))

        heading(4, "The same name again: the same bytes are no conflict, others never overwrite silently")
        self.submit("reports", users)
        other = self.directory / "other" / "users.csv"
        other.parent.mkdir()
        other.write_bytes(b"id,name\n1,somebody else\n")
        self.submit("reports", other, fails=True)
        self.submit("copies", users)
        self.submit("copies", other)

        heading(5, f"A connector that deletes its objects again, here after {REMOVE_AFTER} seconds")
        (address,) = self.submit("scratch", self.file("draft.pdf", b"%PDF"))
        key = address.split("/", 3)[3]
        self.wait("the object is deleted", lambda: key not in self.s3.keys(BUCKET))
        print(f"{address} is gone again")
        del self.sent[address]

    # Steps

    def configure(self) -> None:
        heading(1, "Connectors of kind \"data-export\", and the policy that is enough for each")
        self.s3.make_bucket(BUCKET)
        self.write_configuration()
        connectors = {
            "reports": f"""folder = "reports"\n[multipart]\nabove = "{MULTIPART >> 20}MiB"\n""",
            "segments": """folder = "exports"\n"""
                        """key = "segment-export/{directory}/{date}/{uuid}-{timestamp}/{name}"\n""",
            "copies": """folder = "copies"\non_conflict = "rename"\n""",
            "scratch": f"""folder = "scratch"\nremove_after = "{REMOVE_AFTER}s"\n""",
        }
        for name, settings in connectors.items():
            # The policy is made of the file, and the keys come after it.
            settings = f'kind = "data-export"\nbucket = "{BUCKET}"\n{settings}'
            path = self.directory / "connectors.d" / f"{name}.toml"
            path.write_text(settings)
            policy = json.loads(self.sluicectl("policy", name).stdout)
            keys = self.s3.make_user(policy)
            secret = self.write_secret(name, keys.secret_access_key)
            path.write_text(
                f'endpoint = "{self.s3.endpoint}"\nregion = "{REGION}"\n{settings}'
                f'[credentials]\naccess_key_id = "{keys.access_key_id}"\n'
                f'secret_access_key_file = "{secret}"\n')
            print(f"\n{name}.toml:\n{textwrap.indent(settings.rstrip(), '    ')}")
            actions = [action for statement in policy["Statement"] for action in statement["Action"]]
            print(f"    -> {', '.join(actions)}")

    def file(self, name: str, contents: bytes) -> pathlib.Path:
        path = self.directory / name
        path.write_bytes(contents)
        return path

    def submit(self, connector: str, *arguments: object, fails: bool = False) -> list[str]:
        """Waits for the objects; their addresses, where there are any."""
        files = [argument for argument in arguments if isinstance(argument, pathlib.Path)]
        shown = " ".join(
            f"'{word.name}'" if isinstance(word, pathlib.Path) and " " in word.name
            else str(getattr(word, "name", word)) for word in arguments)
        print(f">>> sluicectl submit --connector {connector} --wait {shown}", flush=True)
        said = self.sluicectl("submit", "--connector", connector, "--wait", *arguments)
        print(textwrap.indent(said.stdout + said.stderr, "    "), end="", flush=True)
        if bool(said.returncode) != fails:
            sys.exit(f"it ended with {said.returncode}")
        addresses = said.stdout.splitlines()
        for file, address in zip(files, addresses):
            self.sent[address] = file.read_bytes()
        return addresses

    def sluicectl(self, *arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [BINARIES / "sluicectl", *arguments, "--config", self.config], text=True,
            capture_output=True)

    # What is seen

    def shown(self, text: str) -> str | None:
        if " info " in text and "is deleted" not in text:
            return None
        text = super().shown(text)
        return text and f"  sluiced: {text}"

    def end(self) -> bool:
        heading(6, "All objects, fetched with other software (boto3) and compared by SHA-256")
        whole = True
        s3 = self.s3.client("s3")
        for address, contents in sorted(self.sent.items()):
            got = s3.get_object(Bucket=BUCKET, Key=address.split("/", 3)[3])
            digest = hashlib.sha256()
            for piece in got["Body"].iter_chunks(1 << 20):
                digest.update(piece)
            same = digest.digest() == hashlib.sha256(contents).digest()
            whole = whole and same
            print(f"{'same ' if same else 'OTHER'} {len(contents):>12,} bytes  {got['ContentType']:<32} {address}")
        strangers = set(self.s3.keys(BUCKET)) - {address.split("/", 3)[3] for address in self.sent}
        print(f"\n{len(self.sent)} objects, each as its file was, and nothing else in the bucket."
              if whole and not strangers else f"\nSomething is other than it was: {strangers}")
        return whole and not strangers


if __name__ == "__main__":
    run_in_scratch(Exports)
