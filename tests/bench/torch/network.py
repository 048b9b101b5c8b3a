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


def lstm_step(z, c):
    """h and c of a line, [N,F,P] of z [N,4F,P]."""
    sigmoids, candidates = z[:, : 3 * c.shape[1]].sigmoid(), z[:, 3 * c.shape[1] :].tanh()
    o, f, i = sigmoids.chunk(3, 1)
    c = f * c + i * candidates
    return o * c.tanh(), c


def lstm(z, conv, pads):
    """States [N,F,T,P] of z [N,4F,T,P], line by line; conv is of the line before."""
    h = c = z.new_zeros(z.shape[0], z.shape[1] // 4, z.shape[3])
    states = []
    for line in z.unbind(2):
        h, c = lstm_step(line + conv(F.pad(h, pads)), c)
        states.append(h)
    return torch.stack(states, 2)


class RowLSTM(torch.nn.Module):
    """Of one channel: x + conv1x1(h), where h of a row is of the row above, by a kernel 1xk."""

    def __init__(self, f, c, size=3):
        super().__init__()
        self.pads = (size // 2, size // 2)
        self.input = HorizontalConv(2 * f, 4 * f, c, size, 'B')
        self.state = torch.nn.Conv1d(f, 4 * f, size, bias=False)
        self.out = MaskedConv(f, 2 * f, c)

    def forward(self, x):
        return x + self.out(lstm(self.input(x), self.state, self.pads))


def skew(x):
    """Row r moved to the right by r: [N,F,H,W] -> [N,F,H,H+W-1]."""
    n, features, height, width = x.shape
    return F.pad(x, (0, height)).flatten(2)[:, :, : height * (height + width - 1)].view(n, features, height, -1)


def unskew(x):
    """The other way."""
    n, features, height, lines = x.shape
    return F.pad(x.flatten(2), (0, height)).view(n, features, height, lines + 1)[..., : lines - height + 1]


class DiagonalBiLSTM(torch.nn.Module):
    """Of one channel: x + conv1x1(h), h the sum of two LSTMs along diagonals, the one from the right a row further down."""

    def __init__(self, f, c):
        super().__init__()
        self.inputs = torch.nn.ModuleList([MaskedConv(2 * f, 4 * f, c) for _ in range(2)])
        self.states = torch.nn.ModuleList([torch.nn.Conv1d(f, 4 * f, 2, bias=False) for _ in range(2)])
        self.out = MaskedConv(f, 2 * f, c)

    def half(self, x, index):
        z = skew(self.inputs[index](x))  # [N,4F,H,H+W-1]
        states = lstm(z.transpose(2, 3), self.states[index], (1, 0))  # [N,F,H+W-1,H]
        return unskew(states.transpose(2, 3))

    def forward(self, x):
        right = self.half(x.flip(3), 1).flip(3)
        return x + self.out(self.half(x, 0) + F.pad(right, (0, 0, 1, 0))[:, :, :-1])


BLOCKS = {'pixelCNNResBlock': Block, 'rowLSTMBlock': RowLSTM, 'diagonalBiLSTMBlock': DiagonalBiLSTM}


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
        block = BLOCKS[shape.get('block', 'pixelCNNResBlock')]
        features, stack = 2 * h, [MaskedConv(c, 2 * h, c, first_size, 'A'), *[block(h, c) for _ in range(num_blocks)]]
    return torch.nn.Sequential(
        *stack, torch.nn.ReLU(), MaskedConv(features, out, c), torch.nn.ReLU(), MaskedConv(out, out, c),
        MaskedConv(out, shape['levels'] * c, c),
    ).to(memory_format=torch.channels_last)
