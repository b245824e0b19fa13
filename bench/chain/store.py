"""A bucket of the server that tests/servers started, over plain HTTP as in the peer's figure."""
import os
import re
import subprocess
import urllib.parse
import zlib

from .process import Failure


class Bucket:
    def __init__(self, place, name):
        self.place, self.name = place, name
        self.endpoint = os.environ["S3_PLAIN_ENDPOINT"].replace("objects.localhost", "127.0.0.1")
        self.region = os.environ["S3_REGION"]
        self.key, self.secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]

    def ask(self, path, *options):
        """The body of the answer. The key goes by a pipe: arguments can be seen by everybody."""
        config = (f'user = "{self.key}:{self.secret}"\naws-sigv4 = "aws:amz:{self.region}:s3"\n'
                  f'url = "{self.endpoint}/{self.name}{path}"\n')
        done = subprocess.run(["curl", "-sS", "--fail-with-body", "-K", "-", *options], input=config.encode(),
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise Failure(f"the object store: {done.stderr.decode()} {done.stdout[:500].decode(errors='replace')}")
        return done.stdout

    def make(self):
        self.ask("", "-X", "PUT")

    def fetch_all(self, path):
        """All objects, unpacked, one after the other as they were made; then they are removed."""
        listing = self.ask("?list-type=2").decode()
        keys = re.findall(r"<Key>([^<]+)</Key>", listing)
        if "<IsTruncated>true" in listing:
            raise Failure("more objects than one listing has")
        keys.sort(key=lambda key: int(re.search(r"part(\d+)", key).group(1)))
        packed = self.place / "object.gz"
        with open(path, "wb") as out:
            for key in keys:
                where = "/" + urllib.parse.quote(key)
                self.ask(where, "-o", str(packed))
                unpack(packed, out)
                self.ask(where, "-X", "DELETE")
        self.ask("", "-X", "DELETE")


def unpack(path, out):
    """A file of one gzip member or several."""
    with open(path, "rb") as file:
        inflater = zlib.decompressobj(wbits=31)
        rest = b""
        while block := rest or file.read(1 << 20):
            out.write(inflater.decompress(block))
            rest = inflater.unused_data
            if inflater.eof:
                inflater = zlib.decompressobj(wbits=31)
