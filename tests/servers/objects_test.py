#!/usr/bin/env python3
"""objects_test.py ENCLAVE: objects of people against a real S3 server (ceph.sh run): sizes around every boundary, keys
that are hard to write, interruption, damage, and other programs at both ends."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ENCLAVE = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "enclave"
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 30)))
MIB = 1 << 20
CHUNK = 64 << 10
PART = 5 * MIB


class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"SEED={SEED}")
        cls.random = random.Random(SEED)
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="enclave-objects-"))
        cls.bucket = f"enclave-objects-{cls.random.randrange(1 << 40):010x}-{os.getpid()}"
        cls.key, cls.other_key = cls.home / "key.txt", cls.home / "other.txt"
        for path in (cls.key, cls.other_key):
            subprocess.run(["age-keygen", "-o", path], check=True, stderr=subprocess.DEVNULL)
        recipient = next(line.split()[-1] for line in cls.key.read_text().splitlines() if "public key" in line)
        cls.config = cls.home / "enclave.yaml"
        cls.config.write_text(
            f"enclave: test\nstate: state\nstorage: {{endpoint: \"{os.environ['S3_ENDPOINT']}\", "
            f"ca: {os.environ['S3_CA']}, region: {os.environ['S3_REGION']}}}\nbuckets:\n"
            f" - {{name: {cls.bucket}, for: data, recipients: [{recipient}]}}\n"
            f" - {{name: {cls.bucket}-logs, for: logs}}\n")
        cls.enclave_(cls, "bucket", "new", cls.bucket)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.home, ignore_errors=True)

    def enclave_(self, verb, action, *arguments, status=0, stdin=b""):
        done = subprocess.run([ENCLAVE, verb, action, "-c", self.config, *map(str, arguments)], input=stdin,
                              capture_output=True, timeout=300, check=False)
        if done.returncode != status:
            raise AssertionError(f"{action} {arguments}: {done.returncode}\n"
                                 f"{done.stderr.decode()}{done.stdout.decode()}")
        return done

    def get(self, key, *more, status=0):
        return self.enclave_("object", "get", f"s3://{self.bucket}/{key}", "-i", self.key, "-o", "-", *more,
            status=status)

    def listed(self, key):
        lines = self.enclave_("object", "ls", f"s3://{self.bucket}/{key}", "--json", "-r")
        lines = lines.stdout.decode().splitlines()
        return next(one for one in map(json.loads, lines) if one.get("key") == key)

    def file(self, name, size):
        path = self.home / name
        path.write_bytes(self.random.randbytes(size))
        return path

    def events(self):
        return [json.loads(line) for line in (self.home / "state/events/objects.log").read_text().splitlines()]

    def aws(self, *arguments):
        # Debian's: later ones add checksums that this server refuses.
        aws = "/usr/bin/aws"
        if not os.path.exists(aws):
            self.skipTest("Debian's package awscli is not installed")
        environment = dict(os.environ, AWS_DEFAULT_REGION=os.environ["S3_REGION"], AWS_CA_BUNDLE=os.environ["S3_CA"],
                           PATH="/usr/bin:/bin")
        # The resolver of Python does not know names below localhost.
        endpoint = os.environ["S3_ENDPOINT"].replace("objects.localhost", "127.0.0.1")
        return subprocess.run([aws, "--endpoint-url", endpoint, *arguments], env=environment, capture_output=True,
                              check=True, timeout=120).stdout

    def test_sizes_around_chunks_and_parts_come_back(self):
        sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + CHUNK, 3 * PART - 1]
        for size in sizes:
            with self.subTest(size=size):
                path = self.file("sized", size)
                self.enclave_("object", "put", path, f"s3://{self.bucket}/sized", "--part-size", "5MiB")
                self.assertEqual(self.get("sized", "--part-size", "5MiB").stdout, path.read_bytes())
                self.assertEqual(self.get("sized").stdout, path.read_bytes())
                self.enclave_("object", "put", "-", f"s3://{self.bucket}/piped", "--part-size", "5MiB",
                              stdin=path.read_bytes())
                self.assertEqual(self.get("piped", "--part-size", "5MiB").stdout, path.read_bytes())
                self.assertEqual(self.listed("piped")["bytes"], size)
                self.assertEqual(self.listed("sized")["bytes"], size)

    def test_ranges_are_those_of_the_plain_text(self):
        path = self.file("ranged", 2 * PART + 12345)
        plain = path.read_bytes()
        self.enclave_("object", "put", path, f"s3://{self.bucket}/ranged", "--part-size", "5MiB")
        self.enclave_("object", "put", "-", f"s3://{self.bucket}/ranged-stream", "--part-size", "5MiB", stdin=plain)
        for _ in range(10):
            first = self.random.randrange(len(plain))
            last = min(first + self.random.randrange(3 * CHUNK), len(plain) + 10)
            for key in ("ranged", "ranged-stream"):
                self.assertEqual(self.get(key, "--range", f"{first}-{last}").stdout, plain[first:last + 1],
                    (key, first, last))

    def test_keys_that_are_hard_to_write(self):
        path = self.file("content", 100)
        for key in ("a b", "a+b", "ä/ö ü", "100%", "q?x=1&y", "semi;colon", "new\nline", "tab\there", "a//b",
            "~", "'\"", "x" * 1024):
            with self.subTest(key=key):
                self.enclave_("object", "put", path, f"s3://{self.bucket}/{key}")
                quoted = key if "?" not in key else key.replace("?", "[?]")
                self.assertEqual(self.get(quoted).stdout, path.read_bytes())
                listed = self.enclave_("object", "ls", f"s3://{self.bucket}/{quoted}", "--json", "-r").stdout.decode()
                self.assertIn(key, [json.loads(line)["key"] for line in listed.splitlines()])
                self.enclave_("object", "rm", f"s3://{self.bucket}/{quoted}", *(["-y"] if quoted != key else []))
                self.get(quoted, status=1)

    def test_a_killed_upload_goes_on(self):
        path = self.file("killed", 12 * PART)
        for signal_, named in ((signal.SIGKILL, "by-kill"), (signal.SIGINT, "by-ctrl-c")):
            with self.subTest(signal=signal_):
                command = [ENCLAVE, "object", "put", "-c", self.config, path, f"s3://{self.bucket}/{named}",
                           "--part-size", "5MiB", "--parallel", "1"]
                journals = self.home / "state/transfers"
                with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
                    self.wait_for(
                        lambda: any(j.read_text().count("\npart ") > 1 for j in journals.glob("*.upload")), process)
                    process.send_signal(signal_)
                    said = process.stderr.read().decode()
                if signal_ == signal.SIGINT:
                    self.assertIn("goes on where it was", said)
                self.assertEqual([j.stat().st_mode & 0o777 for j in journals.glob("*.upload")], [0o600])
                self.get(named, status=1)
                again = subprocess.run(command, capture_output=True, check=True, timeout=300)
                self.assertIn(b"resumed", again.stdout)
                self.assertEqual(self.get(named).stdout, path.read_bytes())
                self.assertEqual(list(journals.glob("*.upload")), [])

    def test_a_changed_file_is_not_resumed_under_the_old_key(self):
        path = self.file("changing", 8 * PART)
        command = [ENCLAVE, "object", "put", "-c", self.config, path, f"s3://{self.bucket}/changing",
            "--part-size", "5MiB",
                   "--parallel", "1"]
        journals = self.home / "state/transfers"
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            self.wait_for(lambda: any("\npart " in j.read_text() for j in journals.glob("*.upload")), process)
            process.kill()
        path.write_bytes(self.random.randbytes(8 * PART))
        again = subprocess.run(command, capture_output=True, check=True, timeout=300)
        self.assertNotIn(b"resumed", again.stdout)
        self.assertEqual(self.get("changing").stdout, path.read_bytes())

    def test_a_killed_download_goes_on(self):
        path = self.file("down", 12 * PART)
        self.enclave_("object", "put", path, f"s3://{self.bucket}/down")
        into = self.home / "fetched"
        command = [ENCLAVE, "object", "get", "-c", self.config, f"s3://{self.bucket}/down", "-i", self.key, "-o", into,
                   "--part-size", "5MiB", "--parallel", "1"]
        have = self.home / ".fetched.enclave-have"
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            self.wait_for(lambda: have.exists() and have.read_text().count("\n") > 2, process)
            process.kill()
        self.assertFalse(into.exists())
        again = subprocess.run(command, capture_output=True, check=True, timeout=300)
        self.assertIn(b"resumed", again.stdout)
        self.assertEqual(into.read_bytes(), path.read_bytes())
        self.assertEqual([p.name for p in self.home.glob(".fetched*")], [])
        refused = subprocess.run(command, capture_output=True, check=False, timeout=300)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"--force", refused.stderr)

    def wait_for(self, condition, process):
        end = time.monotonic() + 120
        while not condition():
            self.assertIsNone(process.poll(), "it ended before it could be interrupted")
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)

    def test_another_identity_does_not_read(self):
        path = self.file("secret", 1000)
        self.enclave_("object", "put", path, f"s3://{self.bucket}/secret")
        done = self.enclave_("object", "get", f"s3://{self.bucket}/secret", "-i", self.other_key, "-o", "-", status=1)
        self.assertEqual(done.stdout, b"")
        self.assertIn(b"no identity fits", done.stderr)
        last = self.events()[-1]
        self.assertEqual((last["operation"], last["outcome"], last["fault"], last["key"]),
                         ("get", "failed", "denied", "secret"))

    def test_damage_is_found_and_no_file_is_left(self):
        path = self.file("whole", PART + 7)
        self.enclave_("object", "put", path, f"s3://{self.bucket}/damaged", "--part-size", "5MiB")
        stored = self.get("damaged", "--stored").stdout
        flipped = bytearray(stored)
        flipped[len(flipped) // 2] ^= 1
        truncated = stored[:200 + 3 * (CHUNK + 16)]
        for what, content in (("changed", bytes(flipped)), ("cut", stored[:-1]), ("cut at a chunk", truncated)):
            with self.subTest(what=what):
                damaged = self.home / "damaged"
                damaged.write_bytes(content)
                self.aws("s3", "cp", "--quiet", str(damaged), f"s3://{self.bucket}/damaged")
                into = self.home / "out-damaged"
                self.enclave_("object", "get", f"s3://{self.bucket}/damaged", "-i", self.key, "-o", into, status=1)
                self.assertFalse(into.exists())
                self.assertEqual(list(self.home.glob(".out-damaged*")), [])

    def test_age_and_aws_read_what_enclave_put(self):
        path = self.file("shared", 2 * PART + 3)
        self.enclave_("object", "put", path, f"s3://{self.bucket}/shared", "--part-size", "5MiB")
        self.aws("s3", "cp", "--quiet", f"s3://{self.bucket}/shared", str(self.home / "shared.age"))
        opened = subprocess.run(["age", "-d", "-i", self.key, self.home / "shared.age"], capture_output=True,
            check=True)
        self.assertEqual(opened.stdout, path.read_bytes())
        head = json.loads(self.aws("s3api", "head-object", "--bucket", self.bucket, "--key", "shared"))
        self.assertEqual(head["Metadata"]["enclave-bytes"], str(2 * PART + 3))

    def test_enclave_reads_what_aws_and_age_put(self):
        plain = self.file("theirs", 20 * MIB)
        self.aws("s3", "cp", "--quiet", str(plain), f"s3://{self.bucket}/theirs")
        self.assertEqual(self.get("theirs").stdout, plain.read_bytes())
        recipient = next(line.split()[-1] for line in self.key.read_text().splitlines() if "public key" in line)
        sealed = self.home / "theirs.age"
        subprocess.run(["age", "-r", recipient, "-o", sealed, plain], check=True)
        self.aws("s3", "cp", "--quiet", str(sealed), f"s3://{self.bucket}/theirs.age")
        self.assertEqual(self.get("theirs.age").stdout, plain.read_bytes())

    def test_removed_and_replaced_objects_come_back(self):
        first, second = self.file("first", 10), self.file("second", 20)
        for path in (first, second):
            self.enclave_("object", "put", path, f"s3://{self.bucket}/versioned")
        self.enclave_("object", "restore", f"s3://{self.bucket}/versioned")
        self.assertEqual(self.get("versioned").stdout, first.read_bytes())
        self.enclave_("object", "rm", f"s3://{self.bucket}/versioned")
        self.get("versioned", status=1)
        self.enclave_("object", "restore", f"s3://{self.bucket}/versioned")
        self.assertEqual(self.get("versioned").stdout, first.read_bytes())
        listed = self.enclave_("object", "versions", f"s3://{self.bucket}/versioned",
            "--json").stdout.decode().splitlines()
        versions = [json.loads(line) for line in listed]
        self.assertEqual([v["state"] for v in versions], ["latest", "deleted", "older", "older", "older"])
        oldest = versions[-1]["version"]
        self.enclave_("object", "rm", f"s3://{self.bucket}/versioned", "--version", oldest)
        self.get("versioned", "--version", oldest, status=1)

    def test_many_small_ones_and_the_record_of_each(self):
        folder = self.home / "many"
        folder.mkdir()
        for i in range(150):
            (folder / f"{i:03}").write_bytes(self.random.randbytes(i * 37))
        self.enclave_("object", "put", folder, f"s3://{self.bucket}/below/")
        self.enclave_("object", "get", f"s3://{self.bucket}/below/many", "-r", "-i", self.key, "-o",
            self.home / "back/")
        for path in folder.iterdir():
            self.assertEqual((self.home / "back/many" / path.name).read_bytes(), path.read_bytes())
        put = [e for e in self.events() if e["operation"] == "put" and e.get("key", "").startswith("below/")]
        self.assertEqual(len(put), 150)
        self.assertTrue(all(e["outcome"] == "done" and e["request_id"] and e["version"] and e["encrypted"]
                            for e in put))
        self.enclave_("object", "rm", f"s3://{self.bucket}/below", "-r", "-y")
        self.enclave_("object", "ls", f"s3://{self.bucket}/below/*", "--json")

    def test_buckets_are_made_and_only_empty_ones_removed(self):
        name = self.bucket + "-more"
        self.enclave_("bucket", "new", name)
        self.assertIn(name.encode(), self.enclave_("bucket", "ls").stdout)
        self.enclave_("object", "put", "-", f"s3://{name}/x", "--plain", stdin=b"x")
        self.enclave_("bucket", "rm", name, status=1)
        self.enclave_("object", "rm", f"s3://{name}/x")
        self.enclave_("bucket", "rm", name, status=1)
        for line in self.enclave_("object", "versions", f"s3://{name}/x", "--json").stdout.decode().splitlines():
            self.enclave_("object", "rm", f"s3://{name}/x", "--version", json.loads(line)["version"])
        self.enclave_("bucket", "rm", name)
        self.assertNotIn(name.encode(), self.enclave_("bucket", "ls").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
