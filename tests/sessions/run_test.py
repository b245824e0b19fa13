#!/usr/bin/env python3
"""A session that is not as written fails."""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run  # noqa: E402


class RunTest(unittest.TestCase):
    def failures(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".session") as file:
            file.write(text)
            file.flush()
            return run.run(file.name, "/nowhere")

    def test_what_fits_passes(self):
        self.assertEqual(self.failures("# why\n$ echo one; echo two 12; false\none\ntwo <n>\n? 1\n"), [])
        self.assertEqual(self.failures("$ echo a; echo b; echo c\n...\nc\n"), [])

    def test_other_output_fails(self):
        self.assertEqual(len(self.failures("$ echo one\ntwo\n")), 1)

    def test_more_output_fails(self):
        self.assertEqual(len(self.failures("$ echo one; echo two\none\n")), 1)

    def test_less_output_fails(self):
        self.assertEqual(len(self.failures("$ true\none\n")), 1)

    def test_another_status_fails(self):
        self.assertEqual(len(self.failures("$ false\n")), 1)

    def test_errors_are_output(self):
        self.assertEqual(self.failures("$ echo wrong >&2\nwrong\n"), [])

    def test_commands_go_on_over_lines(self):
        self.assertEqual(self.failures("$ cat <<E\n> text\n> E\ntext\n"), [])


if __name__ == "__main__":
    unittest.main()
