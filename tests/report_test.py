#!/usr/bin/env python3
"""What bench/report makes of results. usage: report_test.py REPORT"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

REPORT = os.path.abspath(sys.argv.pop(1))


def result(directory, name, medians, **skipped):
    benchmarks = [{"name": f"lookup/memory/{what}/iterations:9", "family_index": index, "run_type": "iteration", "p50_us": value,
                   "p90_us": value, "p99_us": 2 * value, "p999_us": 3 * value, "max_us": 4 * value, "over_50_us": 0, "calls": 9}
                  for index, (what, values) in enumerate(medians.items()) for value in values]
    benchmarks += [{"name": what, "run_type": "iteration", "error_occurred": True, "error_message": why}
                   for what, why in skipped.items()]
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        json.dump({"context": {"kernel": "Linux 0"}, "benchmarks": benchmarks}, file)
    return path


def report(*arguments):
    return subprocess.run([sys.executable, REPORT, *arguments], capture_output=True, text=True)


class Report(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)

    def test_tables_targets_and_what_was_skipped(self):
        measured = result(self.scratch.name, "a", {"open fstat read getlk close": [4, 4, 4], "read_live": [6, 5, 4]},
                          Avahi="no daemon runs")
        run = report(measured)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("| read_live | 5.0 µs | 10.0 µs | 20.0% | 1.25 | open fstat read getlk close |", run.stdout)
        self.assertIn("* Avahi: no daemon runs", run.stdout)
        self.assertIn("| 1.25 | at most 1.35 | met |", run.stdout)
        worse = report(result(self.scratch.name, "b", {"open fstat read getlk close": [4], "read_live": [6]}))
        self.assertIn("| 1.50 | at most 1.35 | **missed** |", worse.stdout)

    def test_a_change_counts_outside_noise_alone(self):
        before = result(self.scratch.name, "a", {"read_live": [5, 5.01, 5.02, 5.01], "read": [4, 6, 5, 4.5]})
        after = result(self.scratch.name, "b", {"read_live": [6, 6.01, 6.02, 6.01], "read": [5.5, 5, 4.6, 6]})
        run = report("--compare", before, after)
        self.assertEqual(run.returncode, 1)
        lines = {line.split(" | ")[0]: line for line in run.stdout.splitlines()}
        self.assertTrue(lines["| lookup/memory/read_live"].endswith("| slower |"))
        self.assertTrue(lines["| lookup/memory/read"].endswith("|  |"))
        self.assertEqual(report("--compare", before, before).returncode, 0)
        self.assertTrue("| faster |" in report("--compare", after, before).stdout)

    def test_what_is_no_result_is_named(self):
        path = os.path.join(self.scratch.name, "bad")
        for text in ("", "{", "[]", "{}", '{"context": {}, "benchmarks": [{}]}'):
            with open(path, "w") as file:
                file.write(text)
            run = report(path)
            self.assertEqual(run.returncode, 1)
            self.assertIn(f"report: {path} holds no results", run.stderr)
        self.assertIn("holds no results", report(path + ".missing").stderr)


unittest.main()
