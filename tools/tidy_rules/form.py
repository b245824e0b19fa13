"""Lengths, columns, words: what is looked at file by file."""
import ast
import pathlib
import re

from .source import closing_brace, functions

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 120

_PROSE_FREE = (".md", ".txt", ".svg")
_TEST = re.compile(r"\b(?:TYPED_)?TEST(?:_F|_P)?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)\s*\{")
_ASSERTION = re.compile(r"\b(EXPECT_|ASSERT_|ADD_FAILURE|FAIL\s*\(|GTEST_FAIL)"
                        r"|\b([Ee]xpect|[Aa]ssert|[Cc]heck)_?\w*\s*\(")
_EMPTY_ASSERTION = re.compile(r"\b(EXPECT|ASSERT)_(TRUE\s*\(\s*(true|1)\s*\)|FALSE\s*\(\s*(false|0)\s*\)"
                              r"|EQ\s*\(\s*(\w+)\s*,\s*\5\s*\))|\bSUCCEED\s*\(")
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def lengths(source):
    count = len(source.lines) - (source.lines[-1] == "")
    if count > FILE_LINES_MAX and not source.path.endswith(_PROSE_FREE):
        yield source.finding(FILE_LINES_MAX + 1, "file-length",
                             f"{count} lines, at most {FILE_LINES_MAX}: split it by subject")
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS_MAX and not source.path.endswith(".md") and not source.allows("columns", number):
            if not re.search(r"https?://\S{60,}", line):
                yield source.finding(number, "columns", f"{len(line)} columns, at most {COLUMNS_MAX}")
        if line != line.rstrip() and not source.path.endswith(".md"):
            yield source.finding(number, "space", "white space at the end of the line")
        if "\t" in line and source.path.endswith((".cc", ".h", ".py", ".cmake")):
            yield source.finding(number, "tab", "a tab: two spaces in C++ and CMake, four in Python")
    if source.text and not source.text.endswith("\n"):
        yield source.finding(count, "end", "the last line does not end in a newline")
    if source.is_cpp:
        for line, length, head, _ in functions(source):
            if length > FUNCTION_LINES_MAX and not source.allows("function-length", line):
                name = re.search(r"([\w:~]+)\s*\(", head)
                yield source.finding(line, "function-length", f"{name.group(1) if name else head} has {length} lines, "
                                     f"at most {FUNCTION_LINES_MAX}: give its parts names")
    if source.is_header and "#pragma once" not in source.text:
        yield source.finding(1, "guard", "a header begins with #pragma once")


def asserting_helpers(source):
    """Names of the functions of this file that assert something."""
    names = set()
    for _, _, head, body in functions(source):
        name = re.search(r"([\w~]+)\s*\(", head)
        if name and not name.group(1).startswith("TEST") and _ASSERTION.search(body):
            names.add(name.group(1))
    return names


def tests(source):
    """A test that cannot fail is a defect."""
    if source.is_cpp:
        helpers = asserting_helpers(source)
        for match in _TEST.finditer(source.code):
            body = source.code[match.end() - 1:closing_brace(source.code, match.end() - 1)]
            line = source.line_of(match.start())
            if not _ASSERTION.search(body) and not helpers & set(re.findall(r"\b(\w+)\s*\(", body)):
                yield source.finding(line, "assertion", "this test asserts nothing")
        if source.is_test:
            for match in _EMPTY_ASSERTION.finditer(source.code):
                line = source.line_of(match.start())
                yield source.finding(line, "assertion", f"`{match.group()}` cannot fail")
            for match in re.finditer(r"\b(TEST\w*\s*\(\s*\w+\s*,\s*)?DISABLED_\w+", source.code):
                yield source.finding(source.line_of(match.start()), "disabled", "a disabled test: mend or remove it")


def python(source):
    if not source.path.endswith(".py"):
        return
    try:
        tree = ast.parse(source.text, source.path)
    except SyntaxError as error:
        yield source.finding(error.lineno or 1, "python", f"does not parse: {error.msg}")
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        if node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX:
            yield source.finding(node.lineno, "function-length",
                                 f"{node.name} has more than {FUNCTION_LINES_MAX} lines")
        if node.name.startswith("test_") and source.is_test and not re.search(
                r"\bassert\b|\.assert\w+\(|\b(check|expect)\w*\(|\.fail\(|\braise\b|pytest\.raises",
                ast.get_source_segment(source.text, node) or ""):
            yield source.finding(node.lineno, "assertion", f"{node.name} asserts nothing")


def words(source, root):
    """What is unfinished, and paths of the machine on which it was written."""
    if source.path.startswith("tools/tidy"):
        return
    places = {str(root)} if len(root.parts) > 2 else set()
    home = pathlib.Path.home()
    if len(home.parts) > 2:
        places.add(str(home))
    for number, line in enumerate(source.lines, 1):
        match = _UNFINISHED.search(line)
        if match and not source.allows("unfinished", number):
            yield source.finding(number, "unfinished", f"{match.group()}: do it, or write down why it is not done")
        for place in places:
            if re.search(re.escape(place) + r"(?![\w-])", line):
                yield source.finding(number, "machine", "names a path of the machine on which it was written")
