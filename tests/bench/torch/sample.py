"""Times the naive sampler in PyTorch, one thread: a forward pass over whole images for each value.

usage: python3 sample.py FACTORY '{"imageShape": [28, 28, 1], ...}' IMAGES        prints {"sample": ms}
"""
import json
import sys

import torch

from timing import milliseconds
from distributions import normalize
from layers import Conv
from networks import make

torch.set_num_threads(1)
factory, args, count = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
rows, columns, channels = args['imageShape']
levels = args['levels']
model = make(factory, args).to(memory_format=torch.channels_last).eval()
for conv in model.modules():
    if isinstance(conv, Conv) and conv.mask is not None:  # masked once, since nothing trains the weights
        conv.kernel.data[:, :, conv.rows, conv.columns] *= conv.mask
        conv.mask = None


@torch.inference_mode()
def sample(places):
    images = torch.zeros(count, channels, rows, columns).to(memory_format=torch.channels_last)
    for place in places:
        row, column, channel = place // (columns * channels), place // channels % columns, place % channels
        logits = model(images)[:, channel * levels : (channel + 1) * levels, row, column]  # [N,L]
        drawn = torch.multinomial(torch.softmax(logits, 1), 1)[:, 0]
        images[:, channel, row, column] = normalize(drawn, levels)


sample(range(5))
print(json.dumps({'sample': milliseconds(lambda: sample(range(rows * columns * channels)))}))
