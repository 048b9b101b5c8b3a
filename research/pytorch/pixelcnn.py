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

import torch
import torch.nn.functional as F
from torch import nn

from distributions import distribution_of
from layers import Conv, centered, check_sizes, pair, read_levels, shifted

class Condition(nn.Module):
    """What a class or a vector adds to the inputs of a gate: classes [N] or vectors [N,K] -> [N,F,1,1]. Weight: kernel [F,K,1,1]."""

    def __init__(self, size, features):
        super().__init__()
        limit = math.sqrt(6 / (size + features))
        self.kernel = nn.Parameter(torch.empty(features, size, 1, 1).uniform_(-limit, limit))

    def forward(self, given):
        if given is None:
            raise ValueError('wanted a class or a vector of each image, [N] or [N,K], got None')
        vectors = F.one_hot(given, self.kernel.shape[1]) if given.dim() == 1 else given  # [N] -> [N,K]
        return F.conv2d(vectors.to(self.kernel.dtype)[:, :, None, None], self.kernel)  # -> [N,K,1,1] -> [N,F,1,1]


def condition_of(size, features):
    return None if size is None else Condition(size, features)


class Gate(nn.Module):
    """tanh(a) sigmoid(b), of the halves a and b of each channel's features, [N,2F,H,W] -> [N,F,H,W]."""

    def __init__(self, features, channels, condition_size):
        super().__init__()
        self.groups = (channels, 2, features // channels)
        self.condition = condition_of(condition_size, 2 * features)

    def forward(self, x, given):
        if self.condition is not None:
            x = x + self.condition(given)
        if self.groups[0] == 1:
            a, b = x.chunk(2, 1)  # [N,2F,H,W] -> [N,F,H,W] each
            return torch.tanh(a) * torch.sigmoid(b)
        a, b = x.unflatten(1, self.groups).unbind(2)  # [N,2F,H,W] -> [N,C,F/C,H,W] each
        return (torch.tanh(a) * torch.sigmoid(b)).flatten(1, 2)  # [N,C,F/C,H,W] -> [N,F,H,W]


class ResBlock(nn.Module):
    """The block of PixelCNN, all with mask B: x + relu(conv_out(relu(conv_mid(relu(conv_in(x)))))), [N,2F,H,W]."""

    def __init__(self, features, kernel_size, channels, dropout, dilation_rate=1):
        super().__init__()
        self.conv_in = Conv(2 * features, features, centered(1, 'B', channels))
        self.conv_mid = Conv(features, features, centered(kernel_size, 'B', channels, dilation_rate))
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

    def __init__(self, features, shift, skip, dropout, condition_size, dilation_rate=1):
        super().__init__()
        window = shifted(KERNELS[shift], shift, dilation_rate=dilation_rate)
        self.conv_in = Conv(2 * features, features, window, weight_norm=True)
        self.conv_skip = Conv(2 * skip, features, centered(1, 'B'), weight_norm=True) if skip > 0 else None
        self.conv_out = Conv(2 * features, 2 * features, window, weight_norm=True, initial_scale=0.1)
        self.condition = condition_of(condition_size, 2 * features)
        self.dropout = dropout

    def forward(self, x, skip=None, given=None):
        y = self.conv_in(concat_elu(x))  # [N,F,H,W] -> [N,2F,H,W] -> [N,F,H,W]
        if self.conv_skip is not None:
            y = y + self.conv_skip(concat_elu(skip))  # [N,skip,H,W] -> [N,2 skip,H,W] -> [N,F,H,W]
        kept = F.dropout(concat_elu(y), self.dropout, self.training)  # [N,F,H,W] -> [N,2F,H,W]
        halves = self.conv_out(kept)
        if self.condition is not None:
            halves = halves + self.condition(given)
        a, b = halves.chunk(2, 1)  # [N,2F,H,W] -> [N,F,H,W] each
        return x + a * torch.sigmoid(b)


# Networks: images [N,C,H,W] in [0, 1], and what those with a condition are given, classes [N] or vectors [N,K], to outputs [N,P,H,W] or [N,C*L,H,W]


class Network(nn.Module):
    """What PixelCNN and Gated PixelCNN begin and end with."""

    def __init__(self, image_shape, levels, hidden_dim, out_dim, num_blocks, input, output, halves):
        super().__init__()
        self.channels, self.num_blocks = image_shape[2], num_blocks
        check_sizes(channels=self.channels, hidden_dim=hidden_dim, out_dim=out_dim)
        check_sizes(0, num_blocks=num_blocks)
        check_sizes(2, levels=levels)
        self.levels, self.features_in = read_levels(input, self.channels, levels)
        self.hidden, out, point = hidden_dim * self.channels, out_dim * self.channels, centered(1, 'B', self.channels)
        self.distribution = distribution_of(output, self.channels, levels)
        self.output_conv1 = Conv(halves * self.hidden, out, point)
        self.output_conv2 = Conv(out, out, point)
        self.final_conv = Conv(out, self.distribution.features_of_channel * self.channels, point)

    def outputs(self, x):
        x = F.relu(self.output_conv1(F.relu(x)))  # [N,F,H,W] -> [N,out,H,W]
        x = self.final_conv(self.output_conv2(x))  # [N,out,H,W] -> [N,C*L,H,W], [N,C*3K,H,W] or [N,2C,H,W]
        return self.distribution.parameters_of(x)  # [N,C*L,H,W] or [N,2C,H,W], or [N,C*3K,H,W] -> [N,P,H,W]


class PixelCNN(Network):
    """`block`, if given, makes each block, [N,2F,H,W] -> [N,2F,H,W], of index, features, kernel_size, channels, dropout and
    dilation_rate, all named: lambda index, **args: ResBlock(**{**args, 'dilation_rate': 2 ** index})."""

    def __init__(self, image_shape, hidden_dim, out_dim, num_blocks, levels=256, first_kernel_size=7, kernel_size=3,
                 dilation_rate=1, block=lambda index, **args: ResBlock(**args), input='scaled', output='softmax', dropout=0.0):
        super().__init__(image_shape, levels, hidden_dim, out_dim, num_blocks, input, output, halves=2)
        hidden, channels = self.hidden, self.channels
        self.input_conv = Conv(self.features_in, 2 * hidden, centered(first_kernel_size, 'A', channels))
        args = {'features': hidden, 'kernel_size': kernel_size, 'channels': channels, 'dropout': dropout, 'dilation_rate': dilation_rate}
        for index in range(num_blocks):
            self.add_module(f'block{index}', block(index=index, **args))

    def forward(self, images):
        x = self.input_conv(self.levels(images))  # [N,C,H,W] -> [N,in*C,H,W] -> [N,2F,H,W]
        for index in range(self.num_blocks):
            x = getattr(self, f'block{index}')(x)
        return self.outputs(x)


class GatedPixelCNN(Network):
    def __init__(self, image_shape, hidden_dim, out_dim, num_blocks, levels=256, first_kernel_size=7, kernel_size=3,
                 dilation_rate=1, input='scaled', output='softmax', dropout=0.0, num_classes=None, condition_size=None):
        super().__init__(image_shape, levels, hidden_dim, out_dim, num_blocks, input, output, halves=1)
        condition = num_classes or condition_size
        hidden, channels, self.dropout = self.hidden, self.channels, dropout
        gated = 0.1157  # the mean square of a gate of two normal numbers, which what reads it makes up for
        for index in range(num_blocks + 1):
            is_first = index == 0
            rows, columns = pair(first_kernel_size if is_first else kernel_size)
            dilation = 1 if is_first else dilation_rate
            above = centered((rows, columns), 'nothing' if is_first else 'everything', dilation_rate=dilation)
            present = centered((1, columns), 'A' if is_first else 'B', channels, dilation)
            features = self.features_in if is_first else hidden
            parts = {
                'vertical': Conv(features, 2 * hidden, above, mean_square=1 if is_first else gated),
                'horizontal': Conv(features, 2 * hidden, present, mean_square=1),
                'across': Conv(2 * hidden, 2 * hidden, centered(1, 'B'), bias=False, mean_square=1),
                'horizontal_gate': Gate(hidden, channels, condition),
                'out': Conv(hidden, hidden, centered(1, 'B', channels), mean_square=gated if is_first else 1),
            }
            if index < num_blocks:
                parts['vertical_gate'] = Gate(hidden, channels, condition)
            for name, part in parts.items():
                self.add_module(f'block{index}_{name}', part)

    def forward(self, images, classes=None, vectors=None):
        given = classes if vectors is None else vectors
        vertical = horizontal = self.levels(images)  # [N,C,H,W] -> [N,in*C,H,W]
        for index in range(self.num_blocks + 1):
            part = lambda name: getattr(self, f'block{index}_{name}')
            v = part('vertical')(vertical)  # [N,in,H,W] -> [N,2F,H,W]
            h = part('horizontal')(horizontal) + part('across')(v)  # [N,in,H,W] -> [N,2F,H,W]
            kept = F.dropout(part('horizontal_gate')(h, given), self.dropout, self.training)  # [N,2F,H,W] -> [N,F,H,W]
            y = part('out')(kept)
            horizontal = y if index == 0 else horizontal + y
            if index < self.num_blocks:
                vertical = part('vertical_gate')(v, given)  # [N,2F,H,W] -> [N,F,H,W]
        return self.outputs(horizontal)


KERNELS = {'down': (2, 3), 'down_right': (2, 2)}
STREAMS = {'u': 'down', 'ul': 'down_right'}  # u sees the rows above; ul also what is left of the pixel
SCALES = 3  # resolutions: whole, half, quarter


class PixelCNNPlusPlus(nn.Module):
    def __init__(self, image_shape, filters, levels=256, num_resnets=5, dropout=0.0, output=None, num_classes=None, condition_size=None):
        super().__init__()
        condition = num_classes or condition_size
        height, width, channels = image_shape
        if height % 4 != 0 or width % 4 != 0:
            raise ValueError(f'image_shape: wanted a height and width that are multiples of 4, got {image_shape}')
        check_sizes(channels=channels, filters=filters, num_resnets=num_resnets)
        check_sizes(2, levels=levels)
        self.num_resnets = num_resnets
        self.distribution = distribution_of(output or {'components': 10}, channels, levels)

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
                        block = GatedResBlock(filters, shift, skip, dropout, condition)
                        self.add_module(f'{way}{scale}_{index}_{stream}', block)
            if scale < SCALES - 1:
                for stream, shift in STREAMS.items():
                    conv(f'downsize{scale}_{stream}', shift, stride=2)
                    conv(f'upsize{scale}_{stream}', shift, stride=2, transposed=True)
        conv('final_conv', 'down_right', 1, features_out=self.distribution.num_parameters)

    def blocks_up(self, scale):
        return self.num_resnets if scale == SCALES - 1 else self.num_resnets + 1

    def forward(self, images, classes=None, vectors=None):
        given = classes if vectors is None else vectors
        part = lambda name: getattr(self, name)
        down = lambda x: F.pad(x, (0, 0, 1, -1))  # by a row: a row of zeros above, the last one cut off
        right = lambda x: F.pad(x, (1, -1, 0, 0))
        x = torch.cat([2 * images - 1, torch.ones_like(images[:, :1])], 1)  # [N,C,H,W] -> [N,C+1,H,W]
        u = down(self.stem_u(x))  # [N,C+1,H,W] -> [N,F,H,W], as the next two
        ul = down(self.stem_ul_above(x)) + right(self.stem_ul_left(x))
        skips = [(u, ul)]
        for scale in range(SCALES):
            for index in range(self.num_resnets):
                u = part(f'down{scale}_{index}_u')(u, None, given)
                ul = part(f'down{scale}_{index}_ul')(ul, u, given)
                skips.append((u, ul))
            if scale < SCALES - 1:
                u, ul = part(f'downsize{scale}_u')(u), part(f'downsize{scale}_ul')(ul)  # [N,F,H,W] -> [N,F,H/2,W/2]
                skips.append((u, ul))
        u, ul = skips.pop()
        for scale in reversed(range(SCALES)):
            for index in range(self.blocks_up(scale)):
                skip_u, skip_ul = skips.pop()
                u = part(f'up{scale}_{index}_u')(u, skip_u, given)
                ul = part(f'up{scale}_{index}_ul')(ul, torch.cat([u, skip_ul], 1), given)  # of [N,F,H,W] twice [N,2F,H,W]
            if scale > 0:
                u, ul = part(f'upsize{scale - 1}_u')(u), part(f'upsize{scale - 1}_ul')(ul)  # [N,F,H,W] -> [N,F,2H,2W]
        return self.final_conv(F.elu(ul))  # [N,F,H,W] -> [N,P,H,W] or [N,C*L,H,W]
