"""PixelSNAIL in PyTorch, as the JavaScript library pixelcnn-layers makes it: convolutions for what is near, and attention to all
places before, however far. Also as a prior over the codes of a VQ-VAE, given a coarser map of codes.

Names of weights are those of the library, as in pixelcnn.py.

    from distributions import bits_per_dim, normalize
    from pixelsnail import PixelSNAIL
    model = PixelSNAIL(image_shape=(16, 16, 1), levels=64, filters=32, num_blocks=2, num_res_blocks=2, res_filters=32)
    outputs = model(normalize(codes, 64))                       # codes [N,1,H,W], 0 to 63
    loss = bits_per_dim(outputs, codes, model.distribution).mean()

In comments on shapes, N is images, C their channels, H and W rows and columns, L levels, F filters, R features inside of a block,
K features of a condition, D those of a head.

Source: Chen et al., "PixelSNAIL: An Improved Autoregressive Generative Model" (2018), https://arxiv.org/abs/1712.09763, as the
PyTorch code of https://github.com/rosinality/vq-vae-2-pytorch has it.
"""
import torch
import torch.nn.functional as F
from torch import nn

from distributions import distribution_of
from layers import Conv, Window, attend, centered, check_sizes, read_levels, shifted, wide

POINT = centered(1, 'B')  # 1x1


