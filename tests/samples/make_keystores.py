#!/usr/bin/env python3
"""Makes the keystores of tests/samples/keystores: Java's by keytool, Filebeat's from its documented form.

java17.p12   as Java 17 writes it: PBES2, AES-256, HMAC-SHA-256
java8.p12    as Java 8 writes it: SHA-1, triple DES
kept.p12     java17.p12 with its password kept behind it, as Logstash does without LOGSTASH_KEYSTORE_PASS
filebeat.keystore
All hold "secret value" (Java 17) or "wäöü" (Java 8) as es_pwd; the password is changeit.
"""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOLDER = pathlib.Path(__file__).parent / "keystores"


def java(name, value, *more):
    path = FOLDER / name
    path.unlink(missing_ok=True)
    text = base64.b64encode(value.encode()).decode()
    for alias in ("es_pwd", "keystore.seed"):
        subprocess.run(["keytool", *more, "-importpass", "-storetype", "pkcs12", "-keystore", path, "-storepass",
                        "changeit", "-keypass", "changeit", "-alias", "urn:logstash:secret:v1:" + alias],
                       input=f"{text}\n{text}\n".encode(), check=True, capture_output=True)


def kept():
    password, random = b"changeit", bytes(byte & 0x7F for byte in os.urandom(8))
    hidden = bytes(a ^ b for a, b in zip(password, random)) + random
    (FOLDER / "kept.p12").write_bytes((FOLDER / "java17.p12").read_bytes() + hidden + bytes([len(hidden)]))


def filebeat(name, secrets):
    plain = json.dumps({key: {"value": base64.b64encode(value.encode()).decode()} for key, value in secrets.items()})
    salt, nonce = os.urandom(64), os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", b"", salt, 10000, 32)
    sealed = AESGCM(key).encrypt(nonce, plain.encode(), None)
    (FOLDER / name).write_bytes(b"v1" + base64.b64encode(salt + nonce + sealed))


def main():
    FOLDER.mkdir(exist_ok=True)
    java("java17.p12", "secret value")
    java("java8.p12", "wäöü", "-J-Dkeystore.pkcs12.legacy")
    kept()
    filebeat("filebeat.keystore", {"ES_PWD": "from the keystore", "HOST": "a"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
