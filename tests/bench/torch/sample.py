"""Times the naive sampler in PyTorch, one thread: a forward pass over whole images for each value.

usage: python3 sample.py '{"imageShape": [28, 28, 1], "levels": 16, "hiddenDim": 16, "outDim": 32, "numBlocks": 5,
"firstKernelSize": 7}' IMAGES        prints {"sample": ms, "version": "..."}
With "model": "gated" it is that of Gated PixelCNN.
"""
import json
import sys
import time

import torch

from convolutions import Masked
from network import network

torch.set_num_threads(1)
shape, count = json.loads(sys.argv[1]), int(sys.argv[2])
rows, columns, channels = shape['imageShape']
levels = shape['levels']
model = network(shape).eval()
for conv in model.modules():
    if isinstance(conv, Masked):
        conv.mask_once()


@torch.no_grad()
def sample(places):
    images = torch.zeros(count, channels, rows, columns).to(memory_format=torch.channels_last)
    for place in places:
        row, column, channel = place // (columns * channels), place // channels % columns, place % channels
        logits = model(images)[:, channel * levels : (channel + 1) * levels, row, column]  # [N,L]
        drawn = torch.multinomial(torch.softmax(logits, 1), 1)[:, 0]
        images[:, channel, row, column] = drawn / (levels - 1)


sample(range(5))
before = time.perf_counter()
sample(range(rows * columns * channels))
print(json.dumps({'sample': 1000 * (time.perf_counter() - before), 'version': torch.__version__}))
