"""rsyslog and syslog-ng, tuned, with configurations that give the same lines.

Debian's packages of the two exclude each other, so what is missing is unpacked beside the other, not installed.
"""
import os
import pathlib
import re
import shutil
import subprocess

from . import checks
from .ours import Sink
from .process import Failure, Running

# What each needs besides libraries that are everywhere.
PACKAGES = {
    "rsyslog": ("rsyslog", "libestr0", "libfastjson4", "liblognorm5"),
    "syslog-ng": ("syslog-ng-core", "libivykis0", "libnet1", "libwrap0"),
}
_PROGRAMS = {"rsyslog": "usr/sbin/rsyslogd", "syslog-ng": "usr/sbin/syslog-ng"}
_FIELDS = ("clientip", "ident", "auth", "timestamp", "verb", "request", "httpversion", "response", "bytes", "referrer",
           "agent")


def unpack(name, folder):
    """The root below which the program lies: / where it is installed."""
    if pathlib.Path("/", _PROGRAMS[name]).exists():
        return pathlib.Path("/")
    root = folder / name
    if (root / _PROGRAMS[name]).exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    fetched = subprocess.run(["apt-get", "download", "-qq", *PACKAGES[name]], cwd=root, capture_output=True, text=True,
                             check=False)
    if fetched.returncode != 0:
        raise Failure(f"{name} could not be fetched: {fetched.stderr.strip()[-300:]}")
    for package in root.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, root], check=True)
    return root


class Peer:
    def __init__(self, name, root, work, corpus, sink):
        self.name, self.root, self.work, self.corpus, self.sink = name, root, work, corpus, sink
        lib = root / "usr/lib"
        self.environment = dict(os.environ)
        if root != pathlib.Path("/"):
            self.environment["LD_LIBRARY_PATH"] = f"{lib}/x86_64-linux-gnu:{lib}/syslog-ng"

    def version(self):
        said = subprocess.run([self.root / _PROGRAMS[self.name], "-v" if self.name == "rsyslog" else "-V"],
                              env=self.environment, capture_output=True, text=True, check=False).stdout
        found = re.search(r"\d+\.[\d.]*\d", said)
        return f"{self.name} {found.group() if found else ''}".strip()

    def place(self):
        place = self.work / self.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    def measure(self, place):
        running = Running(self.command(place), place / "log", self.environment)
        try:
            figures = running.finish_when_quiet()
        finally:
            running.kill()
        if running.bytes_in < self.corpus.bytes:
            raise Failure(f"{self.name} read {running.bytes_in} bytes of {self.corpus.bytes}: {running.said()}")
        return figures

    def to_nothing(self):
        place = self.place()
        self.configure(place, None, False, None)
        return self.measure(place)

    def to_file(self, grok=False):
        place = self.place()
        self.configure(place, place / "out.json", grok, None)
        figures = self.measure(place)
        checks.lines(place / "out.json", self.corpus, grok)
        return figures

    def grok_to_file(self):
        return self.to_file(grok=True)

    def to_tcp(self):
        place = self.place()
        sink = Sink(self.sink, "lines", place)
        try:
            self.configure(place, None, False, sink.port)
            figures = self.measure(place)
            checks.sink(sink.counted(), sink.samples, self.corpus)
        finally:
            sink.close()
        return figures


