"""Data sets as `examples/train.mjs` knows them: levels [N,H,W,C] as bytes, or beyond 256 levels as uint16, with the classes of images
where there are some. What is wrong with files is told by a ValueError.
"""
import gzip
import os
import zlib
from typing import NamedTuple, Optional

import numpy as np


class Images(NamedTuple):
    levels: np.ndarray  # [N,H,W,C]
    num_levels: int
    classes: Optional[np.ndarray] = None  # [N]
    codes: Optional[np.ndarray] = None  # [N,h,w], a coarser map of each image
    vectors: Optional[np.ndarray] = None  # [N,K]

    def at(self, places):
        return self._replace(**{name: array[places] for name, array in self._asdict().items() if isinstance(array, np.ndarray)})


EMBEDDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'kit', 'data', 'sets')
FASHION_INSTALLED = '/usr/share/datasets/fashion-mnist'  # by Debian's package dataset-fashion-mnist
IDX = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']


def digits(path, levels):
    def part(name):
        images = np.fromfile(os.path.join(EMBEDDED, f'digits-{name}-images.u8'), np.uint8)
        classes = np.fromfile(os.path.join(EMBEDDED, f'digits-{name}-labels.u8'), np.uint8)
        return Images(images.reshape(-1, 8, 8, 1), 17, classes)  # [N*64] -> [N,8,8,1]

    return part('train'), part('test')


def emoji(path, levels):
    import brotli  # only here

    with open(os.path.join(EMBEDDED, 'emoji-images.u8.br'), 'rb') as file:
        images = np.frombuffer(brotli.decompress(file.read()), np.uint8)
    return tenths(images.reshape(-1, 16, 16, 3), 256)  # [N*768] -> [N,16,16,3]


def mnist(path, levels):
    images, classes, test_images, test_classes = (read_idx(path, name) for name in IDX)
    return Images(images[..., None], 256, classes), Images(test_images[..., None], 256, test_classes)  # [N,H,W] -> [N,H,W,1]


def fashion_mnist(path, levels):
    return mnist(path or FASHION_INSTALLED, levels)


def binarized_mnist(path, levels):
    """The fixed binarization of MNIST (Salakhutdinov and Murray 2008), which has validation images of its own: the text files of 0 and 1 in
    which H. Larochelle distributed it, or their bits in bytes, the first in the highest, row by row."""
    parts = ['train', 'valid', 'test']
    texts, bits = [f'binarized_mnist_{part}.amat' for part in parts], [f'{part}.bits' for part in parts]
    wanted = f"wanted --path to a directory with {', '.join(texts)}, or with {', '.join(bits)}, each plain or .gz"
    if path is None:
        raise ValueError(wanted)
    is_text = any(os.path.exists(os.path.join(path, texts[0] + ending)) for ending in ('', '.gz'))
    try:
        files = [in_directory(path, name) for name in (texts if is_text else bits)]
    except ValueError as error:
        raise ValueError(f'{error}; {wanted}') from error
    sets = []
    for file in files:
        data = read_unpacked(file)
        is_space = np.isin(data, np.frombuffer(b' \t\r\n', np.uint8)) if is_text else None
        values = data[~is_space] - ord('0') if is_text else np.unpackbits(data)
        got = f'{len(values)}' if len(values) == 0 or len(values) % 784 else None
        if len(values) and values.max() > 1:
            place = np.flatnonzero(~is_space)[np.argmax(values > 1)]
            got = f'byte {data[place]} at {place}'
        if got:
            raise ValueError(f"'{file}': wanted images of 784 values 0 or 1, got {got}")
        sets.append(Images(values.reshape(-1, 28, 28, 1), 2))  # [N*784] -> [N,28,28,1]
    train, validation, test = sets
    return train, test, validation


def cifar_10(path, levels):
    def part(names):
        records = np.concatenate([read_unpacked(in_directory(path, name)) for name in names])
        if len(records) % 3073 != 0:
            raise ValueError(f"'{path}': wanted the binary version of CIFAR-10, of records of 3073 bytes")
        records = records.reshape(-1, 3073)  # [N*3073] -> [N,1+3*1024]
        images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # -> [N,3,32,32] -> [N,32,32,3]
        return Images(np.ascontiguousarray(images), 256, records[:, 0])

    return part([f'data_batch_{i}.bin' for i in range(1, 6)]), part(['test_batch.bin'])


