"""Rules about the tree as a whole, and the run of all rules."""
import concurrent.futures
import os
import re
import shutil
import subprocess

from . import banned, form
from .source import Finding, Source

_SKIPPED_FOLDERS = {"build", "var", ".git", "__pycache__", "node_modules"}
# What lies there is input: only the code is ours.
_INPUT_FOLDERS = re.compile(r"(^|/)(corpus|samples|vectors|golden)/")
_CODE = (".cc", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt")
_CHECKED = (".cc", ".h", ".py", ".sh", ".cmake", ".md", ".txt", ".yaml", ".service")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def files_of(root):
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _SKIPPED_FOLDERS)
        for name in sorted(files):
            path = os.path.relpath(os.path.join(folder, name), root)
            if _INPUT_FOLDERS.search(path) and not name.endswith(_CODE):
                continue
            if name.endswith(_CHECKED) or name == "Makefile" or path.startswith((".ci/", "tools/", "bench/")):
                yield path


def load(root):
    sources = []
    for path in files_of(root):
        with open(root / path, "rb") as file:
            data = file.read()
        try:
            sources.append(Source(path, data.decode("utf-8")))
        except UnicodeDecodeError:
            if path.endswith(_CHECKED):
                sources.append(Source(path, data.decode("utf-8", "replace")))
    return sources


def declared_uses(root):
    """folder → folders it may include, in the order of src/CMakeLists.txt."""
    path = root / "src/CMakeLists.txt"
    uses = {}
    if path.exists():
        for match in re.finditer(r"^enclave_folder\((\w+)([^)]*)\)", path.read_text(), re.MULTILINE):
            words = match.group(2).split()
            begin = words.index("USES") + 1 if "USES" in words else len(words)
            end = words.index("LIBRARIES") if "LIBRARIES" in words else len(words)
            uses[match.group(1)] = words[begin:end]
    return uses


def folder_order(root, sources):
    """A folder uses only folders above it, and includes only those that it declares."""
    uses = declared_uses(root)
    order = list(uses)
    for name, used in uses.items():
        for other in used:
            if other not in order[:order.index(name)]:
                yield Finding("src/CMakeLists.txt", 1, "order", f"{name} uses {other}, which does not stand above it")
    for source in sources:
        if not source.is_cpp or not source.folder or source.folder not in uses:
            continue
        for match in _INCLUDE.finditer(source.text):
            first = match.group(1).split("/")[0]
            if first in uses and first != source.folder and first not in uses[source.folder]:
                yield source.finding(source.line_of(match.start()), "order",
                                     f"{source.folder} may not include {first}: src/CMakeLists.txt does not declare it")


def unused_headers(sources):
    included = {}
    for source in sources:
        if source.is_cpp:
            for name in _INCLUDE.findall(source.text):
                included.setdefault(os.path.basename(name), set()).add((name, source.path))
    for source in sources:
        if not source.is_header:
            continue
        base = os.path.basename(source.path)
        if not any(source.path.endswith(name) and by != source.path for name, by in included.get(base, ())):
            yield source.finding(1, "unused", "no file includes this header")


def run_tool(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def formatted(root, sources, notes):
    tool = shutil.which("clang-format-16") or shutil.which("clang-format")
    if tool is None:
        notes.append("form of the C++ files was not checked: clang-format-16 is not installed")
        return []
    if not re.search(r"version 16\.", run_tool([tool, "--version"]).stdout):
        notes.append(f"form of the C++ files was not checked: {tool} is not version 16")
        return []

    def one(source):
        run = run_tool([tool, "--dry-run", "-Werror", "--ferror-limit=1", f"--style=file:{root / '.clang-format'}",
                        str(root / source.path)])
        match = re.search(r":(\d+):\d+: error", run.stderr)
        if run.returncode == 0:
            return None
        return source.finding(int(match.group(1)) if match else 1, "format", "run clang-format-16 -i on this file")

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [f for f in pool.map(one, [s for s in sources if s.is_cpp]) if f is not None]


def scripts(root, sources, notes):
    """Shell scripts parse; with shellcheck, they are also free of its warnings."""
    checker = shutil.which("shellcheck")
    if checker is None:
        notes.append("shell scripts were only parsed: shellcheck is not installed")
    for source in sources:
        shell = re.match(r"#!\s*/(?:usr/)?bin/(?:env\s+)?(sh|bash|dash)\b", source.text)
        if shell is None:
            continue
        run = run_tool([shell.group(1), "-n", str(root / source.path)])
        if run.returncode != 0:
            yield source.finding(1, "shell", run.stderr.strip().split("\n")[0])
            continue
        if checker is not None:
            run = run_tool([checker, "--severity=warning", "--format=gcc", str(root / source.path)])
            for line, text in re.findall(r"^[^:]+:(\d+):\d+: (.*)$", run.stdout, re.MULTILINE):
                yield source.finding(int(line), "shell", text)


def check(root):
    """All findings, and notes on what could not be checked."""
    sources, findings, notes = load(root), [], []
    for source in sources:
        for rule in (form.lengths, form.tests, form.python, banned.check):
            findings += rule(source)
        findings += form.words(source, root)
    findings += folder_order(root, sources)
    findings += unused_headers(sources)
    findings += formatted(root, sources, notes)
    findings += scripts(root, sources, notes)
    return findings, notes