class Rsyslog(Peer):
    def command(self, place):
        modules = self.root / "usr/lib/x86_64-linux-gnu/rsyslog"
        return [self.root / _PROGRAMS["rsyslog"], "-n", "-f", place / "rsyslog.conf", "-i", place / "pid", "-M",
                modules]

    def configure(self, place, out, grok, port):
        parsed = "".join(f'  property(outname="{name}" name="$!{name}" format="jsonf")\n' for name in _FIELDS)
        (place / "combined.rb").write_text(
            'version=2\nrule=:%clientip:word% %ident:word% %auth:word% [%timestamp:char-to:]%] "%verb:word% '
            '%request:word% HTTP/%httpversion:char-to:"%" %response:number% %bytes:number% '
            '"%referrer:char-to:"%" "%agent:char-to:"%"\n', encoding="utf-8")
        if port:
            # A line feed behind each, as octet-counted frames are not what we send.
            action = (f'type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" tcp_framing="traditional" '
                      'template="json"')
        elif out:
            action = f'type="omfile" file="{out}" template="json" ioBufferSize="256k" flushOnTXEnd="off"'
        else:
            action = 'type="omfile" file="/dev/null" template="line" ioBufferSize="256k" flushOnTXEnd="off"'
        normalize = f'  action(type="mmnormalize" ruleBase="{place}/combined.rb")\n' if grok else ""
        (place / "rsyslog.conf").write_text(
            f'global(workDirectory="{place}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")\n'
            'module(load="imfile" mode="inotify")\n' + ('module(load="mmnormalize")\n' if grok else "") +
            'template(name="line" type="string" string="%msg%\\n")\n'
            'template(name="json" type="list" option.jsonf="on") {\n'
            '  property(outname="@timestamp" name="timegenerated" dateFormat="rfc3339" format="jsonf")\n'
            '  property(outname="message" name="msg" format="jsonf")\n'
            '  property(outname="path" name="$!metadata!filename" format="jsonf")\n'
            '  property(outname="host" name="hostname" format="jsonf")\n'
            '  constant(outname="@version" value="1" format="jsonf")\n' + (parsed if grok else "") + '}\n'
            # A queue of its own costs rsyslog three times as much, and nothing here needs one.
            f'ruleset(name="all" queue.type="Direct") {{\n{normalize}  action({action})\n}}\n'
            f'input(type="imfile" file="{self.corpus.path}" tag="nginx" ruleset="all" addMetadata="on" '
            'freshStartTail="off")\n', encoding="utf-8")


class SyslogNg(Peer):
    def command(self, place):
        modules = next((self.root / "usr/lib/syslog-ng").glob("[0-9]*"))
        return [self.root / _PROGRAMS["syslog-ng"], "-F", "--no-caps", "-f", place / "syslog-ng.conf",
                f"--module-path={modules}", "-R", place / "persist", "-p", place / "pid", "-c", place / "control"]

    def configure(self, place, out, grok, port):
        pairs = {"@timestamp": "$ISODATE", "message": "$MSG", "path": "$FILE_NAME", "host": "$HOST", "@version": "1"}
        if grok:
            pairs.update({name: f"${{{name}}}" for name in _FIELDS})
        json = "$(format-json " + " ".join(f"--pair {name}={value}" for name, value in pairs.items()) + ")\\n"
        buffers = "flush-lines(5000) log-fifo-size(200000)"
        if port:
            destination = f'network("127.0.0.1" port({port}) transport("tcp") template("{json}") {buffers})'
        elif out:
            destination = f'file("{out}" template("{json}") {buffers})'
        else:
            destination = f'file("/dev/null" template("$MSG\\n") {buffers})'
        pattern = checks.COMBINED.pattern.replace("?P<", "?<")
        parser = f"parser {{ regexp-parser(patterns('{pattern}')); }};" if grok else ""
        (place / "syslog-ng.conf").write_text(
            f"@version: {self.version_of_files()}\n"
            "options { keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0); log-msg-size(65536); };\n"
            f'source s {{ file("{self.corpus.path}" flags(no-parse) follow-freq(0.1) log-fetch-limit(5000) '
            "log-iw-size(100000)); };\n"
            f"destination d {{ {destination}; }};\n"
            f"log {{ source(s); {parser} destination(d); flags(flow-control); }};\n", encoding="utf-8")

    def version_of_files(self):
        return next((self.root / "usr/lib/syslog-ng").glob("[0-9]*")).name


def make(folder, work, corpus, sink):
    """The peers that can be had; (peers, what is missing and why)."""
    peers, missing = [], []
    for name, kind in (("rsyslog", Rsyslog), ("syslog-ng", SyslogNg)):
        try:
            peers.append(kind(name, unpack(name, folder), work, corpus, sink))
        except (Failure, OSError, subprocess.CalledProcessError) as error:
            missing.append(f"{name}: {error}")
    return peers, missing
