#!/usr/bin/env python3
"""Grok against a second implementation: names expanded and lines matched here, with Python's own engine.

The expressions of the standard names are read from the sources; how they are expanded, which groups are fields, and
what a match is, is told anew. Lines are written by samplers and then damaged. Expectations go through
`enclave check --cases`. The seed is printed; --seed repeats a run.
"""
import argparse
import glob
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CALL = re.compile(r"%\{(\w+)(?::([^:}]+))?(?::(int|float))?\}")


def library(ecs):
    """Names and expressions of the tables in src/pipeline/grok."""
    names = {}
    for path in glob.glob(str(ROOT / "src/pipeline/grok/patterns_*.cc")):
        text = pathlib.Path(path).read_text()
        for table in re.findall(r"constexpr Pattern (kBoth|kLegacy|kEcs)\[\] = \{(.*?)\n\};", text, re.S):
            if table[0] == ("kLegacy" if ecs else "kEcs"):
                continue
            for name, parts in re.findall(r'\{"(\w+)",((?:\s*R"x\(.*?\)x")+)\s*\}', table[1], re.S):
                names[name] = "".join(re.findall(r'R"x\((.*?)\)x"', parts, re.S))
    return names


def for_python(expression):
    """What Oniguruma writes in another way."""
    for posix, plain in (("alnum", "a-zA-Z0-9"), ("alpha", "a-zA-Z"), ("digit", "0-9"), ("space", r"\s"),
                         ("punct", r"!-/:-@\[-`{-~"), ("upper", "A-Z"), ("lower", "a-z"), ("xdigit", "0-9a-fA-F")):
        expression = expression.replace(f"[:{posix}:]", plain)
    return re.sub(r"\(\?<([A-Za-z_]\w*)>", r"(?P<\1>", expression)


class Pattern:
    def __init__(self, pattern, names):
        self.names, self.fields = names, []
        self.regex = re.compile(self.expand(pattern), re.M | re.S | re.A)

    def expand(self, text):
        def call(match):
            name, field, kind = match.groups()
            group = "(?:"
            if field:
                self.fields.append((f"g{len(self.fields)}_", field, kind))
                group = f"(?P<{self.fields[-1][0]}>"
            return group + self.expand(self.names[name]) + ")"
        return for_python(CALL.sub(call, text)) if CALL.search(text) else for_python(text)

    def match(self, line):
        """Field: value or list of values; None for no match."""
        found = self.regex.search(line)
        if not found:
            return None
        out = {}
        for group, field, kind in self.fields:
            value = found.group(group)
            if value:
                value = int(value) if kind == "int" else float(value) if kind == "float" else value
                known = out.get(field)
                if known is None:
                    out[field] = value
                elif isinstance(known, list):
                    known.append(value)
                elif isinstance(known, str):  # a number that is there stays alone
                    out[field] = [known, value]
        return out


class Lines:
    """Texts for names, likely to match or nearly so."""

    def __init__(self, rng):
        self.rng = rng

    def word(self):
        return "".join(self.rng.choice("abcXYZ019_") for _ in range(self.rng.randint(1, 8)))

    def number(self):
        return self.rng.choice(["0", "7", "-12", "+3", "3.25", "-0.5", ".5", "100000", "1e5", "0x1F", "08"])

    def address(self):
        kind = self.rng.randint(0, 3)
        if kind == 0:
            return ":".join("%x" % self.rng.randint(0, 65535) for _ in range(8))
        if kind == 1:
            return self.rng.choice(["::1", "fe80::1%eth0", "2001:db8::7", "::ffff:1.2.3.4", "1::"])
        return ".".join(str(self.rng.randint(0, 270)) for _ in range(4))

    def time(self):
        r = self.rng.randint
        return f"{r(0, 25):02}:{r(0, 61):02}:{r(0, 61):02}" + self.rng.choice(["", ".123", ",5"])

    def date(self):
        r = self.rng.randint
        month = self.rng.choice(["Jan", "May", "September", "Dec", "Foo"])
        return self.rng.choice([f"{r(1, 32):02}/{month}/{r(1970, 2040)}:{self.time()} +0200",
                                f"{r(1990, 2030)}-{r(1, 13):02}-{r(1, 31):02}T{self.time()}Z",
                                f"{month} {r(1, 31):2} {self.time()}", f"{r(1, 31)}.{r(1, 12)}.{r(90, 120)}",
                                f"{r(1, 12)}/{r(1, 31)}/{r(1990, 2030)}"])

    def path(self):
        return self.rng.choice(["/", "/a/b.html?x=1&y=%20", "/var/log/x.log", "C:\\x\\y",
                                "http://u:p@h.example:80/p?q=1", "https://example.org", "urn:isbn:12"])

    def name(self):
        return self.rng.choice(["host", "www.example.org", "a-b.c", "joe", "joe@example.org", "-", "sshd[12]", "app",
                                "00:1B:44:11:3A:B7", "550e8400-e29b-41d4-a716-446655440000", '"quoted \\" text"',
                                "INFO", "warning", "org.apache.Catalina", "kern.info"])

    def fit(self, name):
        """Something that this name most likely matches."""
        kinds = {"NUMBER": self.number, "INT": self.number, "POSINT": self.number, "NONNEGINT": self.number,
                 "BASE10NUM": self.number, "BASE16NUM": self.number, "IP": self.address, "IPV4": self.address,
                 "IPV6": self.address, "IPORHOST": self.address, "HOSTNAME": self.name, "TIME": self.time,
                 "HTTPDATE": self.date, "DATE": self.date, "DATESTAMP": self.date, "TIMESTAMP_ISO8601": self.date,
                 "SYSLOGTIMESTAMP": self.date, "PATH": self.path, "UNIXPATH": self.path, "URI": self.path,
                 "URIPATHPARAM": self.path, "URIPROTO": self.path, "WINPATH": self.path, "UUID": self.name,
                 "EMAILADDRESS": self.name, "MAC": self.name, "QUOTEDSTRING": self.name, "LOGLEVEL": self.name}
        return kinds.get(name, self.word)() if self.rng.random() < 0.8 else self.piece()

    def piece(self):
        return self.rng.choice([self.word, self.number, self.address, self.time, self.date, self.path, self.name])()

    def damaged(self, line):
        for _ in range(self.rng.choice([0, 0, 0, 1, 2])):
            at = self.rng.randint(0, len(line))
            line = self.rng.choice([line[:at] + self.rng.choice(" :-[]\"/x9\t") + line[at:], line[:at] + line[at + 1:],
                                    line[:at]])
        return line


