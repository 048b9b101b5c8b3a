"""Times a pass and a training step of a network of research/pytorch, on one thread or THREADS, NHWC memory (channels_last).

usage: python3 step.py FACTORY '{"imageShape": [28, 28, 1], ...}' BATCH SECONDS [THREADS]
prints {"forward": [ms, ...], "step": [ms, ...]}; with no seconds, one pass and no step
Started by torch.distributed.run, each process takes its share of BATCH, gradients are averaged as research/pytorch/train.py
does it, and the first process prints.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist

from timing import milliseconds
from distributions import bits_per_dim, normalize
from networks import FACTORIES, make
from plus_plus import PixelCNNPlusPlus

FACTORIES['pixelCNNPlusPlus'] = PixelCNNPlusPlus  # with PyTorch's own weight normalization, which is faster

factory, args, batch, seconds = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
torch.set_num_threads(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
ranks = int(os.environ.get('WORLD_SIZE', 1))
if ranks > 1:
    dist.init_process_group('gloo')
    batch //= ranks
rows, columns, channels = args['imageShape']
levels = args['levels']

model = make(factory, args).to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
labels = torch.randint(levels, (batch, rows, columns, channels)).permute(0, 3, 1, 2)  # [N,C,H,W], channels last in memory
images = normalize(labels, levels)


def forward():
    with torch.inference_mode():
        model(images)


def step():
    optimizer.zero_grad(set_to_none=True)
    bits_per_dim(model(images), labels, model.distribution).mean().backward()
    if ranks > 1:
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        mean = torch.cat([gradient.reshape(-1) for gradient in gradients]) / ranks
        dist.all_reduce(mean)
        for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients])):
            gradient.copy_(part.view_as(gradient))
    optimizer.step()


def is_done():
    """Whether the time is over, which the first process says."""
    least = 5 if seconds > 0 else 1
    done = torch.tensor(float(len(times['forward']) >= least and time.perf_counter() - start >= seconds))
    if ranks > 1:
        dist.broadcast(done, 0)
    return bool(done)


tasks = {'forward': forward, 'step': step} if seconds > 0 else {'forward': forward}
times = {name: [] for name in tasks}
for _ in range(3 if seconds > 0 else 1):
    for task in tasks.values():
        task()
start = time.perf_counter()
while not is_done():
    for name, task in tasks.items():
        times[name].append(milliseconds(task))
if int(os.environ.get('RANK', 0)) == 0:
    print(json.dumps(times))
