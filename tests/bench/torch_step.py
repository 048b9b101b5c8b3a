"""Times one training step and one forward pass of the same network in PyTorch, one thread, NHWC memory (channels_last).

usage: python3 torch_step.py '{"imageShape": [28, 28, 1], "levels": 16, "hiddenDim": 16, "outDim": 32, "numBlocks": 5,
"firstKernelSize": 7}' BATCH SECONDS        prints {"forward": [ms, ...], "step": [ms, ...], "version": "..."}
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
shape, batch, seconds = json.loads(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
rows, columns, channels = shape['imageShape']
levels = shape['levels']


def causal_mask(out_features, in_features, size, kind):
    """[out, in, size, size]: rows above and pixels to the left; at the centre a channel group sees those before it."""
    mask = torch.zeros(out_features, in_features, size, size)
    mask[:, :, : size // 2] = 1
    mask[:, :, size // 2, : size // 2] = 1
    group = lambda features: torch.arange(features) * channels // features
    seen, seer = group(in_features)[None, :], group(out_features)[:, None]
    mask[:, :, size // 2, size // 2] = (seen < seer if kind == 'A' else seen <= seer).float()
    return mask


class MaskedConv(torch.nn.Conv2d):
    def __init__(self, features_in, features_out, size=1, kind='B'):
        super().__init__(features_in, features_out, size, padding=size // 2)
        self.register_buffer('mask', causal_mask(features_out, features_in, size, kind))

    def forward(self, x):
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class Block(torch.nn.Module):
    def __init__(self, h):
        super().__init__()
        self.convs = torch.nn.ModuleList([MaskedConv(2 * h, h), MaskedConv(h, h, 3), MaskedConv(h, 2 * h)])

    def forward(self, x):
        y = x
        for conv in self.convs:
            y = F.relu(conv(y))
        return x + y


h, out = shape['hiddenDim'] * channels, shape['outDim'] * channels
model = torch.nn.Sequential(
    MaskedConv(channels, 2 * h, shape['firstKernelSize'], 'A'),
    *[Block(h) for _ in range(shape['numBlocks'])],
    torch.nn.ReLU(), MaskedConv(2 * h, out), torch.nn.ReLU(), MaskedConv(out, out), MaskedConv(out, levels * channels),
).to(memory_format=torch.channels_last)
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
    optimizer.step()


times = {'forward': [], 'step': []}
for _ in range(3):
    forward(), step()
start = time.perf_counter()
while len(times['step']) < 5 or time.perf_counter() - start < seconds:
    for name, task in [('forward', forward), ('step', step)]:
        before = time.perf_counter()
        task()
        times[name].append(1000 * (time.perf_counter() - before))
print(json.dumps({**times, 'version': torch.__version__}))
