"""PixelCNN, Gated PixelCNN and PixelCNN++ in PyTorch, as the JavaScript library pixelcnn-layers makes them.

Names of weights are those of the library: what `state_dict()` holds here is what its `saveWeights(model, { to: 'pytorch' })`
gives and `loadWeights(model, tensors, { from: 'pytorch' })` takes, and both programs compute the same from it.

    from distributions import bits_per_dim, normalize
    from pixelcnn import GatedPixelCNN
    model = GatedPixelCNN(image_shape=(28, 28, 1), levels=16, hidden_dim=16, out_dim=32, num_blocks=3)
    outputs = model(normalize(levels, 16))                      # levels [N,C,H,W], 0 to 15
    loss = bits_per_dim(outputs, levels, model.distribution).mean()

In comments on shapes, N is images, C their channels, H and W rows and columns, L levels, F features, K components of a
mixture, P its parameters a pixel. Features lie channel by channel: the first F / C are those of the first channel.

Sources: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759; van den Oord et
al., "Conditional Image Generation with PixelCNN Decoders" (2016), https://arxiv.org/abs/1606.05328; Salimans et al.,
"PixelCNN++" (2017), https://arxiv.org/abs/1701.05517.
"""
import math
import re
from typing import NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import nn

from distributions import Mixture, Softmax

# Windows: what a convolution may see


class Window(NamedTuple):
    """Which taps of a kernel are used, and on which features: all of the rows above, nothing of the rows below."""

    kernel_size: Tuple[int, int]
    anchor: Tuple[int, int]  # the tap that lies on the output's own place
    # What is seen of the output's own row: 'nothing'; pixels to the left and, of the pixel itself, earlier channels ('A') or
    # the own channel too ('B'); or 'everything'.
    present: str
    channels: int = 1  # features are in as many groups
    stride: int = 1
    transposed: bool = False


