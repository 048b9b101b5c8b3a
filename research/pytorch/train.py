"""Trains a network of pixelcnn-layers: `python train.py --help`.

The recipe is that of examples/train.mjs: Adam, 16 images a step, a learning rate of 1e-3 that decays, an average of the weights.
Processes that torch.distributed.run starts share each batch, and together do what one process does with all of it.
"""
import copy
import functools
import glob
import json
import math
import os
import sys
import time
import zlib

import numpy as np
import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from data import hold_out, mutate, orient, read_dataset
from distributions import bits_per_dim, normalize
from flags import read_flags, stop
from from_data import initialize_from_data
from networks import make

GradScaler = torch.amp.GradScaler if hasattr(torch.amp, 'GradScaler') else torch.cuda.amp.GradScaler  # before PyTorch 2.3
SMOOTHING = 0.98  # of the training figure shown: about the last 50 steps
CHECKPOINT = 'checkpoint.safetensors'
BEST = 'best.safetensors'
MAX_NAMES = 3  # of weights, in an error


class Ranks:
    """This process among those that torch.distributed.run has started; alone without it."""

    def __init__(self, device):
        self.rank, self.count = (int(os.environ.get(name, default)) for name, default in [('RANK', 0), ('WORLD_SIZE', 1)])
        self.is_first = self.rank == 0
        self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        if self.device.type == 'cuda':
            self.device = torch.device('cuda', int(os.environ.get('LOCAL_RANK', 0)))
            torch.cuda.set_device(self.device)
        if self.count > 1:
            dist.init_process_group('nccl' if self.device.type == 'cuda' else 'gloo')

    def sum(self, tensor):
        if self.count > 1:
            dist.all_reduce(tensor)
        return tensor

    def barrier(self):
        if self.count > 1:
            dist.barrier()

    def close(self):
        self.barrier()
        if self.count > 1:
            dist.destroy_process_group()

    def part(self, places):
        """This process's share of a batch."""
        return places[len(places) * self.rank // self.count : len(places) * (self.rank + 1) // self.count]


# Data


@functools.lru_cache(2)
def epoch_order(count, seed, epoch):
    return np.random.default_rng([seed, epoch]).permutation(count)


@functools.lru_cache(2)
def epoch_noise(count, seed, epoch):
    return np.random.default_rng([seed, epoch, 1]).random(count)


def batch_of(images, step, batch, run, part=lambda places: places):
    """The images of a step, or a part of them, in orientations if the network is told of these, and with random values for a background
    model. Epochs, each with an order and noise of its own, follow each other without end, so all that this has of state is the step."""
    count = len(images.levels)
    places = part(range(step * batch, (step + 1) * batch))
    in_turn = lambda of_epoch: np.array([of_epoch(count, run['seed'], place // count)[place % count] for place in places])
    shown = orient(images.at(in_turn(epoch_order)), in_turn(epoch_noise), run['orientations'])
    return mutate(shown, run['mutate'], [[run['seed'], place, 2] for place in places]) if run['mutate'] else shown


def tensors_of(images, device, conditions):
    """Levels [n,C,H,W], channels last in memory, and by their names the conditions that a network takes: classes [n], vectors
    [n,K], codes [n,h,w]."""
    levels = torch.from_numpy(images.levels if images.levels.dtype == np.uint8 else images.levels.astype(np.int32))
    levels = levels.to(device).int().permute(0, 3, 1, 2)  # [n,H,W,C] -> [n,C,H,W]
    numbers = {name: getattr(images, name).astype(np.float32 if name == 'vectors' else np.int64) for name in conditions}
    return levels, {name: torch.from_numpy(array).to(device) for name, array in numbers.items()}


def checksum_of(sets):
    arrays = [images.levels for images in sets]
    arrays += [array for images in sets for array in (images.codes, images.vectors) if array is not None]
    return functools.reduce(lambda sum, array: zlib.crc32(array.tobytes(), sum), arrays, 0)


def check_codes(run, train, test):
    if train.codes is None:
        stop(f"--codes: '{run['path']}' has no train-codes.npy and test-codes.npy")
    highest = max(train.codes.max(), test.codes.max())
    if highest >= run['codes']:
        stop(f"--codes: wanted codes 0 to {run['codes'] - 1}, got {highest}")


# Network


def network_of(run, images):
    """The factory's name and arguments, as the library has them."""
    own_classes = int(images.classes.max()) + 1 if run['conditional'] else 1
    classes = {'numClasses': own_classes * (run['orientations'] or 1)} if run['conditional'] or run['orientations'] else {}
    if run['vectors']:
        classes = {'conditionSize': images.vectors.shape[1]}
    common = {'imageShape': list(images.levels.shape[1:]), 'levels': images.num_levels, 'dropout': run['dropout'], **classes}
    if run['model'] == 'gpt':
        return 'imageGPT', {**common, **{name: run[name] for name in ('width', 'heads', 'layers', 'norm', 'activation', 'residual')}}
    output = run['output'] or ({'components': 10} if run['model'] == 'plus-plus' else 'softmax')
    if run['model'] == 'plus-plus':
        return 'pixelCNNPlusPlus', {**common, 'filters': run['filters'], 'numResnets': run['resnets'], 'output': output}
    if run['model'] == 'pixelsnail':
        sizes = {'filters': run['filters'], 'numBlocks': run['blocks'], 'kernelSize': run['kernel'], 'outResBlocks': run['out_res_blocks']}
        blocks = {'numResBlocks': run['res_blocks'], 'resFilters': run['res_filters']}
        attention = {'attention': False} if run['no_attention'] else {'heads': run['heads']}
        codes = {'levels': run['codes'], 'resBlocks': run['code_blocks'], 'resFilters': run['code_filters']}
        condition = {'codeCondition': {**codes, 'shape': list(images.codes.shape[1:])}} if run['codes'] else {}
        meaning = {'input': run['input'] or 'oneHot', 'output': output}
        return 'pixelSNAIL', {**common, **sizes, **blocks, **attention, **condition, **meaning}
    sizes = {'hiddenDim': run['hidden'], 'outDim': run['out_dim'], 'numBlocks': run['blocks']}
    kernels = {'firstKernelSize': run['first_kernel'], 'kernelSize': run['kernel']}
    name = 'gatedPixelCNN' if run['model'] == 'gated' else 'pixelCNN'
    return name, {**common, **sizes, **kernels, 'input': run['input'] or ('oneHot' if run['palette'] else 'scaled'), 'output': output}


def load_weights(model, file):
    try:
        load_all(model, load_file(file))
    except Exception as error:  # of the file, or of its names and shapes
        stop(f'--weights: {file}: {error}')


def load_all(model, tensors):
    """All weights of a network, or where they are not its own a ValueError that lists what is wrong."""
    own = model.state_dict()
    both = [name for name in own if name in tensors]
    shapes = [(name, list(own[name].shape), list(tensors[name].shape)) for name in both]
    problems = {
        'missing': [name for name in own if name not in tensors],
        'left over': [name for name in tensors if name not in own],
        'of another shape': [f'{name}: wanted {wanted}, got {got}' for name, wanted, got in shapes if wanted != got],
    }
    if any(problems.values()):
        listed = lambda names: ', '.join(names[:MAX_NAMES]) + (f' and {len(names) - MAX_NAMES} more' if len(names) > MAX_NAMES else '')
        parts = [f'{what} ({len(names)}): {listed(names)}' for what, names in problems.items() if names]
        raise ValueError(f"not those of the network: {'; '.join(parts)}")
    model.load_state_dict(tensors)


@torch.no_grad()
def update_average(average, model, step, decay):
    kept = min(decay, (1 + step) / (10 + step))
    for mean, weight in zip(average.parameters(), model.parameters()):
        mean.lerp_(weight, 1 - kept)


@torch.no_grad()
def evaluate(model, images, count, ranks, conditions):
    """Bits per dimension, the mean over the first `count` images, each of which one process looks at, and its standard error."""
    own = np.arange(ranks.rank, min(count or len(images.levels), len(images.levels)), ranks.count)
    total = torch.zeros(3, dtype=torch.float64, device=ranks.device)  # bits, their squares, images
    for start in range(0, len(own), 64):
        levels, condition = tensors_of(images.at(own[start : start + 64]), ranks.device, conditions)
        bits = bits_per_dim(model(normalize(levels, images.num_levels), **condition), levels, model.distribution)
        bits = bits.double()
        total += torch.tensor([bits.sum().item(), bits.square().sum().item(), len(bits)], dtype=torch.float64, device=ranks.device)
    bits, squares, seen = ranks.sum(total).tolist()
    mean = bits / seen
    return mean, math.sqrt(max(0, squares / seen - mean**2) / max(1, seen - 1))


# Files


def write_whole(path, write):
    """Never half of a file under its name, whatever ends the program."""
    temporary = f'{path}.{os.getpid()}.tmp'
    write(temporary)
    with open(temporary, 'rb+') as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_json(path, value):
    def write(file):
        with open(file, 'w') as opened:
            opened.write(json.dumps(value, indent=2) + '\n')

    write_whole(path, write)


def write_tensors(path, tensors, metadata):
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, lambda file: save_file(tensors, file, {key: str(value) for key, value in metadata.items()}))


def states_of(model, average, optimizer):
    """All tensors of a run, by names that begin with whose they are."""
    tensors = {f'model.{name}': weight for name, weight in model.state_dict().items()}
    tensors.update({f'average.{name}': weight for name, weight in average.state_dict().items()})
    for name, weight in model.named_parameters():
        tensors.update({f'adam.{name}.{key}': value for key, value in optimizer.state[weight].items()})
    return tensors


def restore(tensors, model, average, optimizer):
    of = lambda prefix: {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    load_all(model, of('model.'))
    load_all(average, of('average.'))
    states = {i: of(f'adam.{name}.') for i, (name, _) in enumerate(model.named_parameters())}
    for state, weight in zip(states.values(), model.parameters()):
        if not ('step' in state and state['exp_avg'].shape == state['exp_avg_sq'].shape == weight.shape):
            raise ValueError('the state of Adam is not that of the network')
    optimizer.load_state_dict({**optimizer.state_dict(), 'state': states})


def read_checkpoint(out):
    """Its tensors, and what else a run is. Nothing in the file can be code."""
    path = os.path.join(out, CHECKPOINT)
    if not os.path.exists(path):
        stop(f'--resume: there is no run in {out}')
    try:
        with safe_open(path, 'pt') as file:
            tensors, kept = {name: file.get_tensor(name) for name in file.keys()}, json.loads((file.metadata() or {}).get('state', '{}'))
        missing = {'run', 'step', 'checksum', 'smoothed', 'history', 'seconds', 'scaler'} - kept.keys()
        if missing:
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
        return tensors, kept
    except Exception as error:
        stop(f'--resume: {path} cannot be read: {error}')


# Training


def main(argv):
    given, flags = read_flags(argv)
    out = flags['out']
    path = lambda name: os.path.join(out, name)
    ranks = Ranks(flags['device'])
    device = ranks.device
    tensors, kept = read_checkpoint(out) if flags['resume'] else ({}, None)
    if kept is None and os.path.exists(path(CHECKPOINT)):
        stop(f'--out: {out} holds a run; --resume continues it, or give another --out')
    run = {**flags, **kept['run'], **given} if kept else flags
    step = kept['step'] if kept else 0
    if run['steps'] < step:
        stop(f"--steps: the run has done {step}, got '{run['steps']}'")
    if run['batch'] < ranks.count:
        stop(f"--batch: wanted an image for each of {ranks.count} processes, got '{run['batch']}'")
    try:
        train, test, *own = read_dataset(run['data'], run['path'], run['levels'], run['palette'])
    except (ValueError, ImportError) as error:
        stop(str(error))
    if run['conditional'] and train.classes is None:
        lacking = ': wanted train-labels.npy and test-labels.npy in the directory --path' if run['data'] == 'npy' else ''
        stop(f"--conditional: {run['data']} has no classes{lacking}")
    if run['codes']:
        check_codes(run, train, test)
    if run['vectors'] and train.vectors is None:
        stop(f"--vectors: '{run['path']}' has no train-vectors.npy and test-vectors.npy")
    height, width = train.levels.shape[1:3]
    if run['orientations'] == 8 and height != width:
        stop(f'--orientations 8: wanted square images, got {height}x{width}')
    if not run['conditional']:
        train, test, *own = (images._replace(classes=None) for images in [train, test, *own])
    conditions = ['classes'] * bool(run['conditional'] or run['orientations'])
    conditions += [name for name in ('codes', 'vectors') if run[name]]
    checksum = checksum_of([train, test, *own])
    if kept and kept['checksum'] != checksum:
        stop(f"--resume: {run['data']} differs from the data that the run began with")

    if run['validation'] >= len(train.levels):
        stop(f"--validation: {run['data']} has {len(train.levels)} training images, got '{run['validation']}'")
    if run['validation'] and own:
        stop(f"--validation: {run['data']} has {len(own[0].levels)} validation images of its own")
    name, args = network_of(run, train)  # of all classes, also where none of one is left to train on
    if run['validation']:
        train, *own = hold_out(train, run['validation'])
    judge, judged = ('validation', own[0]) if own else ('test', test)
    as_given = lambda images: orient(images, np.random.default_rng(0).random(len(images.levels)), run['orientations'])
    judged, test = as_given(judged), as_given(test)  # each image in one orientation, always the same

    torch.manual_seed(run['seed'])
    try:
        model = make(name, args).to(device, memory_format=torch.channels_last)
    except ValueError as error:
        stop(f'{name}: {error}')
    if run['weights'] and not kept:
        load_weights(model, run['weights'])
    if run['from_data'] and not kept:
        levels, condition = tensors_of(batch_of(train, 0, run['from_data'], run), device, conditions)
        initialize_from_data(model, normalize(levels, train.num_levels), **condition)
    average = copy.deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), lr=run['learning_rate'], eps=1e-7)
    is_half = device.type == 'cuda' and not (run['float32'] or run['bfloat16'])
    scaler = GradScaler(enabled=is_half)
    smoothed, history, seconds, cpu_seconds = torch.zeros((), device=device), [], 0.0, 0.0
    if kept:
        try:
            restore(tensors, model, average, optimizer)
        except (RuntimeError, KeyError, ValueError) as error:
            stop(f'--resume: {path(CHECKPOINT)} cannot be read: {error}')
        if is_half and kept['scaler']:
            scaler.load_state_dict(kept['scaler'])
        smoothed.fill_(kept['smoothed'])
        history, seconds, cpu_seconds = kept['history'], kept['seconds'], kept.get('cpu_seconds', 0.0)
    trained = model
    if ranks.count > 1:
        devices = [device.index] if device.type == 'cuda' else None
        trained = torch.nn.parallel.DistributedDataParallel(model, device_ids=devices)

    if ranks.is_first:
        os.makedirs(out, exist_ok=True)
        for left in glob.glob(path('*.tmp')) + ([] if kept else glob.glob(path(BEST))):  # by a kill; the best of no checkpoint is of no run
            os.remove(left)
        told = {key: run[key] for key in ('palette', 'orientations') if run[key]}
        write_json(path('network.json'), {'model': name, 'args': args, **told})
        weights = sum(weight.numel() for weight in model.parameters())
        print(f"{name} of {weights} weights on {len(train.levels)} images {args['imageShape']} of {train.num_levels} levels, "
              f"{run['batch']} a step, {ranks.count} x {device.type}, from step {step}", flush=True)  # fmt: skip

    def save():
        """Evaluates the average, and keeps all that the run is."""
        nonlocal seconds, cpu_seconds, since, cpu_since
        bits, _ = evaluate(average, judged, run['eval_images'], ranks, conditions)
        train_bits = ranks.sum(smoothed.clone()).item() / ranks.count
        if not (math.isfinite(bits) and math.isfinite(train_bits)):
            stop(f'step {step}: the loss is not a number; the last checkpoint is as it was')
        seconds, since = seconds + time.time() - since, time.time()
        own_cpu = torch.tensor(time.process_time() - cpu_since, dtype=torch.float64, device=device)
        cpu_seconds, cpu_since = cpu_seconds + ranks.sum(own_cpu).item(), time.process_time()
        is_best = bits < min((before[f'{judge}Bits'] for before in history), default=math.inf)
        history.append({'step': step, 'trainBits': train_bits / (1 - SMOOTHING**step), f'{judge}Bits': bits, 'seconds': seconds, 'cpuSeconds': cpu_seconds})
        if not ranks.is_first:
            return bits
        metadata = {'format': 'pt', 'model': name, 'args': json.dumps(args), 'data': run['data'], 'step': step}
        write_tensors(path('weights.safetensors'), model.state_dict(), metadata)
        metadata[f'{judge}_bits_per_dim'] = bits
        write_tensors(path('average.safetensors'), average.state_dict(), metadata)
        if own and is_best:
            write_tensors(path(BEST), average.state_dict(), metadata)
        write_json(path('metrics.json'), history)
        state = {'run': run, 'step': step, 'checksum': checksum, 'smoothed': train_bits, 'history': history,
                 'seconds': seconds, 'cpu_seconds': cpu_seconds}  # fmt: skip
        state['scaler'] = scaler.state_dict()
        write_tensors(path(CHECKPOINT), states_of(model, average, optimizer), {'state': json.dumps(state)})
        return bits

    bits = history[-1][f'{judge}Bits'] if history else None
    since, cpu_since = time.time(), time.process_time()  # the latter of all threads of a process
    progress = tqdm(total=run['steps'], initial=step, unit='step', disable=None if ranks.is_first else True)
    while step < run['steps']:
        levels, condition = tensors_of(batch_of(train, step, run['batch'], run, ranks.part), device, conditions)
        if run['dropout'] > 0:  # noise of its own for each step and process
            torch.manual_seed(int(np.random.SeedSequence([run['seed'], step, ranks.rank]).generate_state(1)[0]))
        for group in optimizer.param_groups:
            group['lr'] = run['learning_rate'] * run['decay'] ** step
        with torch.autocast(device.type, dtype=torch.float16 if is_half else torch.bfloat16, enabled=is_half or run['bfloat16']):
            outputs = trained(normalize(levels, train.num_levels), **condition)
        # Gradients are averaged over processes, of which each may have another number of images.
        loss = bits_per_dim(outputs, levels, model.distribution).sum() * (ranks.count / run['batch'])
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        if run['clip']:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), run['clip'])
        scaler.step(optimizer)
        scaler.update()
        update_average(average, model, step, run['average'])
        step += 1
        smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * loss.detach()
        progress.update()
        if step % 10 == 0:  # a GPU is not made to wait at each step
            now = smoothed.item() / (1 - SMOOTHING**step)
            if not math.isfinite(now):
                stop(f'step {step}: the loss is {now}; the last checkpoint is as it was')
            progress.set_postfix_str(f'{now:.3f} bits/dim', refresh=False)
        if step % run['every'] == 0 or step == run['steps']:
            bits = save()
    progress.close()
    kept_as = 'average.safetensors'
    if own:
        ranks.barrier()  # the best weights may be written just now
        load_all(average, load_file(path(BEST)))
        (bits, error), kept_as = evaluate(average, test, None, ranks, conditions), BEST
        if ranks.is_first:
            best = min(history, key=lambda line: line['validationBits'])
            write_json(path('metrics.json'), [*history, {'best': best['step'], 'testBits': bits, 'testError': error}])
    if ranks.is_first:
        print(f"test bits/dim: {bits:.3f} by the average of the weights, {path(kept_as)}")
    del trained  # it holds on to the processes' connections
    ranks.close()


if __name__ == '__main__':
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        stop('interrupted; --resume continues from the last checkpoint')
    except OSError as error:
        stop(str(error))
