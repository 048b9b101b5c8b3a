"""Image GPT in PyTorch, as the JavaScript library pixelcnn-layers makes it: a transformer over the pixels of an image, in row order.

Names of weights are those of the library, as in pixelcnn.py.

    from distributions import bits_per_dim, normalize
    from image_gpt import ImageGPT
    model = ImageGPT(image_shape=(28, 28, 1), levels=16, width=32, heads=2, layers=4)
    outputs = model(normalize(levels, 16))                      # levels [N,1,H,W], 0 to 15
    loss = bits_per_dim(outputs, levels, model.distribution).mean()

In comments on shapes, N is images, H and W rows and columns, P = H*W places, L levels, F features, K features of a condition, D
those of a head.

Source: Chen et al., "Generative Pretraining from Pixels" (2020),
https://cdn.openai.com/papers/Generative_Pretraining_from_Pixels_V2.pdf.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from distributions import distribution_of
from layers import Levels, attend, check_sizes

EPSILON = 1e-5
ACTIVATIONS = {'gelu': F.gelu, 'quickGelu': lambda x: x * torch.sigmoid(1.702 * x)}


class Linear(nn.Module):
    """[...,in] -> [...,out]. Weights: kernel [out,in,1,1], as of a convolution, which begins Glorot-uniform, times `scale`; bias [out]."""

    def __init__(self, features_in, features_out, bias=True, scale=1.0):
        super().__init__()
        limit = scale * math.sqrt(6 / (features_in + features_out))
        self.kernel = nn.Parameter(torch.empty(features_out, features_in, 1, 1).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.zeros(features_out)) if bias else None

    def forward(self, x):
        return F.linear(x, self.kernel[:, :, 0, 0], self.bias)


class Normalization(nn.Module):
    """Of the features of each place, [N,P,F]: 'layer', or 'rms', which subtracts nothing and has no beta."""

    def __init__(self, features, norm):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(features))
        self.beta = nn.Parameter(torch.zeros(features)) if norm == 'layer' else None

    def forward(self, x):
        if self.beta is not None:
            return F.layer_norm(x, self.gamma.shape, self.gamma, self.beta, EPSILON)
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * self.gamma


class Shift(nn.Module):
    """Each place gets the features of the place before it, and the first one a start token, [N,P,F]."""

    def __init__(self, features):
        super().__init__()
        self.start = nn.Parameter(torch.empty(features).uniform_(-0.05, 0.05))

    def forward(self, x):
        return torch.cat([self.start.expand(len(x), 1, -1), x[:, :-1]], 1)  # [N,1,F], [N,P-1,F] -> [N,P,F]


class Places(nn.Module):
    """Adds a vector of each place, and projections of conditions [N,K], to [N,P,F]."""

    def __init__(self, height, width, features, conditions):
        super().__init__()
        self.embeddings = nn.Parameter(torch.empty(height, width, features).uniform_(-0.05, 0.05))
        self.projections = ['condition', 'condition2'][: len(conditions)]
        for name, size in zip(self.projections, conditions):
            self.add_module(name, Linear(size, features, bias=False))

    def forward(self, x, conditions):
        x = x + self.embeddings.flatten(0, 1)  # [H,W,F] -> [P,F]
        for name, condition in zip(self.projections, conditions):
            x = x + getattr(self, name)(condition)[:, None]  # [N,K] -> [N,F] -> [N,1,F]
        return x


class Block(nn.Module):
    """Attention of each place to itself and those before it, then an MLP, each added to what it reads, [N,P,F]. What is added begins times `scale`."""

    def __init__(self, features, heads, norm, activation, residual, dropout, scale):
        super().__init__()
        self.norm1, self.norm2 = Normalization(features, norm), Normalization(features, norm)
        self.query, self.key, self.value = (Linear(features, features) for _ in range(3))
        self.projection = Linear(features, features, scale=scale)
        self.mlp_in, self.mlp_out = Linear(features, 4 * features), Linear(4 * features, features, scale=scale)
        self.heads, self.activation, self.residual = heads, ACTIVATIONS[activation], residual
        self.dropout = dropout

    def forward(self, x):
        n = self.norm1(x)
        split = lambda z: z.unflatten(2, (self.heads, -1)).transpose(1, 2)  # [N,P,F] -> [N,P,heads,D] -> [N,heads,P,D]
        dropout = self.dropout if self.training else 0.0
        attended = attend(split(self.query(n)), split(self.key(n)), split(self.value(n)), dropout)
        attended = attended.transpose(1, 2).flatten(2)  # [N,heads,P,D] -> [N,P,heads,D] -> [N,P,F]
        y = (x if self.residual == 'input' else n) + F.dropout(self.projection(attended), dropout)
        hidden = self.activation(self.mlp_in(self.norm2(y)))  # [N,P,F] -> [N,P,4F]
        return y + F.dropout(self.mlp_out(hidden), dropout)  # [N,P,4F] -> [N,P,F]


class ImageGPT(nn.Module):
    """Images [N,1,H,W] in [0, 1], and what they are conditioned on: classes [N], vectors [N,K]; to logits [N,L,H,W]."""

    def __init__(self, image_shape, levels, width, heads, layers, norm='layer', activation='gelu', residual='input',
                 dropout=0.0, num_classes=None, null_class=False, condition_size=None):  # fmt: skip
        super().__init__()
        height, columns, channels = image_shape
        check_sizes(height=height, columns=columns, width=width, heads=heads, layers=layers)
        check_sizes(2, levels=levels)
        if channels != 1:
            raise ValueError(f'image_shape: wanted [H, W, 1]; turn colours into the levels of a palette first, got {list(image_shape)}')
        if width % heads != 0:
            raise ValueError(f'width: wanted a multiple of heads = {heads}, got {width}')
        for name, given, known in (('norm', norm, ('layer', 'rms')), ('activation', activation, tuple(ACTIVATIONS)),
                                   ('residual', residual, ('input', 'normalized'))):  # fmt: skip
            if given not in known:
                raise ValueError(f"{name}: wanted {', '.join(known)}, got {given!r}")
        self.distribution = distribution_of('softmax', 1, levels)
        classes_read = None if num_classes is None else num_classes + null_class  # the null class is one more
        self.condition_sizes = {'classes': classes_read, 'vectors': condition_size}
        conditions = [size for size in self.condition_sizes.values() if size is not None]
        for size in conditions:
            check_sizes(condition=size)
        self.levels, self.shift = Levels(levels, width), Shift(width)
        self.places = Places(height, columns, width, conditions)
        self.num_layers, self.dropout = layers, dropout
        for index in range(layers):
            block = Block(width, heads, norm, activation, residual, dropout, scale=1 / math.sqrt(2 * layers))
            self.add_module(f'block{index}', block)
        self.norm = Normalization(width, norm)
        self.final_conv = Linear(width, levels, bias=False)

    def forward(self, images, classes=None, vectors=None):
        conditions = self.conditions(classes, vectors)
        x = self.levels(images).flatten(2).transpose(1, 2)  # [N,1,H,W] -> [N,F,H,W] -> [N,F,P] -> [N,P,F], as all to the last
        x = self.places(self.shift(x), conditions)
        x = F.dropout(x, self.dropout, self.training)
        for index in range(self.num_layers):
            x = getattr(self, f'block{index}')(x)
        logits = self.final_conv(self.norm(x))  # [N,P,F] -> [N,P,L]
        return logits.transpose(1, 2).unflatten(2, images.shape[2:])  # -> [N,L,P] -> [N,L,H,W]

    def conditions(self, classes, vectors):
        """Conditions [N,K], in the order of the library."""
        for name, given in (('classes', classes), ('vectors', vectors)):
            if (self.condition_sizes[name] is None) != (given is None):
                wanted = 'None' if self.condition_sizes[name] is None else 'those of all images'
                raise ValueError(f'{name}: wanted {wanted}, got {type(given).__name__}')
        one_hot = [] if classes is None else [F.one_hot(classes, self.condition_sizes['classes']).to(self.shift.start)]  # [N] -> [N,K]
        return one_hot + ([] if vectors is None else [vectors])
