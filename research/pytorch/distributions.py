"""What the outputs of a network mean: the probabilities of levels, by a softmax, a mixture of logistics or a Gaussian.

All have `nats(outputs, levels)`, -log p of each value given all before it, [N,C,H,W], and `features_of_channel`, how many a network
whose features lie channel by channel gives of each. N is images, C their channels, H and W rows
and columns, L levels, K components of a mixture, P its parameters a pixel.
"""
import math

import torch
import torch.nn.functional as F


def normalize(levels, num_levels=256):
    """What networks read: levels 0..L-1 as numbers in [0, 1]."""
    return levels.float() / (num_levels - 1)


def bits_per_dim(outputs, levels, distribution):
    """-log2 p of levels [N,C,H,W], the mean over the values of each image, [N]; the loss of training is its mean."""
    return distribution.nats(outputs.float(), levels).flatten(1).mean(1) / math.log(2)  # [N,C,H,W] -> [N,C*H*W] -> [N]


def distribution_of(output, channels, levels):
    """What `output` of a network stands for: 'softmax', or 'gaussian', or a mixture, {'components': 10}."""
    if output in ('softmax', 'gaussian'):
        return (Softmax if output == 'softmax' else Gaussian)(channels, levels)
    if not isinstance(output, dict) or output.keys() != {'components'}:
        raise ValueError(f"output: wanted 'softmax', 'gaussian' or {{'components': K}}, got {output!r}")
    return Mixture(channels, levels, **output)


class Softmax:
    """Outputs [N,C*L,H,W] are logits of levels, channel by channel."""

    def __init__(self, channels, levels):
        self.channels, self.levels, self.num_parameters = channels, levels, channels * levels
        self.features_of_channel = levels

    def parameters_of(self, features):
        return features

    def nats(self, outputs, levels):
        """-log p of each value, [N,C,H,W]."""
        n, _, height, width = outputs.shape
        logits = outputs.permute(0, 2, 3, 1).reshape(-1, self.levels)  # [N,C*L,H,W] -> [N,H,W,C*L] -> [N*H*W*C,L]
        labels = levels.permute(0, 2, 3, 1).reshape(-1)  # [N,C,H,W] -> [N*H*W*C]
        nats = F.cross_entropy(logits, labels.long(), reduction='none')
        return nats.view(n, height, width, self.channels).permute(0, 3, 1, 2)  # [N*H*W*C] -> [N,C,H,W]


