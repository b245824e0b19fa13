#!/usr/bin/env python3
"""controls_session.py ENCLAVE: from a short enclave.yaml to proven buckets, with the real program, and each property
broken by a client that is not ours (SigV4 is written out here, so that nothing needs to be installed)."""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import urllib.parse

ENCLAVE = sys.argv[1]
ENDPOINT = urllib.parse.urlsplit(os.environ["S3_ENDPOINT"])
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def request(method, path, query="", body=b"", headers=None):
    """One signed request; gives status and body."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"host": ENDPOINT.netloc, "x-amz-content-sha256": digest, "x-amz-date": now, **(headers or {})}
    names = ";".join(sorted(signed))
    canonical = "\n".join([method, urllib.parse.quote(path), query if "=" in query or not query else query + "="]
                          + [f"{name}:{signed[name]}" for name in sorted(signed)] + ["", names, digest])
    scope = f"{now[:8]}/{os.environ['S3_REGION']}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    signed["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope},"
                               f"SignedHeaders={names},Signature={signature}")
    context = ssl.create_default_context(cafile=os.environ["S3_CA"])
    context.check_hostname = False  # the connection goes to the address: not every machine resolves *.localhost
    connection = http.client.HTTPSConnection("127.0.0.1", ENDPOINT.port, context=context, timeout=60)
    connection.request(method, urllib.parse.quote(path) + ("?" + query if query else ""), body, signed)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def must(method, path, query="", body=b"", headers=None):
    status, data = request(method, path, query, body, headers)
    assert status < 300, f"{method} {path}?{query}: {status} {data.decode(errors='replace')}"


def enclave(verb, *arguments, status):
    ran = subprocess.run([ENCLAVE, verb, "-c", str(CONFIG), *arguments], capture_output=True, text=True, timeout=300)
    assert ran.returncode == status, (
        f"enclave {verb}: status {ran.returncode}, not {status}\n{ran.stdout}\n{ran.stderr}")
    return ran.stdout


def failed(audit):
    """{(control, bucket)} of a JSON audit."""
    found = set()

    def walk(value):
        if isinstance(value, dict):
            state = value.get("state")
            if state == "fail" and "control" in value:
                found.add(value["control"])
            for member in value.values():
                walk(member)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for line in audit.splitlines():
        walk(json.loads(line))
    return found


def clean(bucket):
    request("DELETE", f"/{bucket}", "policy")
    status, data = request("GET", f"/{bucket}", "versions=")
    text = data.decode()
    for part in text.split("<Key>")[1:]:
        key = part.split("<")[0]
        version = part.split("<VersionId>")[1].split("<")[0]
        request("DELETE", f"/{bucket}/{key}", "versionId=" + urllib.parse.quote(version),
                headers={"x-amz-bypass-governance-retention": "true"})
    request("DELETE", f"/{bucket}")


def breaks(data, logs):
    """Name of the control, and what breaks it."""
    off = (b"<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false"
           b"</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false"
           b"</RestrictPublicBuckets></PublicAccessBlockConfiguration>")
    suspended = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
    no_default = b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
    opened = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{data}/*"}]})
    usual = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*",
         "Resource": [f"arn:aws:s3:::{data}", f"arn:aws:s3:::{data}/*"],
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]})
    yield "storage.versioning", lambda: must("PUT", f"/{data}", "versioning", suspended)
    yield "storage.private", lambda: must("PUT", f"/{data}", "publicAccessBlock", off)
    yield "storage.private", lambda: (must("PUT", f"/{data}", "publicAccessBlock", off),
                                      must("PUT", f"/{data}", "acl", headers={"x-amz-acl": "public-read"}))
    yield "storage.private", lambda: (must("PUT", f"/{data}", "publicAccessBlock", off),
                                      must("PUT", f"/{data}", "policy", opened.encode()))
    yield "storage.tls_only", lambda: must("PUT", f"/{data}", "policy", usual.encode())
    yield "storage.tls_only", lambda: must("DELETE", f"/{data}", "policy")
    yield "storage.retention", lambda: must("PUT", f"/{logs}", "object-lock", no_default)
    yield "storage.separation", lambda: must("DELETE", f"/{logs}", "policy")
    yield "storage.lifecycle", lambda: must("DELETE", f"/{data}", "lifecycle")


def main():
    name = os.urandom(5).hex()
    data, logs = f"data-{name}", f"logs-{name}"
    writer = CONFIG.parent / "writer.keys"
    writer.write_text(f"[default]\naws_access_key_id = {os.environ['S3_OTHER_ACCESS_KEY']}\n"
                      f"aws_secret_access_key = {os.environ['S3_OTHER_SECRET_KEY']}\n")
    writer.chmod(0o600)
    CONFIG.write_text(
        "enclave: ec528\n"
        f"storage: {{endpoint: \"{os.environ['S3_ENDPOINT']}\", region: {os.environ['S3_REGION']}, "
        f"ca: {os.environ['S3_CA']}, plain_endpoint: \"{os.environ['S3_PLAIN_ENDPOINT']}\", "
        f"writer: \"file:{writer}\"}}\n"
        f"buckets: [{{name: {data}, for: data, recipients: [{RECIPIENT}]}}, "
        f"{{name: {logs}, for: logs, retain: 2d, lock: governance}}]\n"
        f"state: {CONFIG.parent}/state\n")
    try:
        said = enclave("check", "--storage", status=0)
        assert "Accepted, and not enforced" in said, said
        said = json.loads(enclave("check", "--storage", "--json", status=0))
        assert {"versioning", "policy", "object_lock"} <= {one["id"] for one in said["all"]}
        enclave("plan", status=2)
        enclave("apply", "--yes", status=0)
        enclave("plan", status=0)
        enclave("audit", status=0)
        for control, destroy in breaks(data, logs):
            destroy()
            audit = enclave("audit", "--json", status=2)
            assert control in failed(audit), f"{control} is broken, and the audit names {failed(audit)}"
            enclave("apply", "--yes", status=0)
            print(f"ok: {control} broken, found and mended")
        enclave("audit", status=0)
        must("PUT", f"/{data}/report.txt", body=b"plain")
        assert "storage.encryption" in failed(enclave("audit", "--json", status=2))
        print("ok: a plain object is found")
    finally:
        for bucket in (data, logs):
            clean(bucket)


with tempfile.TemporaryDirectory(prefix="enclave-controls-") as place:
    CONFIG = pathlib.Path(place) / "enclave.yaml"
    main()
