"""What the figures were measured on."""
import os
import pathlib
import platform
import re
import subprocess

# What the ciphers, the digests and the compressor make use of.
_FLAGS = ("sha_ni", "aes", "vaes", "pclmulqdq", "vpclmulqdq", "bmi2", "avx2", "avx512f")


def _first(pattern, text, fallback="unknown"):
    match = re.search(pattern, text, re.MULTILINE)
    return match.group(1).strip() if match else fallback


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def describe(checkout):
    cpu = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = _first(r"^model name\s*:(.*)$", cpu)
    flags = _first(r"^flags\s*:(.*)$", cpu, "").split()
    memory_kib = int(_first(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(encoding="utf-8"), "0"))
    system = _first(r'^PRETTY_NAME="(.*)"$', pathlib.Path("/etc/os-release").read_text(encoding="utf-8"))
    dirty = _output("git", "-C", str(checkout), "status", "--porcelain", "-uno", "--", "src")
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "instructions": " ".join(flag for flag in _FLAGS if flag in flags) or "unknown",
        "memory": f"{memory_kib / (1 << 20):.0f} GiB",
        "system": f"{system}, Linux {platform.release()}",
        "compiler": _output("g++", "--version").split("\n")[0],
        "commit": (_output("git", "-C", str(checkout), "rev-parse", "--short", "HEAD") or "unknown")
        + (" with changes" if dirty else ""),
    }