class Mixture:
    """Outputs [N,P,H,W] are parameters of a mixture of K discretized logistics over whole pixels, in blocks of K: logits;
    of each channel means and log scales; coefficients of channel 1 on 0, 2 on 0, 2 on 1 and so on. Three channels have the
    order of OpenAI's PixelCNN++ instead, where a coefficient follows each channel's log scales.

    A level stands for x = 2 level / (L - 1) - 1 and has the logistic's mass between x - h and x + h, h = 1 / (L - 1); the first
    one all below, the last one all above. So levels sum to 1.
    """

    def __init__(self, channels, levels, components):
        self.channels, self.levels, self.components = channels, levels, components
        self.pairs = [(channel, earlier) for channel in range(channels) for earlier in range(channel)]
        self.num_blocks = 1 + 2 * channels + len(self.pairs)
        self.num_parameters, self.features_of_channel = components * self.num_blocks, 3 * components
        stride = 3 if channels == 3 else 2
        self.means = [1 + stride * channel for channel in range(channels)]  # blocks; log scales are in the next ones
        self.coefficients = [3 + 3 * i if channels == 3 else 1 + 2 * channels + i for i in range(len(self.pairs))]

    def parameters_of(self, features):
        """Features in groups by channel, each K logits, means and log scales: coefficients are 0, and the logits of the first
        channel count."""
        if self.channels == 1:
            return features
        given = features.chunk(3 * self.channels, 1)  # [N,C*3K,H,W] -> [N,K,H,W] each
        blocks = [torch.zeros_like(given[0])] * self.num_blocks
        blocks[0] = given[0]
        for channel, block in enumerate(self.means):
            blocks[block : block + 2] = given[3 * channel + 1 : 3 * channel + 3]
        return torch.cat(blocks, 1)  # -> [N,P,H,W]

    def nats(self, parameters, levels):
        """-log p of each value given the channels before it in its pixel, [N,C,H,W]."""
        blocks = parameters.chunk(self.num_blocks, 1)  # [N,P,H,W] -> [N,K,H,W] each
        x = 2 * levels.float() / (self.levels - 1) - 1  # [N,C,H,W]
        log_weights = F.log_softmax(blocks[0], 1)  # [N,K,H,W], of the components given the channels so far
        nats = []
        for channel, block in enumerate(self.means):
            mean = blocks[block]
            for (later, earlier), coefficient in zip(self.pairs, self.coefficients):
                if later == channel:
                    mean = mean + torch.tanh(blocks[coefficient]) * x[:, earlier : earlier + 1]
            own = slice(channel, channel + 1)
            joint = log_weights + self.log_mass(levels[:, own], x[:, own] - mean, blocks[block + 1])  # [N,K,H,W]
            log_p = torch.logsumexp(joint, 1, keepdim=True)  # [N,K,H,W] -> [N,1,H,W]
            log_weights = joint - log_p
            nats.append(-log_p)
        return torch.cat(nats, 1)  # [N,1,H,W] each -> [N,C,H,W]

    def log_mass(self, level, distance, log_scale):
        """Of levels [N,1,H,W], so far from the means of logistics [N,K,H,W]: with edges b and a, log sigmoid(b) + log
        sigmoid(-a) + log(1 - e^(a - b)), which no difference of sigmoids spoils."""
        log_scale, half = log_scale.clamp(min=-7), 1 / (self.levels - 1)
        inverse = torch.exp(-log_scale)
        below, above = F.logsigmoid((distance + half) * inverse), F.logsigmoid((half - distance) * inverse)  # [N,K,H,W]
        width = (2 * half * inverse).clamp(min=1e-6)  # next to 0, (1 - e^-w) / w is 1 and log w is known
        inside = math.log(2 * half) - log_scale + torch.log(-torch.expm1(-width) / width)
        is_between = (level > 0) & (level < self.levels - 1)  # [N,1,H,W]
        zero = torch.zeros_like(below)
        return (
            torch.where(level < self.levels - 1, below, zero)
            + torch.where(level > 0, above, zero)
            + torch.where(is_between, inside, zero)
        )


class Gaussian:
    """Outputs [N,2C,H,W] are a mean and a log scale of each channel in turn, in levels from the middle one. A level has the
    Gaussian's mass from 1/2 below it to 1/2 above; the first one all below, the last one all above. Log scales are at least -3."""

    def __init__(self, channels, levels):
        self.channels, self.levels, self.num_parameters = channels, levels, 2 * channels
        self.features_of_channel = 2

    def parameters_of(self, features):
        return features

    def nats(self, parameters, levels):
        """-log p of each value, [N,C,H,W]. In float64, since a difference of masses loses digits."""
        mean, log_scale = parameters.double().unflatten(1, (self.channels, 2)).unbind(2)  # [N,2C,H,W] -> [N,C,H,W] each
        precision = torch.exp(-log_scale.clamp(min=-3))
        z, half = ((levels - self.levels // 2 - mean) * precision).clamp(-1e6, 1e6), precision / 2
        is_lowest, is_highest = levels == 0, levels == self.levels - 1
        z = torch.where(is_lowest, z, torch.where(is_highest, -z, -z.abs()))  # mirrored: of ends, what is below counts
        below, above = torch.special.log_ndtr(z - half), torch.special.log_ndtr(z + half)
        inside = torch.log(-torch.expm1(torch.where(is_lowest | is_highest, -1, below - above)))
        return -torch.where(is_lowest | is_highest, above, above + inside).float()
