"""Turns photographs of Debian's packages into patches [N,S,S,3] to train on, train.npy and test.npy, and into test photographs:

    apt-get install lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds plasma-workspace-wallpapers
    python make-data.py --out data/photographs

Every third photograph, by name, is for the test. All are made smaller by two or more, to at most a megapixel and a half, which leaves
no blocks of JPEG; the README says who took them. Patches are at random places of each photograph, in proportion to its size."""
import argparse
import glob
import os

import numpy as np
from PIL import Image

# Where they are in /usr/share, and all names of what is a photograph there.
PHOTOGRAPHS = [
    ('backgrounds', 'Bridge_by_* Dragonfly_by_* Picture_0B_by_* Picture_1A_by_* Wine_by_* aitzgorri_by_* friends_by_* greentock_by_* '
                    'life_by_* picosdeeuropa_by_* seeding_by_* sunset_by_* Kleiber_by_*'),
    ('backgrounds/mate/nature', 'Aqua* Blinds* Dune* FreshFlower* Garden* GreenMeadow* LadyBird* RainDrops* Storm* TwoWings* Wood* '
                                'YellowFlower*'),
    ('wallpapers', '*BytheWater* *ColdRipple* *ColorfulCups* *EveningGlow* *FallenLeaf* *Grey* *Kite* *OneStandsOut* *Path* *summer_1am*'),
]  # fmt: skip
MOST = 1.5e6  # pixels


def photographs_in(share):
    """Paths by name, in order; a package's folder of a wallpaper has it in several sizes, of which the largest is taken."""
    found = {}
    for folder, names in PHOTOGRAPHS:
        for name in names.split():
            inside = '/contents/images/*.jpg' if folder == 'wallpapers' else '.jpg' if '_by_' in name else ''
            paths = glob.glob(os.path.join(share, folder, name.strip('*') + inside if inside.startswith('/') else name))
            if len(paths) == 0:
                raise SystemExit(f'{name} is not in {os.path.join(share, folder)}: the packages are named above')
            found[name.strip('*').removesuffix('_by_')] = max(paths, key=os.path.getsize)
    return sorted(found.items())


def smaller(path):
    """A photograph [H,W,3], each of whose pixels is the mean of a square."""
    image = Image.open(path).convert('RGB')
    factor = 2
    while image.width // factor * (image.height // factor) > MOST:
        factor += 1
    return np.asarray(image.reduce(factor))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--share', default='/usr/share', help='where the packages are (%(default)s)')
    parser.add_argument('--patches', type=int, default=20_000, help='to train on; a tenth as many to test on (%(default)s)')
    parser.add_argument('--size', type=int, default=32, help='pixels of a side of a patch (%(default)s)')
    parser.add_argument('--out', required=True)
    flags = parser.parse_args()
    random = np.random.default_rng(1)
    os.makedirs(os.path.join(flags.out, 'test'), exist_ok=True)
    images = [(name, smaller(path)) for name, path in photographs_in(flags.share)]
    for part, count in (('train', flags.patches), ('test', flags.patches // 10)):
        of_part = [(name, image) for i, (name, image) in enumerate(images) if (i % 3 == 2) == (part == 'test')]
        sizes = np.array([image.shape[0] * image.shape[1] for _, image in of_part])
        patches = []
        for k in random.choice(len(of_part), count, p=sizes / sizes.sum()):
            image = of_part[k][1]  # [H,W,3]
            row, column = (random.integers(length - flags.size + 1) for length in image.shape[:2])
            patches.append(image[row : row + flags.size, column : column + flags.size])  # [S,S,3]
        np.save(os.path.join(flags.out, f'{part}.npy'), np.stack(patches))  # [N,S,S,3]
        if part == 'test':
            for name, image in of_part:
                Image.fromarray(image).save(os.path.join(flags.out, 'test', f'{name}.png'))
        print(f'{part}: {count} patches of {len(of_part)} photographs, {sizes.sum() / 1e6:.1f} megapixels: {", ".join(name for name, _ in of_part)}')


if __name__ == '__main__':
    main()
