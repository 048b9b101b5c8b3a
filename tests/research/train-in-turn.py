"""Runs train.py of research/pytorch with one command line after the other, in one process, since most of such a run that ends early is that of
loading PyTorch. Reads them as JSON from stdin, and prints [code, stdout, stderr] of each as JSON.
"""
import contextlib
import io
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../research/pytorch'))
import train  # noqa: E402

ended = []
for argv in json.load(sys.stdin):
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            train.main(argv)
        except SystemExit as end:
            code = end.code
    ended.append([code, stdout.getvalue(), stderr.getvalue()])
print(json.dumps(ended))
