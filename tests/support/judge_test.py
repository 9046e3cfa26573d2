#!/usr/bin/env python3
"""judge.py against small CTest runs, one for each thing that it must object to."""
import os
import subprocess
import sys
import tempfile
import unittest

JUDGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "judge.py")
SKIP = 'set_tests_properties(it PROPERTIES SKIP_RETURN_CODE 77)\n'


class Judge(unittest.TestCase):
    def verdict(self, tests, minimum="1", shared=True):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
                file.write(tests)
            if not minimum.isdigit():
                with open(os.path.join(folder, "minimum.txt"), "w", encoding="utf-8") as file:
                    file.write(minimum)
                minimum = file.name
            results = os.path.join(folder, "results.xml")
            subprocess.run(["ctest", "--test-dir", folder, "--output-junit", results], check=False, capture_output=True)
            judged = subprocess.run(
                [sys.executable, JUDGE, "--build", folder, "--minimum", minimum, "--shared", folder if shared else folder + "/no", results],
                check=False, capture_output=True, text=True)
            return judged.returncode, judged.stderr

    def test_says_nothing_when_all_ran(self):
        self.assertEqual(self.verdict('add_test(it "/bin/true")\n'), (0, ""))

    def test_objects_to_a_skip(self):
        status, words = self.verdict('add_test(it "/bin/sh" "-c" "echo nginx is absent; exit 77")\n' + SKIP, shared=False)
        self.assertEqual(status, 1)
        self.assertIn("it: not run: nginx is absent", words)

    def test_objects_to_a_skip_for_shared_while_shared_is_there(self):
        self.assertEqual(self.verdict('add_test(it "/bin/sh" "-c" "echo ../shared is absent; exit 77")\n' + SKIP)[0], 1)

    def test_accepts_a_skip_for_an_absent_shared(self):
        self.assertEqual(self.verdict('add_test(it "/bin/sh" "-c" "echo ../shared is absent; exit 77")\n' + SKIP, shared=False), (0, ""))

    def test_objects_to_cases_left_out_inside_a_test(self):
        for said in ("OK (skipped=2)", "FAILED (failures=0, skipped=1)", "# skipped 3", "==== 3 passed, 1 skipped in 1s ===="):
            status, words = self.verdict(f'add_test(it "/bin/echo" "{said}")\n')
            self.assertEqual(status, 1, said)
            self.assertIn("left cases out", words)

    def test_accepts_a_count_of_no_skips(self):
        for said in ("OK", "# skipped 0", "Ran 3 tests, 0 skipped", "skipped=1 connection"):
            self.assertEqual(self.verdict(f'add_test(it "/bin/echo" "{said}")\n'), (0, ""), said)

    def test_objects_to_a_disabled_test(self):
        self.assertIn("it: disabled", self.verdict('add_test(it "/bin/true")\nset_tests_properties(it PROPERTIES DISABLED TRUE)\n')[1])

    def test_objects_to_a_program_that_was_not_built(self):
        self.assertEqual(self.verdict('add_test(it "/nonexistent/program")\n')[0], 1)

    def test_objects_to_too_few(self):
        tests = 'add_test(it "/bin/true")\nset_tests_properties(it PROPERTIES LABELS "unit;pure")\n'
        self.assertEqual(self.verdict(tests, minimum="total 1 # all\nunit 1\n\n"), (0, ""))
        self.assertIn("unit: 1 tests, and there should be at least 2", self.verdict(tests, minimum="unit 2\n")[1])
        self.assertEqual(self.verdict(tests, minimum="2")[0], 1)
        self.assertEqual(self.verdict(tests, minimum="e2e 1\n")[0], 1)

    def test_objects_to_no_record(self):
        self.assertEqual(self.verdict("")[0], 1)


if __name__ == "__main__":
    unittest.main()
