"""Signs random requests with botocore, which knows Signature Version 4 independently of this project.

    sigv4.py SEED COUNT

Prints one line a request, of fields separated by tabs:

    service method host path query headers body access-key secret token region unix-time
    target-path canonical-request authorization

Every text is hexadecimal UTF-8. query and headers are lists: items end with ";", name and value are
separated by ":". "-" stands for a value that is missing: of a query item, of the body (it is not
signed), of the token.
"""

import datetime
import random
import sys
from types import SimpleNamespace
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SEGMENTS = ["", "", ".", "..", "...", "a", "event_type=users.messages", "date=2026-11-22-18", "x+y",
            "100%", "%41", "two words", "~home", "ä/ö", "日本語", "🚰", "a&b", "q?r", "f#g", "$", "'",
            "(1)", "*", "!", ";", ":", "@", ",", "[x]", "\\", "\"", "<>", "{|}", "^`", "\t", "\x00"]
BLANKS = [" ", "  ", "\t", " \t ", "   "]
WORDS = ["AES256", "bucket-owner-full-control", "a,b", "é", "x=y", "\"quoted  text\"", "*", "0"]
NAMES = ["content-type", "Content-Length", "If-None-Match", "x-amz-meta-sluice-sha256", "X-Amz-Acl",
         "x-amz-tagging", "Range", "x-amz-storage-class", "My-Header", "x-amz-meta-a.b_c"]
QUERY = ["uploads", "uploadId", "partNumber", "prefix", "list-type", "location", "X", "x", "a b", "a+b", "ü", "k~", "=", "&", "k", "k-1"]


def characters(rng):
    """Any characters at all, surrogates excepted."""
    ranges = [(0x20, 0x7F), (0x20, 0x7F), (0xA1, 0x17F), (0x4E00, 0x4FFF), (0x1F300, 0x1F5FF)]
    return "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randrange(12)))


def path(rng):
    parts = [rng.choice([rng.choice(SEGMENTS), characters(rng)]) for _ in range(rng.randrange(6))]
    return "/" + "/".join(parts)


def upload_id(rng):
    """As S3 and other stores make them: letters, digits, and what Base64 and file names have besides."""
    return "".join(rng.choices("abcXYZ019._-~+/=", k=rng.choice([20, 128, 300])))


def query(rng):
    items = []
    for _ in range(rng.choice([0, 0, 1, 2, 5])):
        value = rng.choice([None, "", characters(rng), rng.choice(SEGMENTS), upload_id(rng),
                            str(rng.randrange(1, 10_001))])
        items.append((rng.choice([rng.choice(QUERY), "q" + characters(rng)]), value))
    return items


def headers(rng):
    result = []
    for _ in range(rng.choice([0, 1, 3, 6])):
        words = [rng.choice(WORDS) for _ in range(rng.randrange(4))]
        value = rng.choice(["", rng.choice(BLANKS)]) + rng.choice(BLANKS).join(words)
        result.append((rng.choice(NAMES), value + rng.choice(["", rng.choice(BLANKS)])))
    return result


def hexed(text):
    return "-" if text is None else text.encode().hex()


def listed(items):
    return "".join(f"{hexed(name)}:{hexed(value)};" for name, value in items)


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        service = rng.choice(["s3", "s3", "s3", "sts"])
        method = rng.choice(["GET", "PUT", "HEAD", "POST", "DELETE"])
        host = rng.choice(["Acme-Events.s3.eu-west-1.amazonaws.com", "localhost:9000", "10.0.0.7:8443"])
        key, items, extra = path(rng), query(rng), headers(rng)
        body = rng.choice([b"", rng.randbytes(40), None if service == "s3" else b"Action=X"])
        secret = "".join(rng.choices("abcXYZ019/+=", k=rng.choice([1, 40, 61, 128])))
        token = rng.choice([None, "FwoGZXIvYXdz/+==" * rng.randrange(1, 20)])
        region = rng.choice(["us-east-1", "eu-west-1", "ap-southeast-3"])
        now = rng.randrange(0, 4_102_444_800)

        encoded = quote(key, safe="/~")
        request = AWSRequest(method, f"https://{host}{encoded}", data=body or b"")
        request.params = [(name, value or "") for name, value in items]
        for name, value in extra:
            request.headers[name] = value
        if body is None:
            request.context["client_config"] = SimpleNamespace(s3={"payload_signing_enabled": False})
        moment = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        botocore.auth.get_current_datetime = lambda: moment
        credentials = Credentials("AKIAIOSFODNN7EXAMPLE", secret, token)
        signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        auth = signer(credentials, service, region)
        auth.add_auth(request)
        authorization = request.headers["Authorization"]
        del request.headers["Authorization"]

        print("\t".join([
            hexed(service), hexed(method), hexed(host), hexed(key), listed(items), listed(extra),
            "-" if body is None else body.hex(), hexed("AKIAIOSFODNN7EXAMPLE"), hexed(secret),
            hexed(token), hexed(region), str(now), hexed(encoded),
            hexed(auth.canonical_request(request)), hexed(authorization)]))


main()
