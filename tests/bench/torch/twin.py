"""Times a pass and a training step of a network of research/pytorch, one thread, NHWC memory (channels_last).

usage: python3 twin.py FACTORY '{"imageShape": [28, 28, 1], ...}' BATCH SECONDS
prints {"forward": [ms, ...], "step": [ms, ...]}; with no seconds, one pass and no step
"""
import json
import pathlib
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'examples' / 'pytorch'))
from distributions import bits_per_dim, normalize
from networks import make

torch.set_num_threads(1)
factory, args, batch, seconds = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
rows, columns, channels = args['imageShape']
levels = args['levels']

model = make(factory, args).to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
labels = torch.randint(levels, (batch, channels, rows, columns)).to(memory_format=torch.channels_last)  # [N,C,H,W]
images = normalize(labels, levels)


def forward():
    with torch.inference_mode():
        model(images)


def step():
    optimizer.zero_grad(set_to_none=True)
    bits_per_dim(model(images), labels, model.distribution).mean().backward()
    optimizer.step()


def times_of(task, warm, least):
    for _ in range(warm):
        task()
    times, start = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        task()
        times.append(1000 * (time.perf_counter() - before))
    return times


if seconds > 0:
    print(json.dumps({'step': times_of(step, 3, 5), 'forward': times_of(forward, 2, 5)}))
else:
    print(json.dumps({'forward': times_of(forward, 1, 1)}))
