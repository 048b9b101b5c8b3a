"""What the networks of research/pytorch compute: reads jobs as JSON from stdin, and writes safetensors where they say.

A job has `model` and `args`, as a factory of the library takes them, but for `block`, the arguments of `block_of`, and `directory`, with given.safetensors: the weights, levels [N,H,W,C]
and, where there are, classes [N], vectors [N,K] and codes [N,h,w]. It gets outputs.safetensors: `outputs` [N,H,W,P] and `nats` [N,H,W,C] by these weights; and twin.safetensors:
the weights of a twin of its own, whose are `own_outputs` and `own_nats`; initial.safetensors: what it began with. Where the job says so, begun.safetensors has the given weights once the
network has begun from these images.

Prints what is to be checked of mixtures whose parameters are far out.
"""
import json
import math
import os
import sys

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../research/pytorch'))
from distributions import Mixture, normalize  # noqa: E402
from from_data import initialize_from_data  # noqa: E402
from layers import Conv, centered  # noqa: E402
from networks import in_python, make  # noqa: E402
from pixelcnn import GatedResBlock  # noqa: E402

torch.set_num_threads(1)
to_library = lambda x: x.permute(0, 2, 3, 1).contiguous()  # [N,C,H,W] -> [N,H,W,C]


def block_of(shift=None, **own):
    """Blocks of PixelCNN++ down and to the right with a shift, else single convolutions."""
    if shift:
        return lambda features, **_: GatedResBlock(2 * features, 'down_right', 0, 0.0, None, **own)
    return lambda features, kernel_size, channels, **_: Conv(2 * features, 2 * features, centered(kernel_size, 'B', channels, **own))


for job in json.load(sys.stdin):
    path = lambda name: os.path.join(job['directory'], f'{name}.safetensors')
    torch.manual_seed(1)
    if 'block' in job['args']:
        job['args']['block'] = block_of(**in_python(job['args']['block']))
    model = make(job['model'], job['args']).eval()
    given = load_file(path('given'))
    levels = given.pop('levels').permute(0, 3, 1, 2)  # [N,H,W,C] -> [N,C,H,W]
    conditions = {name: given.pop(name) for name in ('classes', 'vectors', 'codes') if name in given}
    conditions = {name: one if one.is_floating_point() else one.long() for name, one in conditions.items()}

    @torch.no_grad()
    def run():
        outputs = model(normalize(levels, model.distribution.levels), **conditions)
        return to_library(outputs), to_library(model.distribution.nats(outputs, levels))

    weights = lambda: {name: weight.clone() for name, weight in model.state_dict().items()}
    save_file(weights(), path('initial'))
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn_like(weight)  # biases are 0 at first
    save_file(weights(), path('twin'))
    results = dict(zip(('own_outputs', 'own_nats'), run()))
    model.load_state_dict(given)
    results.update(zip(('outputs', 'nats'), run()))
    save_file(results, path('outputs'))
    if job.get('fromData'):
        initialize_from_data(model, normalize(levels, model.distribution.levels), **conditions)
        save_file(weights(), path('begun'))


def far_out(num_levels, components=3, pixels=2000):
    """By how much the probabilities of levels miss 1 at most, and whether all gradients are numbers."""
    parameters = 5 * torch.randn(1, 3 * components, 1, pixels)
    parameters[:, 2 * components :] = torch.linspace(-20, 120, pixels)  # log scales
    parameters.requires_grad_()
    mixture = Mixture(1, num_levels, components)
    nats = [mixture.nats(parameters, torch.full((1, 1, 1, pixels), level)) for level in range(num_levels)]
    sums = torch.logsumexp(-torch.stack(nats).double(), 0)  # [L,1,1,1,pixels] -> [1,1,1,pixels]
    sum(nats).mean().backward()
    return {'miss': sums.exp().sub(1).abs().max().item(), 'hasGradients': math.isfinite(parameters.grad.abs().sum().item())}


print(json.dumps([far_out(num_levels) for num_levels in (2, 17, 256)]))
