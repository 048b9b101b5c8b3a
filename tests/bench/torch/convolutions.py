"""Masked convolutions as one would write them in PyTorch."""
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


class Masked(torch.nn.Conv2d):
    """A convolution whose weights are masked in every pass, unless all of them are seen."""

    def __init__(self, mask, padding=0):
        features_out, features_in, *size = mask.shape
        super().__init__(features_in, features_out, size, padding=padding)
        self.register_buffer('mask', mask)
        self.is_masked = bool(mask.all())

    def mask_once(self):
        """Masks the weights now, for passes that do not train them."""
        self.weight.data *= self.mask
        self.is_masked = True

    def forward(self, x):
        return self._conv_forward(x, self.weight if self.is_masked else self.weight * self.mask, self.bias)


class MaskedConv(Masked):
    """The convolution of PixelCNN."""

    def __init__(self, features_in, features_out, channels, size=1, kind='B'):
        super().__init__(causal_mask(features_out, features_in, size, kind, channels), padding=size // 2)


class VerticalConv(torch.nn.Conv2d):
    """Sees the rows above, with kind B the current one too, whole: its kernel has no others, and zeros are put above."""

    def __init__(self, features_in, features_out, size, kind):
        half, own_row = size // 2, int(kind == 'B')
        super().__init__(features_in, features_out, (half + own_row, size))
        self.pads = (half, half, half, own_row - 1)  # left, right, above, below: without its own row the last one is cut off

    def forward(self, x):
        return super().forward(F.pad(x, self.pads))


class HorizontalConv(Masked):
    """Sees the pixels to the left and of its own what a channel may: zeros are put to the left. Its features are two halves, of all channels each."""

    def __init__(self, features_in, features_out, channels, size, kind):
        half, own_pixel = size // 2, int(kind == 'B' or channels > 1)
        mask = causal_mask(features_out // 2, features_in, size, kind, channels)[:, :, half : half + 1, : half + own_pixel]
        super().__init__(mask.repeat(2, 1, 1, 1))
        self.pads = (half, own_pixel - 1, 0, 0)

    def forward(self, x):
        return super().forward(F.pad(x, self.pads))
