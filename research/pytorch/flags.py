"""The command line of train.py, with the names of that of examples/train.mjs."""
import argparse
import json
import math
import re
import sys

from data import READERS

ABOUT = """Trains a network of pixelcnn-layers with PyTorch, on one machine or many, and writes weights that the library loads.

  python train.py --data fashion-mnist --levels 16 --out runs/fashion [flags]
  python train.py --resume --out runs/fashion [--steps N]
  python -m torch.distributed.run --nproc_per_node 8 train.py [flags]     on 8 GPUs, or that many processes"""


def whole(least, odd=False):
    def read(text):
        if re.fullmatch(r'\d+', text) and int(text) >= least and (not odd or int(text) % 2 == 1):
            return int(text)
        raise argparse.ArgumentTypeError(f"wanted {'an odd' if odd else 'a whole'} number of at least {least}, got '{text}'")

    return read


def number(wanted, accepts):
    def read(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if accepts(value) and math.isfinite(value):
            return value
        raise argparse.ArgumentTypeError(f"wanted a number {wanted}, got '{text}'")

    return read


positive = number('above 0', lambda x: x > 0)
fraction = number('from 0, below 1', lambda x: 0 <= x < 1)


def one_of(*names):
    def read(text):
        if text in names:
            return text
        raise argparse.ArgumentTypeError(f"wanted {', '.join(names)}, got '{text}'")

    return read


def name_or_size(*names, **sized):
    """One of the names, or one with a size: embedding:32 becomes {'embedding': 32}, as the library takes it."""

    def read(text):
        name, _, size = text.partition(':')
        if name in sized and re.fullmatch(r'[1-9]\d*', size):
            return {sized[name]: int(size)}
        return one_of(*names, *(f'{name}:N' for name in sized))(text)

    return read


def orientations(text):
    return int(one_of('4', '8')(text))


def palette(path):
    """Red, green and blue of each level, in hexadecimal, as the settings of a run hold them."""
    try:
        with open(path) as file:
            text = json.load(file)['palette']
        if not re.fullmatch(r'([0-9a-f]{6}){2,}', text):
            raise ValueError('its palette is not of six hexadecimal digits a colour')
        return text
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise argparse.ArgumentTypeError(f"wanted the run.json of a run of train.mjs with --palette, got '{path}': {error!r}")


# Each flag by its name: how it is read, what it is by default, and what it is.
FLAGS = {
    'data': (one_of(*READERS), None, ', '.join(READERS)),
    'path': (str, None, 'where they are, for data sets that are not found by themselves'),
    'levels': (whole(2), None, 'intensities, to which the data are quantized; of npy, how many there are'),
    'palette': (palette, None, 'of RGB images: the levels are the colours in this run.json of a run of train.mjs with --palette'),
    'model': (one_of('pixelcnn', 'gated', 'plus-plus', 'pixelsnail', 'gpt'), 'pixelcnn', 'pixelcnn, gated, plus-plus, pixelsnail, gpt'),
    'orientations': (orientations, None, 'conditions the network, but for pixelcnn, on the orientation in which an image is seen, drawn anew each time: 4, rows and columns flipped or not, or 8, also exchanged'),
    'filters': (whole(1), 32, 'of plus-plus and pixelsnail: features of each map'),
    'resnets': (whole(1), 2, 'of plus-plus: blocks at each resolution'),
    'res-blocks': (whole(0), 2, 'of pixelsnail: residual blocks before each attention'),
    'res-filters': (whole(1), 32, 'of pixelsnail: features inside of a residual block'),
    'out-res-blocks': (whole(0), 0, 'of pixelsnail: residual blocks at the end'),
    'heads': (whole(1), 8, 'of pixelsnail and gpt: heads of each attention'),
    'width': (whole(1), 32, 'of gpt: features of each place'),
    'layers': (whole(1), 4, 'of gpt: blocks, each of an attention and an MLP'),
    'norm': (one_of('layer', 'rms'), 'layer', 'of gpt: layer, rms'),
    'activation': (one_of('gelu', 'quickGelu'), 'gelu', 'of gpt: gelu, quickGelu'),
    'residual': (one_of('input', 'normalized'), 'input', 'of gpt: what attention is added to: input, normalized'),
    'codes': (whole(2), None, 'of pixelsnail: conditions it on coarser maps of N codes, train-codes.npy and test-codes.npy'),
    'code-blocks': (whole(0), 2, 'of pixelsnail: residual blocks that read the codes'),
    'code-filters': (whole(1), 32, 'of pixelsnail: features of the codes'),
    'from-data': (whole(1), None, 'of plus-plus and pixelsnail: sets gains and biases from N training images before the first step'),
    'hidden': (whole(1), 16, 'of pixelcnn and gated: features of a block, for each channel'),
    'out-dim': (whole(1), 32, 'of pixelcnn and gated: features of the layers after the blocks, for each channel'),
    'blocks': (whole(0), 5, 'residual blocks; of pixelsnail: blocks of residual blocks and an attention'),
    'first-kernel': (whole(1, odd=True), 7, 'of pixelcnn and gated: side of the first kernel, odd'),
    'kernel': (whole(1, odd=True), 3, "side of the blocks' kernels, odd"),
    'input': (name_or_size('scaled', 'oneHot', embedding='embedding'), None, 'scaled, oneHot, embedding:N (scaled; of pixelsnail, and with --palette, oneHot)'),
    'output': (name_or_size('softmax', 'gaussian', mixture='components'), None, 'softmax, gaussian, mixture:K; of plus-plus mixture:10 by default'),
    'mutate': (fraction, 0.0, 'probability with which a value of a training image is any level instead, drawn anew in each epoch, for a background model'),
    'dropout': (fraction, 0.0, 'probability with which blocks drop features, and attention its weights, in training'),
    'weights': (str, None, 'safetensors to begin with, from here or from the library'),
    'steps': (whole(1), 2000, ''),
    'batch': (whole(1), 16, 'images a step, of all processes together'),
    'learning-rate': (positive, 1e-3, 'of the first step'),
    'decay': (number('above 0, at most 1', lambda x: 0 < x <= 1), 0.999995, 'factor from step to step'),
    'average': (fraction, 0.999, 'how much of the average of weights is kept at each step'),
    'clip': (positive, None, 'scales gradients down to this norm'),
    'seed': (whole(0), 1, 'of weights, dropout and order'),
    'device': (one_of('cuda', 'cpu'), None, 'cuda, cpu (cuda where there is one)'),
    'every': (whole(1), 500, 'evaluates and saves each N steps'),
    'validation': (whole(0), 0, 'holds N training images out, evaluates on those, and keeps the best weights: the test images are left for the end'),
    'eval-images': (whole(1), None, 'images to evaluate on, the first N of the set (all)'),
    'out': (str, None, 'where the run is kept (runs/<data>)'),
}
SWITCHES = {
    'conditional': 'conditions the network, but for pixelcnn, on the class of each image',
    'vectors': 'conditions gated or plus-plus on a vector of each image, train-vectors.npy and test-vectors.npy',
    'no-attention': 'leaves the attention of pixelsnail out',
    'float32': 'computes in float32 on GPUs too',
    'bfloat16': 'computes in bfloat16 on CPUs too, where those with AMX are two to four times as fast',
    'resume': 'continues the run in --out, exactly as if it had not stopped',
}
MAY_CHANGE = {'resume', 'out', 'path', 'steps', 'device'}  # may differ when a run continues; the run keeps all others


class Parser(argparse.ArgumentParser):
    def error(self, message):
        stop(f"{message[len('argument '):] if message.startswith('argument ') else message}; --help lists the flags")


def stop(message):
    """Ends the program with one line."""
    sys.stderr.write(' '.join(message.split()) + '\n')
    sys.exit(1)


def read_flags(argv):
    """The flags that were given, and all of them with their defaults, by names such as `first_kernel`."""
    parser = Parser(description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
                    argument_default=argparse.SUPPRESS, usage=argparse.SUPPRESS)  # fmt: skip
    for name, (read, default, about) in FLAGS.items():
        parser.add_argument(f'--{name}', type=read, help=about + (f' ({default})' if default is not None else ''))
    for name, about in SWITCHES.items():
        parser.add_argument(f'--{name}', action='store_true', help=about)
    given = vars(parser.parse_args(argv))
    flags = {name.replace('-', '_'): default for name, (_, default, _) in FLAGS.items()}
    flags.update({name.replace('-', '_'): False for name in SWITCHES}, **given)
    if flags['resume']:
        for name in sorted(given):
            if name not in MAY_CHANGE:
                stop(f"--{name.replace('_', '-')}: a resumed run keeps its own; --resume takes --out, --path, --steps and --device")
        if flags['out'] is None:
            stop('--resume: wanted --out with the directory of a run')
        return given, flags
    if flags['data'] is None:
        stop(f"--data: wanted one of {', '.join(READERS)}; --help lists the flags")
    if flags['palette'] is not None and (flags['levels'] is not None or flags['model'] == 'plus-plus'):
        stop('--palette: comes without --levels, and not with --model plus-plus')
    for name in ('conditional', 'orientations'):
        if flags[name] and flags['model'] == 'pixelcnn':
            stop(f'--{name}: comes with --model gated, plus-plus, pixelsnail or gpt')
    if flags['from_data'] is not None and flags['model'] not in ('plus-plus', 'pixelsnail'):
        stop('--from-data: comes with --model plus-plus or pixelsnail')
    if flags['float32'] and flags['bfloat16']:
        stop('--bfloat16: comes without --float32')
    if flags['codes'] is not None and (flags['model'] != 'pixelsnail' or flags['data'] != 'npy' or flags['orientations']):
        stop('--codes: comes with --model pixelsnail and --data npy, without --orientations')
    if flags['vectors'] and (flags['model'] not in ('gated', 'plus-plus') or flags['data'] != 'npy' or flags['conditional'] or flags['orientations']):
        stop('--vectors: comes with --model gated or plus-plus and --data npy, without --conditional and --orientations')
    flags['out'] = flags['out'] or f"runs/{flags['data']}"
    return given, flags
