#!/usr/bin/env python3
"""Date patterns against a second implementation: instants are written by Python's calendar and time zones, in patterns
of Joda's letters made at random, and `date` must read the instant back.

Expectations go through `enclave check --cases`. The seed is printed; --seed repeats a run.
"""
import argparse
import datetime
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import zoneinfo

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
         "+05:45"]
UTC = datetime.timezone.utc


def zone_of(name):
    if name[0] in "+-":
        sign = 1 if name[0] == "+" else -1
        return datetime.timezone(sign * datetime.timedelta(hours=int(name[1:3]), minutes=int(name[4:6])))
    return zoneinfo.ZoneInfo(name)


def offset(time, colon):
    minutes = int(time.utcoffset().total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{':' if colon else ''}{abs(minutes) % 60:02}"


MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
YEARS = {"yyyy": lambda t: f"{t.year:04}", "YYYY": lambda t: f"{t.year:04}", "yy": lambda t: f"{t.year % 100:02}"}
DATES = {
    ("MM", "dd"): (lambda t: f"{t.month:02}", lambda t: f"{t.day:02}"),
    ("M", "d"): (lambda t: str(t.month), lambda t: str(t.day)),
    ("MMM", "dd"): (lambda t: MONTHS[t.month - 1][:3], lambda t: f"{t.day:02}"),
    ("MMMM", "d"): (lambda t: MONTHS[t.month - 1], lambda t: str(t.day)),
    ("DDD",): (lambda t: str(t.timetuple().tm_yday),),
}
HOURS = {"HH": lambda t: f"{t.hour:02}", "H": lambda t: str(t.hour), "kk": lambda t: f"{t.hour or 24:02}",
         "hh a": lambda t: f"{t.hour % 12 or 12:02} {'AM' if t.hour < 12 else 'PM'}",
         "K a": lambda t: f"{t.hour % 12} {'am' if t.hour < 12 else 'pm'}"}
FRACTIONS = {"": lambda t: "", ".SSS": lambda t: f".{t.microsecond // 1000:03}",
             ",S": lambda t: f",{t.microsecond // 100000}",
             ".SSSSSS": lambda t: f".{t.microsecond:06}"}
DIGITS = {"": 0, ".SSS": 3, ",S": 1, ".SSSSSS": 6}
OFFSETS = {"": None, " Z": lambda t: " " + offset(t, False), "ZZ": lambda t: offset(t, True)}


def written(rng, local, has_zone):
    """A pattern, the time in it, and the digits of the second that it keeps."""
    year = rng.choice(list(YEARS))
    # Two digits are of the century around the year that was 30 years ago.
    if year == "yy" and not 1946 <= local.year <= 2045:
        year = "yyyy"
    date = rng.choice(list(DATES))
    separator = rng.choice(["-", "/", ".", " "])
    parts = [(year, YEARS[year](local))] + [(p, f(local)) for p, f in zip(date, DATES[date])]
    if rng.random() < 0.5:
        parts.reverse()
    pattern, text = separator.join(p for p, _ in parts), separator.join(t for _, t in parts)
    if rng.random() < 0.3:
        name = rng.choice(["EEE", "EEEE"])
        day = DAYS[local.weekday()]
        pattern, text = f"{name}, {pattern}", f"{day[:3] if name == 'EEE' else day}, {text}"
    glue = rng.choice([("'T'", "T"), (" ", " "), (" 'at' ", " at "), ("' o''clock '", " o'clock ")])
    hour = rng.choice(list(HOURS))
    fraction = "" if " a" in hour else rng.choice(list(FRACTIONS))
    hours, hours_text = hour.split(" "), HOURS[hour](local).split(" ")
    minutes = f"{local.minute:02}:{local.second:02}"
    pattern += f"{glue[0]}{hours[0]}:mm:ss{fraction}"
    text += f"{glue[1]}{hours_text[0]}:{minutes}{FRACTIONS[fraction](local)}"
    if len(hours) > 1:
        pattern, text = pattern + " a", text + " " + hours_text[1]
    if has_zone:
        chosen = rng.choice([" Z", "ZZ"])
        pattern, text = pattern + chosen, text + OFFSETS[chosen](local)
    return pattern, text, min(DIGITS[fraction], 3)


def is_once(local, zone):
    """Whether this wall time happens once: not in an overlap."""
    return local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset() or isinstance(zone, datetime.timezone)


def run(program, rng, count):
    cases, pipelines = [], []
    with tempfile.TemporaryDirectory() as folder:
        while len(cases) < count:
            name = rng.choice(ZONES)
            zone = zone_of(name)
            instant = datetime.datetime.fromtimestamp(rng.randint(0, 4_000_000_000), UTC)
            instant = instant.replace(microsecond=rng.randint(0, 999_999))
            local = instant.astimezone(zone)
            has_zone = rng.random() < 0.4
            if not (has_zone or is_once(local, zone)) or local.utcoffset().total_seconds() % 60:
                continue
            pattern, text, digits = written(rng, local, has_zone)
            kept = instant.replace(microsecond=instant.microsecond // 10**(6 - digits) * 10**(6 - digits))
            expected = kept.strftime("%Y-%m-%dT%H:%M:%S.") + f"{kept.microsecond // 1000:03}Z"
            number = len(pipelines)
            path = pathlib.Path(folder) / f"{number}.conf"
            options = "" if has_zone and rng.random() < 0.5 else f' timezone => "{name}"'
            path.write_text(f'filter {{ date {{ match => ["message", "{pattern}"]{options} }} }}\n')
            pipelines.append(f"- {{pipeline.id: p{number}, path.config: {json.dumps(str(path))}}}\n")
            cases.append({"name": f"{pattern} in {name}: {text}", "line": text, "pipeline": f"p{number}",
                          "now": "2026-01-01T00:00:00Z", "expect": {"@timestamp": expected, "tags": None}})
        (pathlib.Path(folder) / "pipelines.yml").write_text("".join(pipelines))
        file = pathlib.Path(folder) / "cases.json"
        file.write_text(json.dumps(cases))
        done = subprocess.run([program, "check", "--logstash", folder, "--cases", str(file), "--json"],
                              capture_output=True, text=True)
        results = json.loads(done.stdout or "{}").get("cases", [])
        if len(results) != len(cases):
            print(done.stdout[:2000], done.stderr[:2000])
            return 1
        wrong = [result for result in results if not result["passed"]]
        for result in wrong[:10]:
            print(result["name"], *result["differences"], sep="\n  ")
        if wrong:
            return 1
    print(f"{count} times are read alike")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--count", type=int, default=900)
    arguments = parser.parse_args()
    print(f"the same run again: {sys.argv[0]} {arguments.program} --seed {arguments.seed}")
    return run(arguments.program, random.Random(arguments.seed), arguments.count)


if __name__ == "__main__":
    sys.exit(main())
