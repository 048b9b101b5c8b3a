"""What PixelSNAIL of research/pytorch computes from the state dicts in tests/golden/pixelsnail, beside what the public repository that
wrote them computes: prints the largest differences, [{"name", "logits", "nats"}, ...].
"""
import json
import os
import re
import sys

import torch
from safetensors.torch import load_file

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path.insert(0, os.path.join(TESTS, '../research/pytorch'))
from distributions import normalize  # noqa: E402
from pixelsnail import PixelSNAIL  # noqa: E402

torch.set_num_threads(1)

# That repository's names of layers, as patterns, and ours.
LAYERS = {
    r'horizontal\.conv': r'stem_above',  # named there by the shape of the window
    r'vertical\.conv': r'stem_left',
    r'blocks\.(\d+)\.resblocks\.(\d+)\.': r'block\1_res\2.',
    r'blocks\.(\d+)\.key_resblock\.': r'block\1_keys.',
    r'blocks\.(\d+)\.query_resblock\.': r'block\1_queries.',
    r'blocks\.(\d+)\.causal_attention\.': r'block\1_attention.',
    r'blocks\.(\d+)\.out_resblock\.': r'block\1_out.',
    r'blocks\.(\d+)\.out\.': r'block\1_out.',
    r'cond_resnet\.blocks\.0': r'codes_conv',
    r'cond_resnet\.blocks\.(\d+)\.': lambda found: f'codes_res{int(found[1]) - 1}.',
    r'out\.(\d+)\.(?=conv\d)': r'out_res\1.',
    r'out\.\d+(?=\.conv\.)': r'final_conv',
}
PARTS = {'conv1': 'conv_in', 'aux_conv': 'conv_skip', 'conv2': 'conv_out'}


def renamed(tensors):
    """Their tensors under our names and in our shapes."""
    ours = {}
    for name, tensor in tensors.items():
        if name == 'background':  # the position, no weight
            continue
        for pattern, layer in LAYERS.items():
            name = re.sub('^' + pattern, layer, name)
        name = re.sub(r'(\.conv)+\.(?=weight|bias)', '.', name)
        name = re.sub(r'\b(conv1|aux_conv|conv2)\b', lambda found: PARTS[found[0]], name)
        ours[name.replace('weight_v', 'kernel').replace('weight_g', 'gain')] = tensor
    for name in [name for name in ours if name.endswith('.condition.gain')]:  # weight-normed there, plain here
        kernel = name.replace('gain', 'kernel')
        ours[kernel] = ours.pop(name) * ours[kernel] / ours[kernel].flatten(1).norm(dim=1)[:, None, None, None]
    for name, tensor in ours.items():
        if name.endswith('gain'):
            ours[name] = tensor.flatten()  # [out,1,1,1] or [out,1] -> [out]
        elif name.endswith('kernel') and tensor.dim() == 2:
            ours[name] = tensor[:, :, None, None]  # [out,in] -> [out,in,1,1]
    return ours


def tensor_of(golden):
    return torch.tensor(golden['data']).reshape(golden['shape'])


def differences(name):
    path = os.path.join(TESTS, 'golden/pixelsnail', name)
    with open(f'{path}.json') as file:
        golden = json.load(file)
    config, condition = golden['config'], golden.get('condition')
    code_condition = condition and {
        'levels': config['levels'],
        'shape': condition['shape'][1:],
        'res_blocks': config['condResBlocks'],
        'res_filters': config['condResChannel'],
    }
    model = PixelSNAIL(
        image_shape=config['imageShape'], levels=config['levels'], filters=config['channel'], kernel_size=config['kernelSize'],
        num_blocks=config['numBlocks'], num_res_blocks=config['numResBlocks'], res_filters=config['resChannel'],
        attention=config['attention'], heads=config['heads'], out_res_blocks=config['outResBlocks'], code_condition=code_condition,
    ).eval()  # fmt: skip
    model.load_state_dict(renamed(load_file(f'{path}.safetensors')))
    codes = tensor_of(golden['codes'])[:, None]  # [N,H,W] -> [N,1,H,W]
    with torch.no_grad():
        logits = model(normalize(codes, config['levels']), codes=condition and tensor_of(condition))  # [N,L,H,W]
        nats = model.distribution.nats(logits, codes).sum((1, 2, 3))  # [N,1,H,W] -> [N]
    expected = tensor_of(golden['logits']).permute(0, 3, 1, 2)  # [N,H,W,L] -> [N,L,H,W]
    miss = lambda ours, theirs: (ours - theirs).abs().max().item()
    theirs = torch.tensor(golden['nll_nats_per_image'])
    return {'name': name, 'logits': miss(logits, expected), 'nats': miss(nats / theirs, 1)}


print(json.dumps([differences(name) for name in ('snail', 'snail_cond', 'snail_fine')]))
