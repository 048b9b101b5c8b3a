"""The gains and biases that weight-normed networks begin with: Salimans, Kingma, "Weight normalization" (2016), section 3."""
import torch

from layers import Conv


def initialize_from_data(model, images, **conditions):
    """Sets gains and biases of weight-normed convolutions, layer by layer, so that the outputs of each have mean 0 and its
    initial scale as their standard deviation over these images [N,C,H,W], in [0, 1]. Before training, if at all."""

    def begin(conv, inputs, y):  # y [N,out,H,W], of gain 1 and bias 0
        variance, mean = torch.var_mean(y, (0, 2, 3), unbiased=False)  # [out], both
        is_constant = variance <= 1e-10 * (1 + mean.square())
        conv.gain.copy_(torch.where(is_constant, conv.gain, conv.initial_scale / variance.sqrt()))
        conv.bias.copy_(-mean * conv.gain)
        return y * conv.gain[:, None, None] + conv.bias[:, None, None]

    convs = [part for part in model.modules() if isinstance(part, Conv) and part.gain is not None]
    with torch.no_grad():
        for conv in convs:
            conv.gain.fill_(1)
            conv.bias.zero_()
        hooks = [conv.register_forward_hook(begin) for conv in convs]
        model(images, **conditions)
        for hook in hooks:
            hook.remove()
