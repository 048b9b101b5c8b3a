"""The same network in PyTorch, channels last in memory."""
import torch
import torch.nn.functional as F


def causal_mask(out_features, in_features, size, kind, channels):
    """[out, in, size, size]: rows above and pixels to the left; at the centre a channel group sees those before it."""
    mask = torch.zeros(out_features, in_features, size, size)
    mask[:, :, : size // 2] = 1
    mask[:, :, size // 2, : size // 2] = 1
    group = lambda features: torch.arange(features) * channels // features
    seen, seer = group(in_features)[None, :], group(out_features)[:, None]
    mask[:, :, size // 2, size // 2] = (seen < seer if kind == 'A' else seen <= seer).float()
    return mask


class MaskedConv(torch.nn.Conv2d):
    def __init__(self, features_in, features_out, channels, size=1, kind='B'):
        super().__init__(features_in, features_out, size, padding=size // 2)
        self.register_buffer('mask', causal_mask(features_out, features_in, size, kind, channels))

    def forward(self, x):
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class Block(torch.nn.Module):
    def __init__(self, h, c):
        super().__init__()
        self.convs = torch.nn.ModuleList([MaskedConv(2 * h, h, c), MaskedConv(h, h, c, 3), MaskedConv(h, 2 * h, c)])

    def forward(self, x):
        y = x
        for conv in self.convs:
            y = F.relu(conv(y))
        return x + y


def pixel_cnn(shape):
    """[N,C,H,W] normalized to logits [N,C*L,H,W]."""
    c = shape['imageShape'][2]
    h, out = shape['hiddenDim'] * c, shape['outDim'] * c
    return torch.nn.Sequential(
        MaskedConv(c, 2 * h, c, shape['firstKernelSize'], 'A'),
        *[Block(h, c) for _ in range(shape['numBlocks'])],
        torch.nn.ReLU(), MaskedConv(2 * h, out, c), torch.nn.ReLU(), MaskedConv(out, out, c),
        MaskedConv(out, shape['levels'] * c, c),
    ).to(memory_format=torch.channels_last)
