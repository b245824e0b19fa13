"""Certificates for tests: good ones and such that must not be taken."""
import pathlib
import subprocess

CONFIG = """\
[ca]
default_ca = it
[it]
database = index.txt
serial = serial.txt
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


class Certificates:
    """In a directory: NAME.pem and NAME.key of the authorities `ca` and `other`, and what issue() makes."""

    def __init__(self, place):
        self.place = pathlib.Path(place)
        (self.place / "ca.cnf").write_text(CONFIG)
        (self.place / "index.txt").write_text("")
        (self.place / "serial.txt").write_text("01\n")
        for ca in ("ca", "other"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                         "-subj", f"/CN={ca}", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.place, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def issue(self, name, host="localhost", ca="ca", first="20200101000000Z", last="20991231000000Z"):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-addext", f"subjectAltName=DNS:{host}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-cert", f"{ca}.pem", "-keyfile", f"{ca}.key", "-startdate",
                     first, "-enddate", last, "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext")

    def issue_bad_ones(self):
        """Every way in which one is not good, by name."""
        self.issue("expired", first="20200101000000Z", last="20200102000000Z")
        self.issue("early", first="20980101000000Z", last="20991231000000Z")
        self.issue("stranger", ca="other")
        return ("expired", "early", "stranger")

    def at(self, name):
        return str(self.place / name)
