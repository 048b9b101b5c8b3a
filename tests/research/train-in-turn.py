"""Runs train.py of research/pytorch in one process, since most of the time of a short run is that of loading PyTorch. Reads a command line a line
from stdin, as a JSON list, and prints {code, stdout, stderr} of each as a line of JSON.
"""
import contextlib
import io
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../research/pytorch'))
import train  # noqa: E402

for line in sys.stdin:
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            train.main(json.loads(line))
        except SystemExit as end:
            code = end.code
    print(json.dumps({'code': code, 'stdout': stdout.getvalue(), 'stderr': stderr.getvalue()}), flush=True)
