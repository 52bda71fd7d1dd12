"""Runs tests against copies of the package, in a process that has loaded what all of them need.

It reads a folder with a package and options for pytest, a line each time, and answers with the
status and the output. Every run is a fork of this process, which imports no package and no test.
"""

import json
import os
import signal
import sys
import tempfile

import hypothesis.extra.numpy  # noqa: F401
import numpy as np  # noqa: F401
import pytest

LIMIT = 300
"""Seconds after which a run is ended by a signal."""


def run(package, options, output):
    """The status of pytest in a folder whose package comes before any other."""
    signal.alarm(LIMIT)
    os.chdir(package)
    sys.path.insert(0, package)
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    status = pytest.main(options)
    sys.stdout.flush()
    return int(status)


def answer(package, options):
    """Status and output of a run in a fork; the status is negative if a signal ended it."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            status = os.EX_SOFTWARE
            try:
                status = run(package, options, output)
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().decode(errors="replace")


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
