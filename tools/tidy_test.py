#!/usr/bin/env python3
"""Each rule of tools/tidy finds what it is there for, and lets good code pass."""
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from tidy_rules import banned, house  # noqa: E402
from tidy_rules.source import Source, functions  # noqa: E402

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent

# rule, a file that breaks it, what stands there, and a file in which the same is allowed (or None)
SNIPPETS = [
    ("clock", "src/event/a.cc", "auto now = std::chrono::system_clock::now();", "src/io/a.cc"),
    ("clock", "src/event/a.cc", "auto now = time(nullptr);", "src/io/a.cc"),
    ("clock", "sim/a.cc", "clock_gettime(CLOCK_BOOTTIME, &t);", "src/io/a.cc"),
    ("random", "src/archive/a.cc", "std::random_device device;", "src/io/a.cc"),
    ("random", "src/crypto/a.cc", "RAND_bytes(p, 32);", "src/io/a.cc"),
    ("getenv", "src/pipeline/a.cc", 'const char* home = getenv("HOME");', "src/cli/a.cc"),
    ("setenv", "src/cli/a.cc", 'setenv("A", "b", 1);', "src/cli/a_test.cc"),
    ("thread", "src/event/a.cc", "std::thread worker(run);", "src/pipeline/runtime.cc"),
    ("detach", "src/io/a.cc", "worker.detach();", None),
    ("regex", "src/cli/a.cc", "#include <regex>", None),
    ("regex", "tests/a.cc", "std::regex pattern(text);", None),
    ("strcpy", "src/io/a.cc", "strcpy(to, from);", None),
    ("atoi", "src/event/a.cc", "int n = std::stoi(text);", "src/event/a_test.cc"),
    ("shell", "src/cli/a.cc", "std::system(command);", None),
    ("throw", "src/event/a.cc", "throw std::runtime_error(text);", "src/event/a_test.cc"),
    ("print", "src/event/a.cc", 'std::cout << "x";', "src/cli/a.cc"),
    ("exit", "src/event/a.cc", "std::exit(1);", "src/cli/a.cc"),
    ("sleep", "src/pipeline/a.cc", "std::this_thread::sleep_for(1s);", "src/io/a.cc"),
    ("memory", "src/event/a.cc", "char* bytes = new char[4];", None),
    ("memory", "src/event/a.cc", "delete bytes;", None),
    ("const_cast", "src/event/a.cc", "const_cast<char*>(p);", None),
    ("using", "src/event/a.h", "using namespace std;", "src/event/a.cc"),
    ("parent", "src/event/a.cc", '#include "../base/result.h"', None),
    ("bits", "src/event/a.cc", "#include <bits/stdc++.h>", None),
    ("syscall", "src/pipeline/a.cc", "#include <sys/stat.h>", "src/io/a.cc"),
    ("crypto", "src/archive/a.cc", "#include <openssl/evp.h>", "src/crypto/a.cc"),
    ("global", "src/event/a.cc", "static int counter = 0;", "src/event/a_test.cc"),
    ("guard", "src/event/a.h", "int f();", "src/event/a.cc"),
    ("columns", "src/event/a.cc", "// " + "a" * 118, None),
    ("space", "src/event/a.cc", "int a; ", None),
    ("tab", "src/event/a.cc", "\tint a;", None),
    ("unfinished", "src/event/a.cc", "// TODO: later", None),
    ("file-length", "src/event/a.cc", "int a;\n" * 600 + "int a;", None),
    ("function-length", "src/event/a.cc", "int f() {\n" + "  a();\n" * 69 + "}", None),
    ("function-length", "src/event/a.cc", "A::A(int b) : b_(b), c_{1} {\n" + "  a();\n" * 69 + "}", None),
    ("function-length", "tests/a.py", "def f():\n" + "    a()\n" * 70, None),
    ("assertion", "src/event/a_test.cc", "TEST(A, Works) { run(); }", None),
    ("assertion", "src/event/a_test.cc", "TEST_F(A, Works) { EXPECT_TRUE(true); }", None),
    ("assertion", "tests/a.py", "def test_a():\n    run()", None),
    ("disabled", "src/event/a_test.cc", "TEST(A, DISABLED_Works) { EXPECT_EQ(a, b); }", None),
    ("python", "tests/a.py", "def f(:", None),
    ("shell", "tests/a.sh", "#!/bin/sh\nif true; then", None),
    ("unused", "src/event/a.h", "#pragma once", None),
    ("order", "src/base/a.cc", '#include "event/a.h"', "src/event/a.cc"),
]

