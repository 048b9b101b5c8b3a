"""What the programs beside this one share: the networks of research/pytorch, for imports, and how long something takes."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'research' / 'pytorch'))


def milliseconds(task):
    before = time.perf_counter()
    task()
    return 1000 * (time.perf_counter() - before)
