"""Times one training step and one forward pass of the same network in PyTorch, on one thread or THREADS, NHWC memory (channels_last).

usage: python3 step.py '{"imageShape": [28, 28, 1], "levels": 16, "hiddenDim": 16, "outDim": 32, "numBlocks": 5,
"firstKernelSize": 7}' BATCH SECONDS [THREADS]        prints {"forward": [ms, ...], "step": [ms, ...], "version": "..."}
Started by torch.distributed.run, each process takes its share of BATCH, gradients are averaged as research/pytorch/train.py
does it, and the first process prints.
With "model": "gated" it is that of Gated PixelCNN.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F

from network import network

shape, batch, seconds = json.loads(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
torch.set_num_threads(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
ranks = int(os.environ.get('WORLD_SIZE', 1))
if ranks > 1:
    dist.init_process_group('gloo')
    batch //= ranks
rows, columns, channels = shape['imageShape']
levels = shape['levels']

model = network(shape)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
labels = torch.randint(levels, (batch, rows, columns, channels))
images = (labels / (levels - 1)).permute(0, 3, 1, 2)  # [N,C,H,W], channels last in memory


def forward():
    with torch.no_grad():
        model(images)


def step():
    optimizer.zero_grad(set_to_none=True)
    logits = model(images).permute(0, 2, 3, 1).reshape(-1, levels)  # [N,C*L,H,W] -> [N*H*W*C, L]
    F.cross_entropy(logits, labels.reshape(-1)).backward()
    if ranks > 1:
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        mean = torch.cat([gradient.reshape(-1) for gradient in gradients]) / ranks
        dist.all_reduce(mean)
        for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients])):
            gradient.copy_(part.view_as(gradient))
    optimizer.step()


def is_done():
    """Whether the time is over, which the first process says."""
    done = torch.tensor(float(len(times['step']) >= 5 and time.perf_counter() - start >= seconds))
    if ranks > 1:
        dist.broadcast(done, 0)
    return bool(done)


times = {'forward': [], 'step': []}
for _ in range(3):
    forward(), step()
start = time.perf_counter()
while not is_done():
    for name, task in [('forward', forward), ('step', step)]:
        before = time.perf_counter()
        task()
        times[name].append(1000 * (time.perf_counter() - before))
if int(os.environ.get('RANK', 0)) == 0:
    print(json.dumps({**times, 'version': torch.__version__}))