GOOD = """#pragma once
// A comment may say system_clock::now(), new char[4] and throw.
struct A {
  Result<int> time(int zone) const noexcept;  // a member that is called time is no clock
  std::int64_t now = clock.time(0);
  std::string text = "std::cout << getenv(\\"HOME\\")";
  static constexpr int kMax = 1'000;
  static const int kMin = 1;
  bool gone = deleted;
};
"""

FUNCTIONS = """namespace a {
const Plugin p{.name = f(1), .open = g};
struct B {
  int c() const {
    return 1;
  }
  int d{3};
};
template <class T>
Result<T> B::e(T t) requires X<T> {
  if (t) {
  }
  auto l = [] { return 1; };
}
bool operator==(A a, A b) { return true; }
}
"""


class Tidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name).resolve()
        self.write("src/CMakeLists.txt", "enclave_folder(base LIBRARIES fmt::fmt)\nenclave_folder(event USES base)")
        shutil.copy(CHECKOUT / ".clang-format", self.root)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text + "\n")

    def rules(self, path):
        return {finding.rule for finding in house.check(self.root)[0] if finding.path == path}

    def test_each_rule_finds_what_breaks_it(self):
        for rule, path, text, allowed in SNIPPETS:
            with self.subTest(rule=rule, text=text[:60]):
                self.write(path, text)
                self.assertIn(rule, self.rules(path))
                (self.root / path).unlink()
                if allowed:
                    self.write(allowed, text)
                    self.assertNotIn(rule, self.rules(allowed))
                    (self.root / allowed).unlink()

    def test_every_ban_has_a_snippet(self):
        self.assertEqual({ban.rule for ban in banned.BANS} - {rule for rule, *_ in SNIPPETS}, set())

    def test_good_code_passes(self):
        self.write("src/event/a.h", GOOD.rstrip("\n"))
        self.write("src/event/a.cc", '#include "event/a.h"')
        self.assertEqual(self.rules("src/event/a.h") - {"format"}, set())

    def test_an_exception_needs_a_reason(self):
        self.write("src/event/a.cc", "// tidy: allow throw: the library knows no other way to stop\nthrow 1;")
        self.assertNotIn("throw", self.rules("src/event/a.cc"))
        self.write("src/event/a.cc", "// tidy: allow throw\nthrow 1;")
        self.assertIn("throw", self.rules("src/event/a.cc"))

    def test_a_helper_of_the_same_file_may_assert(self):
        self.write("src/event/a_test.cc", "void crash(int a) { ASSERT_EQ(a, 1); }\nTEST(A, Works) { crash(1); }")
        self.assertNotIn("assertion", self.rules("src/event/a_test.cc"))

    def test_a_path_of_this_machine_is_found(self):
        self.write("docs/a.md", f"cd {self.root}/build")
        self.assertIn("machine", self.rules("docs/a.md"))

    def test_folders_stand_in_order(self):
        self.write("src/CMakeLists.txt", "enclave_folder(event USES base)\nenclave_folder(base)")
        self.assertIn("order", self.rules("src/CMakeLists.txt"))

    @unittest.skipUnless(shutil.which("clang-format-16"), "clang-format-16 is not installed")
    def test_form_is_checked(self):
        self.write("src/event/a.cc", "int   a ;")
        self.assertIn("format", self.rules("src/event/a.cc"))
        self.write("src/event/a.cc", "int a;")
        self.assertNotIn("format", self.rules("src/event/a.cc"))

    def test_functions_are_found_with_their_lengths(self):
        code = FUNCTIONS
        found = [(line, length) for line, length, *_ in functions(Source("src/a.cc", code))]
        self.assertEqual(found, [(4, 3), (10, 5), (15, 1)])


if __name__ == "__main__":
    unittest.main()