def causal(kernel_size):
    """The rows above and, of the own row, what is left of the place, which itself is left out."""
    return Window((kernel_size, kernel_size), (kernel_size - 1, kernel_size // 2), 'A')


class GatedBlock(nn.Module):
    """x [N,F,H,W], a skip [N,skip,H,W] if it has one, and conditions [N,K,H,W], or [N,K,1,1] for all places, to [N,F,H,W].

    With halves a and b of conv_out(elu(conv_in(elu(x)) + conv_skip(elu(skip)))) + conditions: x + a sigmoid(b).
    """

    def __init__(self, features, hidden, window, dropout, skip=0, conditions=()):
        super().__init__()
        self.conv_in = Conv(features, hidden, window, weight_norm=True)
        self.conv_skip = Conv(skip, hidden, POINT, weight_norm=True) if skip > 0 else None
        self.conv_out = Conv(hidden, 2 * features, window, weight_norm=True, initial_scale=0.1)
        self.dropout, self.projections = dropout, []
        for index, size in enumerate(conditions):
            self.projections.append('condition' if index == 0 else f'condition{index + 1}')
            self.add_module(self.projections[-1], Conv(size, 2 * features, POINT, bias=False))

    def forward(self, x, skip=None, conditions=()):
        y = self.conv_in(F.elu(x))  # [N,F,H,W] -> [N,R,H,W]
        if self.conv_skip is not None:
            y = y + self.conv_skip(F.elu(skip))  # [N,skip,H,W] -> [N,R,H,W]
        halves = self.conv_out(F.dropout(F.elu(y), self.dropout, self.training))  # [N,R,H,W] -> [N,2F,H,W]
        for name, condition in zip(self.projections, conditions):
            halves = halves + getattr(self, name)(condition)  # [N,K,H,W] -> [N,2F,H,W], or [N,K,1,1] -> [N,2F,1,1]
        a, b = halves.chunk(2, 1)  # [N,2F,H,W] -> [N,F,H,W] each
        return x + a * torch.sigmoid(b)


class CausalAttention(nn.Module):
    """Each place attends to the places before it, row by row; zeros come out of the first: x [N,F,H,W] for queries and y
    [N,K,H,W] for keys and values, to [N,units,H,W]."""

    def __init__(self, features, features_of_keys, units, heads, dropout):
        super().__init__()
        self.query = Conv(features, units, POINT, weight_norm=True)
        self.key = Conv(features_of_keys, units, POINT, weight_norm=True)
        self.value = Conv(features_of_keys, units, POINT, weight_norm=True)
        self.heads, self.dropout = heads, dropout

    def forward(self, x, y):
        n, _, height, width = x.shape
        split = lambda z: z.reshape(n, self.heads, -1, height * width).transpose(2, 3)  # [N,units,H,W] -> [N,heads,H*W,D]
        query, key, value = split(self.query(x)), split(self.key(y)), split(self.value(y))
        # Strictly before: the places from the second on see as many of those up to the last but one.
        dropout = self.dropout if self.training else 0.0
        attended = attend(query[:, :, 1:], key[:, :, :-1], value[:, :, :-1], dropout)  # [N,heads,H*W-1,D]
        attended = F.pad(attended, (0, 0, 1, 0))  # -> [N,heads,H*W,D]
        return attended.transpose(2, 3).reshape(n, -1, height, width)  # -> [N,heads,D,H*W] -> [N,units,H,W]


class PixelSNAIL(nn.Module):
    """Images [N,C,H,W] in [0, 1], and what they are conditioned on: classes [N], vectors [N,K], codes [N,h,w]; to outputs
    [N,C*L,H,W] or [N,P,H,W]. All channels of a pixel see only the pixels before it."""

    def __init__(self, image_shape, filters, num_blocks, num_res_blocks, res_filters, levels=256, kernel_size=3, attention=True,
                 heads=8, dropout=0.0, out_res_blocks=0, input='oneHot', output='softmax', num_classes=None, null_class=False,
                 condition_size=None, code_condition=None):  # fmt: skip
        super().__init__()
        height, width, channels = image_shape
        check_sizes(height=height, width=width, channels=channels, filters=filters, res_filters=res_filters)
        check_sizes(num_blocks=num_blocks, heads=heads)
        check_sizes(0, num_res_blocks=num_res_blocks, out_res_blocks=out_res_blocks)
        check_sizes(2, levels=levels)
        check_kernel('kernel_size', kernel_size, 3)
        if attention and filters % (2 * heads) != 0:
            raise ValueError(f'filters: wanted a multiple of 2 * heads = {2 * heads}, got {filters}')
        self.num_blocks, self.num_res_blocks, self.out_res_blocks = num_blocks, num_res_blocks, out_res_blocks
        self.attention, self.image_size = attention, (height, width)
        self.distribution = distribution_of(output, channels, levels)
        self.levels, features_in = read_levels(input, channels, levels)

        classes_read = None if num_classes is None else num_classes + null_class  # the null class is one more
        features_of_codes = None if code_condition is None else self.add_codes(dropout=dropout, **code_condition)
        self.condition_sizes = {'classes': classes_read, 'vectors': condition_size, 'codes': features_of_codes}
        conditions = [size for size in self.condition_sizes.values() if size is not None]
        for size in conditions:
            check_sizes(condition=size)

        above, left = (kernel_size // 2, kernel_size), ((kernel_size + 1) // 2, kernel_size // 2)
        self.stem_above = Conv(features_in, filters, shifted(above, 'down'), weight_norm=True)
        self.stem_left = Conv(features_in, filters, shifted(left, 'down_right'), weight_norm=True)
        for index in range(num_blocks):
            add = lambda name, part: self.add_module(f'block{index}_{name}', part)
            for res in range(num_res_blocks):
                block = GatedBlock(filters, res_filters, causal(kernel_size), dropout, conditions=conditions)
                add(f'res{res}', block)
            queries, keys = filters + 2, 2 * filters + 2  # with the position
            if attention:
                add('keys', GatedBlock(keys, filters, POINT, dropout))
                add('queries', GatedBlock(queries, filters, POINT, dropout))
                add('attention', CausalAttention(queries, keys, filters // 2, heads, dropout))
                add('out', GatedBlock(filters, filters, POINT, dropout, skip=filters // 2))
            else:
                add('out', Conv(queries, filters, POINT, weight_norm=True))
        for index in range(out_res_blocks):
            self.add_module(f'out_res{index}', GatedBlock(filters, res_filters, POINT, dropout=0.0))
        self.final_conv = Conv(filters, self.distribution.num_parameters, POINT, weight_norm=True)
        rows = ((torch.arange(height) - height / 2) / height)[:, None].expand(height, width)  # [H] -> [H,W]
        columns = ((torch.arange(width) - width / 2) / width).expand(height, width)  # [W] -> [H,W]
        self.register_buffer('position', torch.stack([rows, columns])[None], persistent=False)  # [1,2,H,W]

    def add_codes(self, levels, shape, res_blocks, res_filters, dropout, kernel_size=3):
        """What reads a coarser map of codes; returns how many features it gives."""
        rows, columns = shape
        check_sizes(rows_of_codes=rows, columns_of_codes=columns, res_filters=res_filters)
        check_sizes(2, levels_of_codes=levels)
        check_sizes(0, res_blocks=res_blocks)
        check_kernel('code_condition: kernel_size', kernel_size, 1)
        if self.image_size[0] % rows != 0 or self.image_size[1] % columns != 0:
            raise ValueError(f'code_condition: shape: wanted divisors of {list(self.image_size)}, got {list(shape)}')
        self.codes_shape, self.codes_levels, self.codes_blocks = (rows, columns), levels, res_blocks
        self.codes_conv = Conv(levels, res_filters, wide(kernel_size), weight_norm=True)
        for index in range(res_blocks):
            self.add_module(f'codes_res{index}', GatedBlock(res_filters, res_filters, wide(kernel_size), dropout))
        return res_filters

    def forward(self, images, classes=None, vectors=None, codes=None):
        part = lambda name: getattr(self, name)
        conditions = self.conditions(classes, vectors, codes)
        x = self.levels(images)  # [N,C,H,W] -> [N,in,H,W]
        above = F.pad(self.stem_above(x), (0, 0, 1, -1))  # [N,in,H,W] -> [N,F,H,W], a row down
        left = F.pad(self.stem_left(x), (1, -1, 0, 0))  # a column to the right
        x = above + left
        position = self.position.to(x.dtype).expand(len(x), -1, -1, -1)  # [1,2,H,W] -> [N,2,H,W]
        for index in range(self.num_blocks):
            y = x
            for res in range(self.num_res_blocks):
                y = part(f'block{index}_res{res}')(y, conditions=conditions)
            here = torch.cat([y, position], 1)  # [N,F,H,W], [N,2,H,W] -> [N,F+2,H,W]
            if self.attention:
                keys = part(f'block{index}_keys')(torch.cat([x, here], 1))  # [N,2F+2,H,W]
                attended = part(f'block{index}_attention')(part(f'block{index}_queries')(here), keys)  # -> [N,F/2,H,W]
                x = part(f'block{index}_out')(y, attended)
            else:
                x = part(f'block{index}_out')(here)  # [N,F+2,H,W] -> [N,F,H,W]
        for index in range(self.out_res_blocks):
            x = part(f'out_res{index}')(x)
        return self.final_conv(F.elu(x))  # [N,F,H,W] -> [N,C*L,H,W] or [N,P,H,W]

    def conditions(self, classes, vectors, codes):
        """What enters blocks, in the order of the library."""
        given = {'classes': classes, 'vectors': vectors, 'codes': codes}
        for name, size in self.condition_sizes.items():
            if (size is None) != (given[name] is None):
                raise ValueError(f"{name}: wanted {'None' if size is None else 'those of all images'}, got {type(given[name]).__name__}")
        conditions = []
        if classes is not None:
            one_hot = F.one_hot(classes, self.condition_sizes['classes']).to(self.position)  # [N] -> [N,K]
            conditions.append(one_hot[:, :, None, None])  # -> [N,K,1,1]
        if vectors is not None:
            conditions.append(vectors[:, :, None, None])  # [N,K] -> [N,K,1,1]
        if codes is not None:
            conditions.append(self.features_of(codes))
        return conditions

    def features_of(self, codes):
        """Of codes [N,h,w], [N,K,H,W]."""
        if codes.shape[1:] != self.codes_shape:
            raise ValueError(f'codes: wanted [N,{self.codes_shape[0]},{self.codes_shape[1]}], got {list(codes.shape)}')
        x = F.one_hot(codes, self.codes_levels).to(self.position).permute(0, 3, 1, 2)  # [N,h,w] -> [N,h,w,L] -> [N,L,h,w]
        x = self.codes_conv(x)  # -> [N,K,h,w]
        for index in range(self.codes_blocks):
            x = getattr(self, f'codes_res{index}')(x)
        return F.interpolate(x, self.image_size)  # each place is that of the nearest: -> [N,K,H,W]


def check_kernel(name, size, least):
    if type(size) is not int or size < least or size % 2 == 0:
        raise ValueError(f'{name}: wanted an odd number of at least {least}, got {size!r}')