def centered(kernel_size, present, channels=1):
    """The window of an odd kernel around its middle."""
    rows, columns = pair(kernel_size)
    return Window((rows, columns), (rows // 2, columns // 2), present, channels)


def shifted(kernel_size, shift, stride=1, transposed=False):
    """The windows of PixelCNN++: 'down', above a pixel and around it; or 'down_right', up to the pixel. Both see it whole."""
    rows, columns = pair(kernel_size)
    middle = (columns - 1) // 2
    if transposed:
        anchor = (0, middle if shift == 'down' else 0)
    else:
        anchor = (rows - 1, middle if shift == 'down' else columns - 1)
    return Window((rows, columns), anchor, 'everything', 1, stride, transposed)


def mask_of(window, features_in, features_out):
    """Which weights are used, [out,in,rows,columns] of booleans. This is the law that makes a network causal."""
    seen = torch.arange(features_in) * window.channels // features_in  # [in], the channel of each feature
    seer = (torch.arange(features_out) * window.channels // features_out)[:, None]  # [out,1]
    everything = torch.ones(features_out, features_in, dtype=torch.bool)
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


def check_sizes(least=1, **sizes):
    for name, size in sizes.items():
        if type(size) is not int or size < least:
            raise ValueError(f'{name}: wanted a whole number of at least {least}, got {size!r}')


# Layers


class Conv(nn.Module):
    """A causal convolution, [N,in,H,W] -> [N,out,H,W], or of the height and width that the window's stride makes.

    Weights: kernel [out,in,rows,columns], whole also where it is masked; with `weight_norm` gain [out], and the kernel used
    is gain kernel / ||kernel||, of each output by itself; bias [out].

    Kernels begin Glorot-uniform, or weight-normed ones normal with a standard deviation of 0.05. With `mean_square`, that
    of the inputs, they begin so that outputs have a variance of 1, whatever the mask hides.
    """

    def __init__(self, features_in, features_out, window, bias=True, weight_norm=False, initial_scale=1.0, mean_square=None):
        super().__init__()
        self.window, self.initial_scale = window, initial_scale
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
        down, across = window.anchor
        self.pads = (across - left, right - across, down - top, bottom - down)
        mask = mask[:, :, self.rows, self.columns]  # [out,in,rows,columns] -> [out,in,used rows,used columns]
        self.register_buffer('mask', None if mask.all() else mask.float(), persistent=False)

    def forward(self, x):
        kernel = self.kernel[:, :, self.rows, self.columns]  # [out,in,rows,columns] -> [out,in,used rows,used columns]
        if self.mask is not None:
            kernel = kernel * self.mask
        if self.gain is not None:
            norm = kernel.square().sum((1, 2, 3)).clamp(min=1e-12).sqrt()  # [out,in,rows,columns] -> [out]
            kernel = kernel * (self.gain / norm)[:, None, None, None]
        if not self.window.transposed:
            padded = F.pad(x, self.pads) if any(self.pads) else x  # [N,in,H,W] -> [N,in,H+rows-1,W+columns-1]
            return F.conv2d(padded, kernel, self.bias, self.window.stride)  # -> [N,out,H/stride,W/stride]
        stride, (down, right) = self.window.stride, self.window.anchor
        height, width = stride * x.shape[2], stride * x.shape[3]
        larger = F.conv_transpose2d(x, kernel.transpose(0, 1), self.bias, stride)  # -> [N,out,2H+rows-2,2W+columns-2]
        return larger[:, :, down : down + height, right : right + width]  # -> [N,out,2H,2W]


class Condition(nn.Module):
    """What a class adds to the inputs of a gate: classes [N] -> [N,F,1,1]. Weight: kernel [F,classes,1,1]."""

    def __init__(self, num_classes, features):
        super().__init__()
        limit = math.sqrt(6 / (num_classes + features))
        self.kernel = nn.Parameter(torch.empty(features, num_classes, 1, 1).uniform_(-limit, limit))

    def forward(self, classes):
        if classes is None:
            raise ValueError('classes: wanted one of each image, [N], got None')
        one_hot = F.one_hot(classes, self.kernel.shape[1]).to(self.kernel.dtype)  # [N] -> [N,classes]
        return F.conv2d(one_hot[:, :, None, None], self.kernel)  # -> [N,classes,1,1] -> [N,F,1,1]


def condition_of(num_classes, features):
    return None if num_classes is None else Condition(num_classes, features)


class Gate(nn.Module):
    """tanh(a) sigmoid(b), of the halves a and b of each channel's features, [N,2F,H,W] -> [N,F,H,W]."""

    def __init__(self, features, channels, num_classes):
        super().__init__()
        self.groups = (channels, 2, features // channels)
        self.condition = condition_of(num_classes, 2 * features)

    def forward(self, x, classes):
        if self.condition is not None:
            x = x + self.condition(classes)
        a, b = x.unflatten(1, self.groups).unbind(2)  # [N,2F,H,W] -> [N,C,F/C,H,W] each
        return (torch.tanh(a) * torch.sigmoid(b)).flatten(1, 2)  # [N,C,F/C,H,W] -> [N,F,H,W]


class ResBlock(nn.Module):
    """The block of PixelCNN, all with mask B: x + relu(conv_out(relu(conv_mid(relu(conv_in(x)))))), [N,2F,H,W]."""

    def __init__(self, features, kernel_size, channels, dropout):
        super().__init__()
        self.conv_in = Conv(2 * features, features, centered(1, 'B', channels))
        self.conv_mid = Conv(features, features, centered(kernel_size, 'B', channels))
        self.conv_out = Conv(features, 2 * features, centered(1, 'B', channels))
        self.dropout = dropout

    def forward(self, x):
        y = F.dropout(F.relu(self.conv_in(x)), self.dropout, self.training)  # [N,2F,H,W] -> [N,F,H,W]
        y = F.relu(self.conv_mid(y))
        return x + F.relu(self.conv_out(y))  # [N,F,H,W] -> [N,2F,H,W]


def concat_elu(x):
    return F.elu(torch.cat([x, -x], 1))  # [N,F,H,W] -> [N,2F,H,W]


class GatedResBlock(nn.Module):
    """The block of PixelCNN++: x [N,F,H,W] and a skip [N,skip,H,W], if it has one, to [N,F,H,W]."""

    def __init__(self, features, shift, skip, dropout, num_classes):
        super().__init__()
        window = shifted(KERNELS[shift], shift)
        self.conv_in = Conv(2 * features, features, window, weight_norm=True)
        self.conv_skip = Conv(2 * skip, features, centered(1, 'B'), weight_norm=True) if skip > 0 else None
        self.conv_out = Conv(2 * features, 2 * features, window, weight_norm=True, initial_scale=0.1)
        self.condition = condition_of(num_classes, 2 * features)
        self.dropout = dropout

    def forward(self, x, skip=None, classes=None):
        y = self.conv_in(concat_elu(x))  # [N,F,H,W] -> [N,2F,H,W] -> [N,F,H,W]
        if self.conv_skip is not None:
            y = y + self.conv_skip(concat_elu(skip))  # [N,skip,H,W] -> [N,2 skip,H,W] -> [N,F,H,W]
        kept = F.dropout(concat_elu(y), self.dropout, self.training)  # [N,F,H,W] -> [N,2F,H,W]
        halves = self.conv_out(kept)
        if self.condition is not None:
            halves = halves + self.condition(classes)
        a, b = halves.chunk(2, 1)  # [N,2F,H,W] -> [N,F,H,W] each
        return x + a * torch.sigmoid(b)


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


# Networks: images [N,C,H,W] in [0, 1], and classes [N] of those with `num_classes`, to outputs [N,P,H,W] or [N,C*L,H,W]


class Network(nn.Module):
    """What PixelCNN and Gated PixelCNN begin and end with."""

    def __init__(self, image_shape, levels, hidden_dim, out_dim, num_blocks, input, output, halves):
        super().__init__()
        self.channels, self.num_blocks = image_shape[2], num_blocks
        check_sizes(channels=self.channels, hidden_dim=hidden_dim, out_dim=out_dim)
        check_sizes(0, num_blocks=num_blocks)
        check_sizes(2, levels=levels)
        if input == 'scaled':
            self.levels, self.features_in = nn.Identity(), self.channels
        else:
            units = None if input == 'oneHot' else input['embedding']
            self.levels, self.features_in = Levels(levels, units), self.channels * (units or levels)
        self.hidden, out, point = hidden_dim * self.channels, out_dim * self.channels, centered(1, 'B', self.channels)
        if output == 'softmax':
            self.distribution, last = Softmax(self.channels, levels), levels
        else:
            self.distribution, last = Mixture(self.channels, levels, **output), 3 * output['components']
        self.output_conv1 = Conv(halves * self.hidden, out, point)
        self.output_conv2 = Conv(out, out, point)
        self.final_conv = Conv(out, last * self.channels, point)

    def outputs(self, x):
        x = F.relu(self.output_conv1(F.relu(x)))  # [N,F,H,W] -> [N,out,H,W]
        x = self.final_conv(self.output_conv2(x))  # [N,out,H,W] -> [N,C*L,H,W] or [N,C*3K,H,W]
        return self.distribution.parameters_of(x)  # [N,C*L,H,W], or [N,C*3K,H,W] -> [N,P,H,W]


class PixelCNN(Network):
    def __init__(self, image_shape, hidden_dim, out_dim, num_blocks, levels=256, first_kernel_size=7, kernel_size=3,
                 input='scaled', output='softmax', dropout=0.0):
        super().__init__(image_shape, levels, hidden_dim, out_dim, num_blocks, input, output, halves=2)
        hidden, channels = self.hidden, self.channels
        self.input_conv = Conv(self.features_in, 2 * hidden, centered(first_kernel_size, 'A', channels))
        for index in range(num_blocks):
            self.add_module(f'block{index}', ResBlock(hidden, kernel_size, channels, dropout))

    def forward(self, images):
        x = self.input_conv(self.levels(images))  # [N,C,H,W] -> [N,in*C,H,W] -> [N,2F,H,W]
        for index in range(self.num_blocks):
            x = getattr(self, f'block{index}')(x)
        return self.outputs(x)


class GatedPixelCNN(Network):
    def __init__(self, image_shape, hidden_dim, out_dim, num_blocks, levels=256, first_kernel_size=7, kernel_size=3,
                 input='scaled', output='softmax', dropout=0.0, num_classes=None):
        super().__init__(image_shape, levels, hidden_dim, out_dim, num_blocks, input, output, halves=1)
        hidden, channels, self.dropout = self.hidden, self.channels, dropout
        gated = 0.1157  # the mean square of a gate of two normal numbers, which what reads it makes up for
        for index in range(num_blocks + 1):
            is_first = index == 0
            rows, columns = pair(first_kernel_size if is_first else kernel_size)
            above = centered((rows, columns), 'nothing' if is_first else 'everything')
            present = centered((1, columns), 'A' if is_first else 'B', channels)
            features = self.features_in if is_first else hidden
            parts = {
                'vertical': Conv(features, 2 * hidden, above, mean_square=1 if is_first else gated),
                'horizontal': Conv(features, 2 * hidden, present, mean_square=1),
                'across': Conv(2 * hidden, 2 * hidden, centered(1, 'B'), bias=False, mean_square=1),
                'horizontal_gate': Gate(hidden, channels, num_classes),
                'out': Conv(hidden, hidden, centered(1, 'B', channels), mean_square=gated if is_first else 1),
            }
            if index < num_blocks:
                parts['vertical_gate'] = Gate(hidden, channels, num_classes)
            for name, part in parts.items():
                self.add_module(f'block{index}_{name}', part)

    def forward(self, images, classes=None):
        vertical = horizontal = self.levels(images)  # [N,C,H,W] -> [N,in*C,H,W]
        for index in range(self.num_blocks + 1):
            part = lambda name: getattr(self, f'block{index}_{name}')
            v = part('vertical')(vertical)  # [N,in,H,W] -> [N,2F,H,W]
            h = part('horizontal')(horizontal) + part('across')(v)  # [N,in,H,W] -> [N,2F,H,W]
            kept = F.dropout(part('horizontal_gate')(h, classes), self.dropout, self.training)  # [N,2F,H,W] -> [N,F,H,W]
            y = part('out')(kept)
            horizontal = y if index == 0 else horizontal + y
            if index < self.num_blocks:
                vertical = part('vertical_gate')(v, classes)  # [N,2F,H,W] -> [N,F,H,W]
        return self.outputs(horizontal)


KERNELS = {'down': (2, 3), 'down_right': (2, 2)}
STREAMS = {'u': 'down', 'ul': 'down_right'}  # u sees the rows above; ul also what is left of the pixel
SCALES = 3  # resolutions: whole, half, quarter


class PixelCNNPlusPlus(nn.Module):
    def __init__(self, image_shape, filters, levels=256, num_resnets=5, components=10, dropout=0.0, output='mixture',
                 num_classes=None):
        super().__init__()
        height, width, channels = image_shape
        if height % 4 != 0 or width % 4 != 0:
            raise ValueError(f'image_shape: wanted a height and width that are multiples of 4, got {image_shape}')
        check_sizes(channels=channels, filters=filters, num_resnets=num_resnets, components=components)
        check_sizes(2, levels=levels)
        self.num_resnets = num_resnets
        is_softmax = output == 'softmax'
        self.distribution = Softmax(channels, levels) if is_softmax else Mixture(channels, levels, components)

        def conv(name, shift, kernel_size=None, features_in=filters, features_out=filters, **of):
            window = shifted(kernel_size or KERNELS[shift], shift, **of)
            self.add_module(name, Conv(features_in, features_out, window, weight_norm=True))

        conv('stem_u', 'down', features_in=channels + 1)
        conv('stem_ul_above', 'down', (1, 3), features_in=channels + 1)
        conv('stem_ul_left', 'down_right', (2, 1), features_in=channels + 1)
        for scale in range(SCALES):
            for way, count in [('down', num_resnets), ('up', self.blocks_up(scale))]:
                for index in range(count):
                    for stream, shift in STREAMS.items():
                        skip = filters * ((stream == 'ul') + (way == 'up'))
                        block = GatedResBlock(filters, shift, skip, dropout, num_classes)
                        self.add_module(f'{way}{scale}_{index}_{stream}', block)
            if scale < SCALES - 1:
                for stream, shift in STREAMS.items():
                    conv(f'downsize{scale}_{stream}', shift, stride=2)
                    conv(f'upsize{scale}_{stream}', shift, stride=2, transposed=True)
        conv('final_conv', 'down_right', 1, features_out=self.distribution.num_parameters)

    def blocks_up(self, scale):
        return self.num_resnets if scale == SCALES - 1 else self.num_resnets + 1

    def forward(self, images, classes=None):
        part = lambda name: getattr(self, name)
        down = lambda x: F.pad(x, (0, 0, 1, -1))  # by a row: a row of zeros above, the last one cut off
        right = lambda x: F.pad(x, (1, -1, 0, 0))
        x = torch.cat([2 * images - 1, torch.ones_like(images[:, :1])], 1)  # [N,C,H,W] -> [N,C+1,H,W]
        u = down(self.stem_u(x))  # [N,C+1,H,W] -> [N,F,H,W], as the next two
        ul = down(self.stem_ul_above(x)) + right(self.stem_ul_left(x))
        skips = [(u, ul)]
        for scale in range(SCALES):
            for index in range(self.num_resnets):
                u = part(f'down{scale}_{index}_u')(u, None, classes)
                ul = part(f'down{scale}_{index}_ul')(ul, u, classes)
                skips.append((u, ul))
            if scale < SCALES - 1:
                u, ul = part(f'downsize{scale}_u')(u), part(f'downsize{scale}_ul')(ul)  # [N,F,H,W] -> [N,F,H/2,W/2]
                skips.append((u, ul))
        u, ul = skips.pop()
        for scale in reversed(range(SCALES)):
            for index in range(self.blocks_up(scale)):
                skip_u, skip_ul = skips.pop()
                u = part(f'up{scale}_{index}_u')(u, skip_u, classes)
                ul = part(f'up{scale}_{index}_ul')(ul, torch.cat([u, skip_ul], 1), classes)  # of [N,F,H,W] twice [N,2F,H,W]
            if scale > 0:
                u, ul = part(f'upsize{scale - 1}_u')(u), part(f'upsize{scale - 1}_ul')(ul)  # [N,F,H,W] -> [N,F,2H,2W]
        return self.final_conv(F.elu(ul))  # [N,F,H,W] -> [N,P,H,W] or [N,C*L,H,W]


def make(name, args):
    """What a factory of the library makes: make('gatedPixelCNN', {'imageShape': [28, 28, 1], 'hiddenDim': 16, ...})."""
    networks = {'pixelCNN': PixelCNN, 'gatedPixelCNN': GatedPixelCNN, 'pixelCNNPlusPlus': PixelCNNPlusPlus}
    return networks[name](**{re.sub('[A-Z]', lambda found: '_' + found[0].lower(), key): args[key] for key in args})
