"""A gated PixelCNN as somebody else might write it: features take turns in the channels, and are no multiple of them.

Writes its state dict, and what its modules compute of an image: `python3 strangers_gated.py FOLDER`.
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

CHANNELS, WIDTH, LEVELS, SIZE = 3, 10, 4, 5


def turns(features):
    """The channel of each feature."""
    return torch.arange(features) % CHANNELS


IMAGE, HIDDEN = turns(CHANNELS), turns(WIDTH)
GATE = torch.cat([HIDDEN, HIDDEN])  # each half by itself


class Masked(nn.Conv2d):
    def __init__(self, mask):  # [out,in,rows,columns]
        out, into, *size = mask.shape
        super().__init__(into, out, size, padding=[length // 2 for length in size])
        self.register_buffer("mask", mask)

    def forward(self, x):
        return functional.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


def above(into, out, size, has_row):
    mask = torch.zeros(len(out), len(into), size, size)
    mask[:, :, : size // 2 + has_row] = 1
    return Masked(mask)


def before(into, out, size, has_own):
    mask = torch.zeros(len(out), len(into), 1, size)
    mask[..., : size // 2] = 1
    mask[:, :, 0, size // 2] = (into[None] < out[:, None] + has_own).float()
    return Masked(mask)


def gate(x):
    a, b = x.chunk(2, dim=1)
    return a.tanh() * b.sigmoid()


class Layer(nn.Module):
    def __init__(self, is_first):
        super().__init__()
        self.is_first = is_first
        into, size = (IMAGE, 5) if is_first else (HIDDEN, 3)
        self.v = above(into, GATE, size, has_row=not is_first)
        self.h = before(into, GATE, size, has_own=not is_first)
        self.v_to_h = nn.Conv2d(2 * WIDTH, 2 * WIDTH, 1, bias=False)
        self.out = before(HIDDEN, HIDDEN, 1, has_own=True)

    def forward(self, v, h):
        v = self.v(v)
        y = self.out(gate(self.h(h) + self.v_to_h(v)))
        return gate(v), y if self.is_first else h + y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Layer(is_first) for is_first in [True, False, False]])
        outputs = [HIDDEN, HIDDEN, turns(LEVELS * CHANNELS)]
        self.head = nn.ModuleList([before(HIDDEN, out, 1, has_own=True) for out in outputs])

    def forward(self, x):
        v = h = x
        for layer in self.layers:
            v, h = layer(v, h)
        first, second, logits = self.head
        return logits(second(first(h.relu()).relu()))  # [N,L*C,H,W], levels of channels in turn


torch.manual_seed(1)
net = Net()
for parameter in net.parameters():
    nn.init.normal_(parameter, std=0.3)
image = torch.rand(2, CHANNELS, SIZE, SIZE)
seen = {"image": image}
for name, module in net.named_modules():
    if isinstance(module, nn.Conv2d):
        module.register_forward_hook(lambda m, x, y, name=name: seen.update({name: y.clone()}))
with torch.no_grad():
    net(image)
save_file(net.state_dict(), f"{sys.argv[1]}/state.safetensors")
save_file({name: y.contiguous() for name, y in seen.items()}, f"{sys.argv[1]}/seen.safetensors")
