"""Draws Chinese characters, [N,48,48] of 0 and 1, with the fonts of Debian's fonts-noto-cjk, as train.npy and test.npy:

    apt-get install fonts-noto-cjk python3-pil python3-numpy
    python3 make-data.py --out data/characters-48

One character in 15 is held out as the test images, in both fonts."""
import argparse
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = ('NotoSansCJK-Regular.ttc', 'NotoSerifCJK-Regular.ttc')
CHARACTERS = [chr(code) for code in range(0x4E00, 0x9FA6)]  # Unicode's block, as both fonts have it
SIZE, MARGIN = 48, 1


def drawn(font, character):
    """A character in the middle of [48,48]."""
    image = Image.new('L', (SIZE, SIZE))
    ImageDraw.Draw(image).text((SIZE / 2, SIZE / 2), character, font=font, fill=255, anchor='mm')
    return np.asarray(image) >= 128


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--fonts', default='/usr/share/fonts/opentype/noto', help='where the fonts are (%(default)s)')
    parser.add_argument('--out', required=True)
    flags = parser.parse_args()
    fonts = [ImageFont.truetype(os.path.join(flags.fonts, name), SIZE - 2 * MARGIN) for name in FONTS]  # in each, the first face
    random = np.random.default_rng(1)
    is_test = np.zeros(len(CHARACTERS), bool)
    is_test[random.permutation(len(CHARACTERS))[: len(CHARACTERS) // 15]] = True
    os.makedirs(flags.out, exist_ok=True)
    for name, places in (('train', np.flatnonzero(~is_test)), ('test', np.flatnonzero(is_test))):
        images = np.stack([drawn(font, CHARACTERS[place]) for font in fonts for place in places]).astype(np.uint8)
        images = images[random.permutation(len(images))]
        np.save(os.path.join(flags.out, f'{name}.npy'), images)
        print(f'{name}.npy: {len(images)} images, {images.mean():.3f} of their pixels ink')


main()
