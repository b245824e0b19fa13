#!/usr/bin/env python3
"""controls_swift.py ENCLAVE: plan, apply, plan and audit against Swift: the audit says what it cannot do."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ENCLAVE = sys.argv[1]
# What a server without policies, locks, lifecycle and logging can have in force, and what must be said of the rest.
WANTED = {
    ("storage.exists", "data"): "pass",
    ("storage.exists", "logs"): "pass",
    ("storage.versioning", "data"): "pass",
    ("storage.versioning", "logs"): "pass",
    ("storage.private", "data"): "pass",
    ("storage.private", "logs"): "pass",
    ("storage.encryption", "data"): "pass",
    ("storage.encryption", "logs"): "pass",
    ("storage.tls_only", "data"): "fail",
    ("storage.tls_only", "logs"): "fail",
    ("storage.retention", "logs"): "fail",
    ("storage.separation", "logs"): "inconclusive",
    ("storage.lifecycle", "data"): "not_applicable",
    ("storage.lifecycle", "logs"): "not_applicable",
    ("storage.access_logged", "data"): "not_applicable",
}


def enclave(config, verb, *arguments, status):
    command = [ENCLAVE, verb, "-c", str(config), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode != status:
        sys.exit(f"enclave {verb}: status {ran.returncode}, not {status}\n{ran.stdout}\n{ran.stderr}")
    return ran.stdout


def results(value):
    """Every object of a JSON text that has a control, a subject and a state."""
    if isinstance(value, dict):
        if {"control", "subject", "state"} <= value.keys():
            yield value
        for member in value.values():
            yield from results(member)
    elif isinstance(value, list):
        for item in value:
            yield from results(item)


def main(place):
    name = os.urandom(5).hex()
    config = place / "enclave.yaml"
    config.write_text(
        "enclave: ec528\n"
        f"storage: {{endpoint: \"{os.environ['S3_ENDPOINT']}\", region: {os.environ['S3_REGION']}, "
        f"ca: {os.environ['S3_CA']}, plain_endpoint: \"{os.environ['S3_PLAIN_ENDPOINT']}\"}}\n"
        f"buckets: [{{name: data-{name}, for: data}}, {{name: logs-{name}, for: logs, retain: 2d}}]\n"
        f"state: {place}/state\n",
        encoding="utf-8",
    )
    enclave(config, "plan", status=2)
    enclave(config, "apply", "--yes", status=0)
    enclave(config, "plan", status=0)
    audit = json.loads(enclave(config, "audit", "--json", status=2))
    found = {}
    for result in results(audit):
        subject = result["subject"]
        bucket = subject["name"] if isinstance(subject, dict) else subject
        found[(result["control"], bucket.split("-", maxsplit=1)[0])] = result["state"]
    wrong = {key: (found.get(key), state) for key, state in WANTED.items() if found.get(key) != state}
    if wrong or set(found) - set(WANTED):
        sys.exit(f"found, wanted: {wrong}; not expected: {set(found) - set(WANTED)}")
    print(f"ok: {len(found)} findings, as Swift can have them")


with tempfile.TemporaryDirectory(prefix="enclave-controls-swift-") as directory:
    main(pathlib.Path(directory))
