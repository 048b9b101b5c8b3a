"""PixelCNN++ in PyTorch, one thread, channels last in memory: times a training step and a forward pass.

usage: python3 plus_plus.py '{"imageShape": [16, 16, 3], "filters": 32, "numResnets": 2, "components": 5}' IMAGES SECONDS
       prints {"forward": [ms, ...], "step": [ms, ...], "version": "..."}; with SECONDS 0 one forward pass after a warm one, no step
"""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch.nn.utils import weight_norm


def concat_elu(x):
    return F.elu(torch.cat([x, -x], 1))


class Shifted(torch.nn.Module):
    """A convolution of the rows above and the current one: around the current column, or up to it."""

    def __init__(self, features_in, features_out, down, size=None, stride=1):
        super().__init__()
        rows, columns = size or ((2, 3) if down else (2, 2))
        self.pads = (columns // 2, columns // 2, rows - 1, 0) if down else (columns - 1, 0, rows - 1, 0)
        self.conv = weight_norm(torch.nn.Conv2d(features_in, features_out, (rows, columns), stride=stride))

    def forward(self, x):
        return self.conv(F.pad(x, self.pads))


class Enlarging(torch.nn.Module):
    """The transposed convolution of stride 2, cropped to twice the height and width."""

    def __init__(self, features, down):
        super().__init__()
        self.left = int(down)
        self.conv = weight_norm(torch.nn.ConvTranspose2d(features, features, (2, 3 if down else 2), stride=2), dim=1)

    def forward(self, x):
        height, width = 2 * x.shape[2], 2 * x.shape[3]
        return self.conv(x)[:, :, :height, self.left : self.left + width]


class Block(torch.nn.Module):
    def __init__(self, f, down, skips):
        super().__init__()
        self.conv_in, self.conv_out = Shifted(2 * f, f, down), Shifted(2 * f, 2 * f, down)
        self.skip = weight_norm(torch.nn.Conv2d(2 * skips * f, f, 1)) if skips else None

    def forward(self, x, skip=None):
        y = self.conv_in(concat_elu(x))
        if skip is not None:
            y = y + self.skip(concat_elu(skip))
        a, b = self.conv_out(concat_elu(y)).chunk(2, 1)
        return x + a * torch.sigmoid(b)


class PixelCNNPlusPlus(torch.nn.Module):
    def __init__(self, channels, f, n, components):
        super().__init__()
        modules = torch.nn.ModuleList
        self.stem = modules([Shifted(channels + 1, f, True), Shifted(channels + 1, f, True, (1, 3)), Shifted(channels + 1, f, False, (2, 1))])
        blocks = lambda u, ul, count: modules([modules([Block(f, True, u), Block(f, False, ul)]) for _ in range(count)])
        self.down = modules([blocks(0, 1, n) for _ in range(3)])
        self.up = modules([blocks(1, 2, n + (scale < 2)) for scale in range(3)])
        self.smaller = modules([modules([Shifted(f, f, True, stride=2), Shifted(f, f, False, stride=2)]) for _ in range(2)])
        self.larger = modules([modules([Enlarging(f, True), Enlarging(f, False)]) for _ in range(2)])
        parameters = components * (1 + 2 * channels + channels * (channels - 1) // 2)
        self.last = weight_norm(torch.nn.Conv2d(f, parameters, 1))

    def forward(self, x):
        x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        above, row, column = (conv(x) for conv in self.stem)
        down = lambda y: F.pad(y, (0, 0, 1, 0))[:, :, :-1]
        u, ul = down(above), down(row) + F.pad(column, (1, 0))[:, :, :, :-1]
        skips = [(u, ul)]
        for scale in range(3):
            for block_u, block_ul in self.down[scale]:
                u = block_u(u)
                ul = block_ul(ul, u)
                skips.append((u, ul))
            if scale < 2:
                u, ul = self.smaller[scale][0](u), self.smaller[scale][1](ul)
                skips.append((u, ul))
        skips.pop()
        for scale in (2, 1, 0):
            for block_u, block_ul in self.up[scale]:
                skip_u, skip_ul = skips.pop()
                u = block_u(u, skip_u)
                ul = block_ul(ul, torch.cat([u, skip_ul], 1))
            if scale > 0:
                u, ul = self.larger[scale - 1][0](u), self.larger[scale - 1][1](ul)
        return self.last(F.elu(ul))


def nats(levels, parameters, components):
    """Of images [N,3,H,W] of levels under mixtures of three channels, their mean over values."""
    x = levels / 127.5 - 1
    logits, rest = parameters[:, :components], parameters[:, components:]
    means, scales, coefficients = rest.unflatten(1, (3, 3, components)).unbind(2)  # [N,3,K,H,W] each
    coefficients = torch.tanh(coefficients)
    green = means[:, 1] + coefficients[:, 0] * x[:, 0:1]
    blue = means[:, 2] + coefficients[:, 1] * x[:, 0:1] + coefficients[:, 2] * x[:, 1:2]
    centered = x[:, :, None] - torch.stack([means[:, 0], green, blue], 1)
    inverse = torch.exp(-scales.clamp(min=-7))
    above, below = inverse * (centered + 1 / 255), inverse * (centered - 1 / 255)
    inside = F.logsigmoid(above) + F.logsigmoid(-below) + torch.log(-torch.expm1(below - above))
    first, last = (levels == 0)[:, :, None], (levels == 255)[:, :, None]
    of_values = torch.where(first, F.logsigmoid(above), torch.where(last, F.logsigmoid(-below), inside))
    return -torch.logsumexp(of_values.sum(1) + F.log_softmax(logits, 1), 1).mean() / 3


def main():
    torch.set_num_threads(1)
    shape, count, seconds = json.loads(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    height, width, channels = shape['imageShape']
    components = shape['output']['components']
    model = PixelCNNPlusPlus(channels, shape['filters'], shape['numResnets'], components).to(memory_format=torch.channels_last)
    levels = torch.randint(0, 256, (count, channels, height, width)).float().to(memory_format=torch.channels_last)
    x = levels / 127.5 - 1
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)

    def forward():
        with torch.no_grad():
            return model(x)

    def step():
        optimizer.zero_grad()
        nats(levels, model(x), components).backward()
        optimizer.step()

    def times_of(task):
        task()
        times, begin = [], time.perf_counter()
        while not times or time.perf_counter() - begin < seconds:
            before = time.perf_counter()
            task()
            times.append(1000 * (time.perf_counter() - before))
        return times

    figures = {'forward': times_of(forward), 'version': torch.__version__}
    if seconds > 0:
        figures['step'] = times_of(step)
    print(json.dumps(figures))


if __name__ == '__main__':
    main()
