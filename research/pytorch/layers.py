"""What the networks share: convolutions that see only what comes before, how levels are read, and attention to earlier places.

In comments on shapes, N is images, C their channels, H and W rows and columns, L levels, F features, D those of
a head.
"""
import math
from typing import NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import nn


class Window(NamedTuple):
    """Which taps of a kernel are used, and on which features: all of the rows above, nothing of the rows below; or with
    `is_wide` all taps, for what is known before the image."""

    kernel_size: Tuple[int, int]
    anchor: Tuple[int, int]  # the tap that lies on the output's own place
    # What is seen of the output's own row: 'nothing'; pixels to the left and, of the pixel itself, earlier channels ('A') or
    # the own channel too ('B'); or 'everything'.
    present: str
    channels: int = 1  # of the image; features lie channel by channel
    stride: int = 1
    transposed: bool = False
    is_wide: bool = False
    dilation: Tuple[int, int] = (1, 1)  # rows and columns from tap to tap
    groups: int = 1  # parts of each channel's features; outputs see only inputs of their own part


def centered(kernel_size, present, channels=1, dilation_rate=1, groups=1):
    """The window of an odd kernel around its middle."""
    rows, columns = pair(kernel_size)
    window = Window((rows, columns), (rows // 2, columns // 2), present, channels)
    return window._replace(dilation=pair(dilation_rate), groups=groups)


def shifted(kernel_size, shift, stride=1, transposed=False, dilation_rate=1, groups=1):
    """The windows of PixelCNN++: 'down', above a pixel and around it; or 'down_right', up to the pixel. Both see it whole."""
    if (stride > 1 or transposed) and pair(dilation_rate) != (1, 1):
        raise ValueError(f'dilation_rate: wanted 1 with a stride, or transposed, got {dilation_rate}')
    rows, columns = pair(kernel_size)
    middle = (columns - 1) // 2
    if transposed:
        anchor = (0, middle if shift == 'down' else 0)
    else:
        anchor = (rows - 1, middle if shift == 'down' else columns - 1)
    return Window((rows, columns), anchor, 'everything', 1, stride, transposed, False, pair(dilation_rate), groups)


def wide(kernel_size):
    """The whole window around a place, also what comes later."""
    return centered(kernel_size, 'everything')._replace(is_wide=True)


def mask_of(window, features_in, features_out):
    """Which weights are used, [out,in,rows,columns] of booleans. This is the law that makes a network causal. With groups,
    `features_in` is how many inputs each output sees: those of its own part of each channel."""
    seen = torch.arange(features_in) * window.channels // features_in  # [in], the channel of each feature
    seer = (torch.arange(features_out) * window.channels // features_out)[:, None]  # [out,1]
    everything = torch.ones(features_out, features_in, dtype=torch.bool)
    if window.is_wide:
        return everything[:, :, None, None].repeat(1, 1, *window.kernel_size)  # [out,in] -> [out,in,rows,columns]
    at_anchor = {'nothing': ~everything, 'A': seen < seer, 'B': seen <= seer, 'everything': everything}[window.present]
    is_whole = window.present == 'everything'
    mask = torch.zeros(features_out, features_in, *window.kernel_size, dtype=torch.bool)
    for row in range(window.kernel_size[0]):
        for column in range(window.kernel_size[1]):
            down, right = row - window.anchor[0], column - window.anchor[1]
            if window.transposed:
                down, right = -down, -right
            if down < 0 or (down == 0 and right < 0 and window.present != 'nothing'):
                mask[:, :, row, column] = True
            elif down == 0 and (right == 0 or is_whole):
                mask[:, :, row, column] = at_anchor
    return mask


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def regrouped(x, axis, outer, inner):
    """Puts features that are in `outer` parts of `inner` parts each in the order of the inner ones."""
    if outer == 1 or inner == 1:
        return x
    parts = x.unflatten(axis, (outer, inner, x.shape[axis] // (outer * inner)))  # [..,F,..] -> [..,outer,inner,F',..]
    return parts.transpose(axis, axis + 1).flatten(axis, axis + 2)  # -> [..,inner,outer,F',..] -> [..,F,..]


def check_sizes(least=1, **sizes):
    for name, size in sizes.items():
        if type(size) is not int or size < least:
            raise ValueError(f'{name}: wanted a whole number of at least {least}, got {size!r}')


class Conv(nn.Module):
    """A convolution, causal unless its window is wide, [N,in,H,W] -> [N,out,H,W], or of the height and width that the window's stride makes.

    Weights: kernel [out,in/groups,rows,columns], whole also where it is masked; with `weight_norm` gain [out], and the kernel
    used is gain kernel / ||kernel||, of each output by itself; bias [out].

    Kernels begin Glorot-uniform, or weight-normed ones normal with a standard deviation of 0.05. With `mean_square`, that
    of the inputs, they begin so that outputs have a variance of 1, whatever the mask hides.
    """

    def __init__(self, features_in, features_out, window, bias=True, weight_norm=False, initial_scale=1.0, mean_square=None):
        super().__init__()
        self.window, self.initial_scale = window, initial_scale
        parts = window.groups * window.channels
        if features_in % parts != 0 or features_out % parts != 0:
            raise ValueError(f'features: wanted multiples of groups * channels = {parts}, got {features_in} and {features_out}')
        features_in //= window.groups  # those that an output sees
        kernel = torch.empty(features_out, features_in, *window.kernel_size)
        mask = mask_of(window, features_in, features_out)
        size = window.kernel_size[0] * window.kernel_size[1]
        if weight_norm:
            nn.init.normal_(kernel, std=0.05)
        elif mean_square is None:
            limit = math.sqrt(6 / (size * (features_in + features_out)))
            nn.init.uniform_(kernel, -limit, limit)
        else:
            seen = max(mask.float().mean().item(), 1 / mask.numel())
            limit = math.sqrt(3 / (seen * mean_square * size * features_in))
            nn.init.uniform_(kernel, -limit, limit)
        self.kernel = nn.Parameter(kernel)
        self.gain = nn.Parameter(torch.full((features_out,), initial_scale)) if weight_norm else None
        self.bias = nn.Parameter(torch.zeros(features_out)) if bias else None

        # Taps that no feature sees are cut off, and what is put around the image with them.
        taps = mask.any(0).any(0).nonzero()  # [out,in,rows,columns] -> [taps,2]
        top, left = taps.min(0).values.tolist() if len(taps) > 0 else window.anchor
        bottom, right = taps.max(0).values.tolist() if len(taps) > 0 else window.anchor
        self.rows, self.columns = slice(top, bottom + 1), slice(left, right + 1)
        (down, across), (rows, columns) = window.anchor, window.dilation
        self.pads = (columns * (across - left), columns * (right - across), rows * (down - top), rows * (bottom - down))
        mask = mask[:, :, self.rows, self.columns]  # [out,in,rows,columns] -> [out,in,used rows,used columns]
        self.register_buffer('mask', None if mask.all() else mask.float(), persistent=False)

    def forward(self, x):
        kernel = self.kernel[:, :, self.rows, self.columns]  # [out,in/groups,rows,columns] -> [out,in/groups,used rows,used columns]
        if self.mask is not None:
            kernel = kernel * self.mask
        if self.gain is not None:
            norm = kernel.square().sum((1, 2, 3)).clamp(min=1e-12).sqrt()  # [out,in,rows,columns] -> [out]
            kernel = kernel * (self.gain / norm)[:, None, None, None]
        # PyTorch's groups lie one behind the other, each with its part of all channels.
        stride, dilation, channels, groups = self.window.stride, self.window.dilation, self.window.channels, self.window.groups
        x, kernel = regrouped(x, 1, channels, groups), regrouped(kernel, 0, channels, groups)
        bias = None if self.bias is None else regrouped(self.bias, 0, channels, groups)
        if not self.window.transposed:
            padded = F.pad(x, self.pads) if any(self.pads) else x  # [N,in,H,W] -> [N,in,H+rows-1,W+columns-1], rows as far as they reach
            y = F.conv2d(padded, kernel, bias, stride, 0, dilation, groups)  # -> [N,out,H/stride,W/stride]
            return regrouped(y, 1, groups, channels)
        down, right = self.window.anchor
        height, width = stride * x.shape[2], stride * x.shape[3]
        turned = kernel.unflatten(0, (groups, len(kernel) // groups)).transpose(1, 2).flatten(0, 1)  # -> [in,out/groups,rows,columns]
        larger = F.conv_transpose2d(x, turned, bias, stride, groups=groups)  # -> [N,out,2H+rows-2,2W+columns-2]
        y = larger[:, :, down : down + height, right : right + width]  # -> [N,out,2H,2W]
        return regrouped(y, 1, groups, channels)


class Levels(nn.Module):
    """Reads levels as categories: one-hot, or as learnt vectors of so many `units`, with the weight embeddings [L,units]."""

    def __init__(self, levels, units=None):
        super().__init__()
        self.levels = levels
        self.embeddings = None if units is None else nn.Parameter(torch.empty(levels, units).uniform_(-0.05, 0.05))

    def forward(self, images):
        level = (images * (self.levels - 1) + 0.5).floor().long()
        vectors = F.one_hot(level, self.levels).to(images) if self.embeddings is None else self.embeddings[level]
        return vectors.permute(0, 1, 4, 2, 3).flatten(1, 2)  # [N,C,H,W,U] -> [N,C,U,H,W] -> [N,C*U,H,W]


def read_levels(input, channels, levels):
    """What makes features of images [N,C,H,W] by the option `input`, and how many features."""
    if input == 'scaled':
        return nn.Identity(), channels
    units = None if input == 'oneHot' else input['embedding']
    return Levels(levels, units), channels * (units or levels)


def attend(query, key, value, dropout):
    """Attention of places [N,heads,places,D], of each to those up to itself, some of whose weights are dropped."""
    if hasattr(F, 'scaled_dot_product_attention'):  # since PyTorch 2
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
    places = query.shape[2]
    is_later = torch.ones(places, places, dtype=torch.bool, device=query.device).triu(1)
    logits = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])  # [N,heads,places,places]
    return F.dropout(logits.masked_fill(is_later, -math.inf).softmax(3), dropout) @ value