def npy(path, levels):
    """A file, of which each tenth image is for the test; or a directory with train.npy and test.npy, and where there are classes
    train-labels.npy and test-labels.npy, where there are codes or vectors -codes.npy or -vectors.npy in the same way."""
    if path is None:
        raise ValueError('wanted --path to a .npy of images [N,H,W] or [N,H,W,C], or to a directory with train.npy and test.npy')
    is_directory = os.path.isdir(path)
    arrays = [read_images(in_directory(path, name)) for name in ('train.npy', 'test.npy')] if is_directory else [read_images(path)]
    highest = max(int(array.max()) for array in arrays)
    levels = levels or max(2, highest + 1)
    if highest >= levels:
        raise ValueError(f"'{path}': wanted levels 0 to {levels - 1}, got {highest}")
    if not is_directory:
        return tenths(arrays[0], levels)
    train, test = arrays
    if train.shape[1:] != test.shape[1:]:
        raise ValueError(f"'{path}': wanted training and test images of one size, got {train.shape} and {test.shape}")
    sets = []
    for part, images in (('train', train), ('test', test)):
        classes, codes, vectors = (read_beside(path, part, kind) for kind in ('labels', 'codes', 'vectors'))
        if classes is not None and (classes.shape != images.shape[:1] or classes.min() < 0 or classes.max() > 255):
            got = f'{classes.shape} of them, {classes.min()} to {classes.max()}'
            raise ValueError(f"'{path}': wanted a class 0 to 255 of each image, got {got}")
        if codes is not None and (codes.ndim != 3 or len(codes) != len(images) or codes.min() < 0):
            raise ValueError(f"'{path}': wanted codes [{len(images)},h,w] from 0, got {list(codes.shape)} from {codes.min()}")
        if vectors is not None and (vectors.ndim != 2 or len(vectors) != len(images)):
            raise ValueError(f"'{path}': wanted vectors [{len(images)},K], got {list(vectors.shape)}")
        sets.append(Images(images, levels, classes, codes, vectors))
    if sets[0].codes is not None and sets[0].codes.shape[1:] != sets[1].codes.shape[1:]:
        shapes = f'{list(sets[0].codes.shape)} and {list(sets[1].codes.shape)}'
        raise ValueError(f"'{path}': wanted training and test codes of one size, got {shapes}")
    sizes = [None if part.vectors is None else part.vectors.shape[1] for part in sets]
    if sizes[0] != sizes[1]:
        raise ValueError(f"'{path}': wanted training and test vectors of one size, got {sizes[0]} and {sizes[1]}")
    return sets


def read_beside(path, part, kind):
    """What is beside the training or test images of a directory, if there is any beside the training images."""
    if os.path.exists(os.path.join(path, f'train-{kind}.npy')):
        return read_array(in_directory(path, f'{part}-{kind}.npy'))
    return None


READERS = {'digits': digits, 'fashion-mnist': fashion_mnist, 'mnist': mnist, 'binarized-mnist': binarized_mnist, 'cifar-10': cifar_10,
           'emoji': emoji, 'npy': npy}  # fmt: skip


def read_dataset(name, path=None, levels=None, palette=None):
    """Training and test images of a data set, and its validation images if it has any, quantized to so many levels where that is fewer than they have, or as the levels of a
    palette, red, green and blue of each in hexadecimal."""
    if path is not None and name in ('digits', 'emoji'):
        raise ValueError(f'{name}: is embedded, takes no --path')
    try:
        sets = READERS[name](path, 256 if palette else levels)
        if palette:
            colours = np.frombuffer(bytes.fromhex(palette), np.uint8).reshape(-1, 3).astype(np.int32)  # -> [L,3]
            return [to_palette(images, colours) for images in sets]
        return [quantize(images, levels or images.num_levels) for images in sets]
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f'{name}: {error}') from error


def quantize(images, levels):
    """floor(level * levels / those of the images)."""
    if not 2 <= levels <= images.num_levels:
        raise ValueError(f'wanted 2 to {images.num_levels} levels, got {levels}')
    table = np.arange(images.num_levels) * levels // images.num_levels
    dtype = np.uint8 if levels <= 256 else np.uint16
    return images._replace(levels=table.astype(dtype)[images.levels], num_levels=levels)


