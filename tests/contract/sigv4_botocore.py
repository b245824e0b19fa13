#!/usr/bin/env python3
"""sigv4_botocore.py TOOL [SEED]: random requests, signed by ours (sigv4_tool) and by botocore, must agree."""
import random
import string
import subprocess
import sys

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.utils import percent_encode, percent_encode_sequence
except ImportError as missing:
    print(f"skipped: {missing} (python3-botocore)")
    sys.exit(77)

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
RANDOM = random.Random(SEED)
ALPHABET = string.printable[:95] + "äß€漢🔒" + "\n\t" + "+%&=/?#~ "


def text(most, alphabet=ALPHABET, least=0):
    return "".join(RANDOM.choice(alphabet) for _ in range(RANDOM.randint(least, most)))


def hexed(value):
    return value.encode().hex() or "-"


def one():
    name = string.ascii_lowercase + string.digits + "-"
    headers = {"host": f"{text(10, name, 3)}.example.org", "x-amz-date": "20260102T030405Z"}
    for _ in range(RANDOM.randint(0, 4)):
        headers["x-amz-meta-" + text(8, name, 1)] = text(20, string.ascii_letters + "  ,;\"'", 1).strip() or "v"
    query = {text(12, ALPHABET, 1): text(12) for _ in range(RANDOM.randint(0, 4))}
    payload = "".join(RANDOM.choice("0123456789abcdef") for _ in range(64))
    headers["x-amz-content-sha256"] = payload
    return {
        "method": RANDOM.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]),
        "key": "/" + text(40), "payload": payload, "region": RANDOM.choice(["us-east-1", "default", "eu-west-3"]),
        "access": "AK" + text(10, string.ascii_uppercase), "secret": text(40, string.ascii_letters + "/+=", 1),
        "token": RANDOM.choice(["", text(60, string.ascii_letters + "/+=", 1)]), "query": query, "headers": headers,
    }


def line_of(r):
    fields = [r["method"], r["key"], r["payload"], r["headers"]["x-amz-date"], r["region"], r["access"], r["secret"],
              r["token"], str(len(r["query"])), str(len(r["headers"]))]
    for pairs in (r["query"], r["headers"]):
        for name, value in pairs.items():
            fields += [name, value]
    return " ".join(hexed(field) for field in fields)


def url_of(r):
    query = percent_encode_sequence(list(r["query"].items()))
    return f"https://{r['headers']['host']}{percent_encode(r['key'], safe='/~')}" + (f"?{query}" if query else "")


def by_header(r):
    request = AWSRequest(method=r["method"], url=url_of(r), headers=dict(r["headers"]))
    request.context["timestamp"] = r["headers"]["x-amz-date"]
    auth = botocore.auth.S3SigV4Auth(Credentials(r["access"], r["secret"]), "s3", r["region"])
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def by_query(r, said):
    """What our presigned query says but its signature, signed by botocore."""
    query, _, ours = said.rpartition("&X-Amz-Signature=")
    url = f"https://{r['headers']['host']}{percent_encode(r['key'], safe='/~')}?{query}"
    request = AWSRequest(method=r["method"], url=url, headers={"host": r["headers"]["host"]})
    request.context["timestamp"] = r["headers"]["x-amz-date"]
    auth = botocore.auth.S3SigV4QueryAuth(Credentials(r["access"], r["secret"]), "s3", r["region"])
    return ours, auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


requests = [one() for _ in range(1000)]
said = subprocess.run([sys.argv[1]], input="\n".join(map(line_of, requests)) + "\n", capture_output=True, text=True,
                      check=True).stdout.splitlines()
assert len(said) == 2 * len(requests), f"{len(said)} answers"
for number, request in enumerate(requests):
    ours = said[2 * number].rsplit("=", 1)[1]
    ways = {"header": (ours, by_header(request)), "query": by_query(request, said[2 * number + 1])}
    for way, (ours, theirs) in ways.items():
        if ours != theirs:
            sys.exit(f"seed {SEED}, request {number}, {way}: {ours} by us, {theirs} by botocore: {request}")
print(f"{len(requests)} requests signed alike with seed {SEED}")
