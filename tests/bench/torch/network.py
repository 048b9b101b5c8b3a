"""The same networks in PyTorch, channels last in memory."""
import torch
import torch.nn.functional as F

from convolutions import HorizontalConv, MaskedConv, VerticalConv


class Block(torch.nn.Module):
    def __init__(self, h, c):
        super().__init__()
        self.convs = torch.nn.ModuleList([MaskedConv(2 * h, h, c), MaskedConv(h, h, c, 3), MaskedConv(h, 2 * h, c)])

    def forward(self, x):
        y = x
        for conv in self.convs:
            y = F.relu(conv(y))
        return x + y


def gate(x):
    a, b = x.chunk(2, 1)
    return torch.tanh(a) * torch.sigmoid(b)


class GatedBlock(torch.nn.Module):
    def __init__(self, features_in, f, c, size=3, kind='B', is_last=False):
        super().__init__()
        self.vertical = VerticalConv(features_in, 2 * f, size, kind)
        self.horizontal = HorizontalConv(features_in, 2 * f, c, size, kind)
        self.across = torch.nn.Conv2d(2 * f, 2 * f, 1, bias=False)
        self.out = MaskedConv(f, f, c)
        self.is_residual, self.is_last = kind == 'B', is_last

    def forward(self, vertical, horizontal):
        v = self.vertical(vertical)
        y = self.out(gate(self.horizontal(horizontal) + self.across(v)))
        return None if self.is_last else gate(v), horizontal + y if self.is_residual else y


class GatedStack(torch.nn.Module):
    def __init__(self, f, c, num_blocks, first_size):
        super().__init__()
        first = GatedBlock(c, f, c, first_size, 'A', is_last=num_blocks == 0)
        others = [GatedBlock(f, f, c, is_last=index == num_blocks - 1) for index in range(num_blocks)]
        self.blocks = torch.nn.ModuleList([first, *others])

    def forward(self, image):
        vertical, horizontal = image, image
        for block in self.blocks:
            vertical, horizontal = block(vertical, horizontal)
        return horizontal


def network(shape):
    """[N,C,H,W] normalized to logits [N,C*L,H,W]."""
    c, num_blocks, first_size = shape['imageShape'][2], shape['numBlocks'], shape['firstKernelSize']
    h, out = shape['hiddenDim'] * c, shape['outDim'] * c
    if shape.get('model') == 'gated':
        features, stack = h, [GatedStack(h, c, num_blocks, first_size)]
    else:
        features, stack = 2 * h, [MaskedConv(c, 2 * h, c, first_size, 'A'), *[Block(h, c) for _ in range(num_blocks)]]
    return torch.nn.Sequential(
        *stack, torch.nn.ReLU(), MaskedConv(features, out, c), torch.nn.ReLU(), MaskedConv(out, out, c),
        MaskedConv(out, shape['levels'] * c, c),
    ).to(memory_format=torch.channels_last)