def to_palette(images, palette):
    """Each pixel as the level of the nearest colour of a palette [L,3], of equally near ones as the lowest: [N,H,W,3] -> [N,H,W,1]."""
    if images.levels.shape[3] != 3 or images.num_levels != 256:
        raise ValueError(f'--palette: wanted RGB images of 256 levels, got {list(images.levels.shape)} of {images.num_levels}')
    red, green, blue = np.moveaxis(images.levels.astype(np.int32), 3, 0)  # each [N,H,W]
    own, place = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    own = np.stack([own >> 16, own >> 8 & 255, own & 255], 1)  # [K,3], the colours that occur
    parts = np.array_split(own, len(own) // 4096 + 1)
    nearest = np.concatenate([((part[:, None] - palette) ** 2).sum(2).argmin(1) for part in parts])  # [k,1,3] - [L,3] -> [k,L] -> [k]
    dtype = np.uint8 if len(palette) <= 256 else np.uint16
    return images._replace(levels=nearest.astype(dtype)[place].reshape(*red.shape, 1), num_levels=len(palette))


def tenths(images, levels):
    """Each tenth image is for the test."""
    if len(images) < 10:
        raise ValueError(f'wanted at least 10 images, got {len(images)}')
    is_test = np.arange(len(images)) % 10 == 9
    return Images(images[~is_test], levels), Images(images[is_test], levels)


def hold_out(images, count):
    """The other images, and `count` that are held out, evenly spread: sets are often sorted."""
    total = len(images.levels)
    is_held_out = np.zeros(total, bool)
    is_held_out[(2 * np.arange(count) + 1) * total // (2 * count) if count else []] = True
    return images.at(~is_held_out), images.at(is_held_out)


def mutate(images, rate, seeds):
    """Each value with this probability replaced by a level, all of them equally likely, by a seed for each image: what a background model
    is trained on."""
    levels = images.levels.copy()
    for image, seed in zip(levels, seeds):
        noise = np.random.default_rng(seed)
        is_random = noise.random(image.shape) < rate
        image[is_random] = noise.integers(images.num_levels, size=is_random.sum())
    return images._replace(levels=levels)


def orient(images, noise, count):
    """Each image in one of `count` orientations, which its noise in [0, 1) chooses; without orientations as it is. Bit 0 of an orientation's
    number says whether rows are flipped, bit 1 whether columns are, and bit 2 whether they are exchanged before. The class is that number,
    or where images have classes, class * count + that."""
    if count is None:
        return images
    elements = (noise * count).astype(int)
    levels = images.levels.copy()
    for element in range(count):
        own = levels[elements == element]
        own = own.transpose(0, 2, 1, 3) if element & 4 else own
        own = own[:, ::-1] if element & 1 else own
        own = own[:, :, ::-1] if element & 2 else own
        levels[elements == element] = own
    own_classes = 0 if images.classes is None else images.classes.astype(np.int64)
    return images._replace(levels=levels, classes=own_classes * count + elements)


def in_directory(path, name):
    """The file of that name, also where it is gzipped or has another spelling; None of them is told."""
    if path is None:
        raise ValueError(f'wanted --path to a directory with {name} and the others')
    for spelling in (name, name.replace('-idx', '.idx')):
        for file in (spelling, spelling + '.gz'):
            if os.path.isfile(os.path.join(path, file)):
                return os.path.join(path, file)
    raise ValueError(f"'{path}' lacks {name}")


def read_unpacked(file):
    """The bytes of a file, unpacked if it is gzipped."""
    with open(file, 'rb') as opened:
        data = opened.read()
    try:
        return np.frombuffer(gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data, np.uint8)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"'{file}' does not unpack: {error}") from error


def read_idx(path, name):
    file = in_directory(path, name)
    data = read_unpacked(file)
    rank = 3 if 'images' in name else 1
    shape = data[4 : 4 + 4 * rank].view('>u4').astype(int)
    if data[:4].tolist() != [0, 0, 8, rank] or len(data) != 4 + 4 * rank + shape.prod():
        raise ValueError(f"'{file}': wanted an IDX file of bytes of rank {rank}")
    return data[4 + 4 * rank :].reshape(shape)  # [N*H*W] -> [N,H,W], or [N]


def read_array(file):
    array = np.load(file, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in 'iu' or array.size == 0:
        raise ValueError(f"'{file}': wanted a .npy of integers, got {getattr(array, 'dtype', 'something else')}")
    return array


def read_images(file):
    images = read_array(file)
    if images.ndim == 3:
        images = images[..., None]  # [N,H,W] -> [N,H,W,1]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or images.min() < 0 or images.max() > 65_535:
        raise ValueError(f"'{file}': wanted levels [N,H,W] or [N,H,W,C] of 1 or 3 channels, from 0, got {list(images.shape)}")
    return images
