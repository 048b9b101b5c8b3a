"""Times Image GPT in PyTorch, one thread: a whole pass, and sampling with a cache of keys and values.

usage: python3 gpt.py '{"imageShape": [28, 28, 1], "levels": 16, "width": 16, "heads": 2, "layers": 8}' IMAGES PLACES
prints {"forward": ms, "sample": ms}: for the first PLACES places of each image, and of all layers
"""
import json
import sys

import torch

from timing import milliseconds

torch.set_num_threads(1)
shape, count, places = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
levels, width, heads, layers = (shape[name] for name in ('levels', 'width', 'heads', 'layers'))
torch.manual_seed(1)
table = 0.05 * torch.randn(levels + 1, width)  # the last row is the start token
embedding = 0.05 * torch.randn(places, width)
blocks = [
    {
        'attention': torch.randn(width, 3 * width) / width**0.5,
        'projection': torch.randn(width, width) / width**0.5,
        'mlp_in': torch.randn(width, 4 * width) / width**0.5,
        'mlp_out': torch.randn(4 * width, width) / (4 * width) ** 0.5,
    }
    for _ in range(layers)
]
head = torch.randn(width, levels) / width**0.5
later = torch.ones(places, places, dtype=torch.bool).triu(1)


def rms(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5)


def by_head(x):
    return x.reshape(count, -1, heads, width // heads).transpose(1, 2)  # [N,P,F] -> [N,heads,P,F/heads]


def logits(tokens, first, cache):
    """Logits [N,P,L] of places from `first` on; with a cache, of the keys and values of all places before."""
    x = table[tokens] + embedding[first : first + tokens.shape[1]]  # [N,P,F]
    for index, block in enumerate(blocks):
        q, k, v = (by_head(part) for part in (rms(x) @ block['attention']).split(width, -1))
        if cache is not None:
            keys, values = cache[index]
            keys[:, :, first : first + 1], values[:, :, first : first + 1] = k, v
            k, v = keys[:, :, : first + 1], values[:, :, : first + 1]
        scores = q @ k.transpose(2, 3) * (width // heads) ** -0.5  # [N,heads,P,P]
        if cache is None:
            scores = scores.masked_fill(later, -torch.inf)
        y = torch.softmax(scores, -1) @ v  # [N,heads,P,F/heads]
        x = x + y.transpose(1, 2).reshape(count, -1, width) @ block['projection']
        hidden = rms(x) @ block['mlp_in']
        x = x + (hidden * torch.sigmoid(1.702 * hidden)) @ block['mlp_out']
    return rms(x) @ head


@torch.inference_mode()
def sample():
    size = (count, heads, places, width // heads)
    cache = [(torch.zeros(size), torch.zeros(size)) for _ in blocks]
    tokens = torch.full((count, 1), levels)
    for place in range(places):
        tokens = torch.multinomial(torch.softmax(logits(tokens, place, cache)[:, 0], 1), 1)  # [N,1]


@torch.inference_mode()
def forward():
    logits(torch.randint(levels, (count, places)), 0, None)


def best(task):
    return min(milliseconds(task) for _ in range(3 if width < 100 else 1))


print(json.dumps({'forward': best(forward), 'sample': best(sample)}))