SINGLE = """WORD NUMBER INT BASE10NUM BASE16NUM IP IPV4 IPV6 HOSTNAME IPORHOST HOSTPORT USERNAME EMAILADDRESS NOTSPACE
 DATA GREEDYDATA QUOTEDSTRING UUID URN MAC PATH UNIXPATH URI URIPROTO URIPATHPARAM MONTH MONTHDAY DAY YEAR TIME DATE
 DATESTAMP TIMESTAMP_ISO8601 SYSLOGTIMESTAMP HTTPDATE LOGLEVEL SYSLOGPROG SYSLOGHOST SYSLOGFACILITY JAVACLASS POSINT
 NONNEGINT WINPATH TTY PROG TZ""".split()


def quoted(text):
    return json.dumps(text)


def cases_for(pattern, lines, names):
    second = Pattern(pattern, names)
    fields = sorted({field for _, field, _ in second.fields})
    cases = []
    for line in lines:
        found = second.match(line)
        expect = {f"[{field}]": (found or {}).get(field) for field in fields}
        expect["tags"] = None if found is not None else ["_grokparsefailure"]
        cases.append({"name": f"{pattern} on {line!r}", "line": line, "expect": expect})
    return cases


def run(program, rng, rounds, per_pattern):
    names, lines = library(ecs=False), Lines(rng)
    total = matched = 0
    with tempfile.TemporaryDirectory() as folder:
        pipelines, cases = [], []
        for number in range(rounds):
            chosen = [rng.choice(SINGLE) for _ in range(rng.randint(1, 4))]
            glue = [rng.choice([" ", ": ", " \\[", "] ?", "-", "(?: | - )"]) for _ in chosen]
            pattern = rng.choice(["", "^"])
            for index, (name, between) in enumerate(zip(chosen, glue)):
                number_field = f":f{index}:int" if name in ("INT", "POSINT") else ""
                field = rng.choice(["", f":f{rng.randint(0, index)}", number_field])
                pattern += f"%{{{name}{field}}}" + (between.replace("]", "\\]") if index + 1 < len(chosen) else "")
            pattern += rng.choice(["", "$"])
            path = pathlib.Path(folder) / f"{number}.conf"
            path.write_text(f"filter {{ grok {{ match => {{ 'message' => '{pattern}' }} }} }}\n")
            pipelines.append(f"- {{pipeline.id: p{number}, path.config: {quoted(str(path))}, "
                             "pipeline.ecs_compatibility: disabled}\n")
            made = []
            for _ in range(per_pattern):
                parts = [lines.fit(name) for name in chosen]
                plain = {" \\[": " [", "] ?": "] ", "(?: | - )": " - "}
                text = "".join(part + plain.get(between, between) for part, between in zip(parts, glue[:-1] + [""]))
                made.append(lines.damaged(text))
            for case in cases_for(pattern, made, names):
                cases.append({**case, "pipeline": f"p{number}"})
        (pathlib.Path(folder) / "pipelines.yml").write_text("".join(pipelines))
        for begin in range(0, len(cases), 1000):
            some = cases[begin:begin + 1000]
            file = pathlib.Path(folder) / "cases.json"
            file.write_text(json.dumps(some))
            done = subprocess.run([program, "check", "--logstash", folder, "--cases", str(file), "--json"],
                                  capture_output=True, text=True)
            told = json.loads(done.stdout or "{}")
            results = told.get("cases", [])
            if len(results) != len(some):
                print(done.stdout[:2000], done.stderr[:2000])
                return 1
            for result in results:
                if not result["passed"]:
                    print(result["name"], *result["differences"], sep="\n  ")
                    return 1
            total += len(results)
            matched += sum(case["expect"]["tags"] is None for case in some)
    if not total / 20 < matched < total * 19 / 20:
        print(f"{matched} of {total} lines match: that compares too little")
        return 1
    print(f"{total} lines on {rounds} patterns come out alike; {matched} of them match")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--lines", type=int, default=20)
    arguments = parser.parse_args()
    print(f"the same run again: {sys.argv[0]} {arguments.program} --seed {arguments.seed}")
    return run(arguments.program, random.Random(arguments.seed), arguments.rounds, arguments.lines)


if __name__ == "__main__":
    sys.exit(main())
