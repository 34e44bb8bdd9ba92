"""Plays an External System against a running muster: `run.py --binary target/debug/muster [word …]`.

Ends with a line `N passed, N failed`; the exit status is 0 only if every test passed.
"""

import argparse
import pathlib
import signal
import sys
import time
import unittest

import harness

SUITES = pathlib.Path(__file__).parent / "suites"


class Result(unittest.TestResult):
    """Shows each test in one line, and the whole story of those that failed at the end."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.stories = []
        self.causes = set()

    def startTest(self, test):
        super().startTest(test)
        self.begun = time.monotonic()

    def addSuccess(self, test):
        self.passed += 1
        self.say("ok", test)

    def addFailure(self, test, err):
        self.fail(test, err)

    def addError(self, test, err):
        self.fail(test, err)

    def addSubTest(self, test, subtest, err):
        # A test with failing parts has failed once; each part tells its story.
        if err is not None:
            if not any(failed is test for failed, _ in self.failures):
                self.failures.append((test, ""))
            self.stories.append(f"{subtest}\n{self._exc_info_to_string(err, test)}")
            self.say("FAILED", subtest)

    def addSkip(self, test, reason):
        self.fail_with(test, f"skipped, and nothing may be: {reason}")

    def fail(self, test, err):
        self.fail_with(test, self._exc_info_to_string(err, test))

    def fail_with(self, test, story):
        self.failures.append((test, ""))
        cause = story.rstrip().rpartition("\n")[2]
        if "no server" in cause and cause in self.causes:
            # One server that does not start fails every suite; its story is told once.
            story = "no server, as above"
        self.causes.add(cause)
        self.stories.append(f"{test}\n{story}")
        self.say("FAILED", test)

    def say(self, word, test):
        took = time.monotonic() - getattr(self, "begun", time.monotonic())
        print(f"{word:<7}{took:6.2f} s  {name(test)}")


def name(test):
    """`suite.Class.sentence`, and the part for a part of a test."""
    whole = test.id()
    return whole.removeprefix("suites.")


def chosen(suite, words):
    """The tests of a suite whose names hold one of the words; all if there are none."""
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from chosen(part, words)
        elif not words or any(word.lower() in part.id().lower() for word in words):
            yield part


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True, type=pathlib.Path, help="the muster binary")
    arguments.add_argument("--keep", action="store_true", help="keep logs and data also if every test passed")
    arguments.add_argument("words", nargs="*", help="only tests with one of these words in their names")
    options = arguments.parse_args()
    harness.BINARY = options.binary.resolve()
    # A stop from outside must still end the servers and fleets.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    loader = unittest.TestLoader()
    suite = loader.discover(str(SUITES), pattern="*.py", top_level_dir=str(SUITES.parent))
    if loader.errors:
        print("\n".join(loader.errors))
        return 1
    result = Result()
    try:
        unittest.TestSuite(chosen(suite, options.words)).run(result)
    finally:
        harness.end_all()
    if errors := harness.errors_logged():
        result.failures.append(("the servers log no errors", ""))
        result.stories.append("\n".join(["the servers logged errors:", *errors]))
        print("FAILED  the servers log no errors")
    for story in result.stories:
        print(f"\n{'=' * 78}\n{story}")
    if result.failures:
        print(harness.log_tail())
    harness.clean_up(keep=options.keep or bool(result.failures))
    failed = len(result.failures)
    print(f"{result.passed} passed, {failed} failed")
    return 0 if result.passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
