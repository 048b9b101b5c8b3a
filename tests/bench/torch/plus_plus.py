"""PixelCNN++ as one would write it in PyTorch, with its own weight normalization."""
import torch
import torch.nn.functional as F
from torch.nn.utils import weight_norm

from distributions import distribution_of


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
    def __init__(self, image_shape, levels, filters, num_resnets, output):
        super().__init__()
        channels, f, n = image_shape[2], filters, num_resnets
        self.distribution = distribution_of(output, channels, levels)
        modules = torch.nn.ModuleList
        self.stem = modules([Shifted(channels + 1, f, True), Shifted(channels + 1, f, True, (1, 3)), Shifted(channels + 1, f, False, (2, 1))])
        blocks = lambda u, ul, count: modules([modules([Block(f, True, u), Block(f, False, ul)]) for _ in range(count)])
        self.down = modules([blocks(0, 1, n) for _ in range(3)])
        self.up = modules([blocks(1, 2, n + (scale < 2)) for scale in range(3)])
        self.smaller = modules([modules([Shifted(f, f, True, stride=2), Shifted(f, f, False, stride=2)]) for _ in range(2)])
        self.larger = modules([modules([Enlarging(f, True), Enlarging(f, False)]) for _ in range(2)])
        self.last = weight_norm(torch.nn.Conv2d(f, self.distribution.num_parameters, 1))

    def forward(self, images):
        x = torch.cat([2 * images - 1, torch.ones_like(images[:, :1])], 1)
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
