"""Turns the bitmap fonts of Debian's xfonts-base into images [N,S,S] of 0 and 1, a directory that train.py reads:

    python make-data.py characters --size 24 --out data/characters-24
    python make-data.py syllables --size 24 --out data/syllables-24

Characters are Chinese ones, of three fonts; syllables are Korean, of one. Some characters are held out as the test images, in
all fonts: one in 15, or one in 10 of the syllables. Beside each image of a syllable is a vector, of which three numbers are 1:
its initial consonant, its vowel and its final consonant, of 19, 21 and 28. The README says who made the fonts."""
import argparse
import gzip
import io
import os
import unicodedata

import numpy as np
from pcffont import PcfFont

# A font by its name without the size; where such characters are, by the first byte of their codes; and the codec that has these
# codes with the highest bit of both bytes set.
CHARACTERS = [('gb{}st', range(0x30, 0x78), 'gb2312'), ('jiskan{}', range(0x30, 0x75), 'euc_jp'), ('hanglm{}', range(0x4A, 0x7E), 'euc_kr')]
SYLLABLES = [('hanglm{}', range(0x30, 0x49), 'euc_kr')]
PARTS = (19, 21, 28)


def glyphs_of(folder, size, font, first_bytes, codec):
    """Characters and their glyphs [S,S], in the order of their codes."""
    with gzip.open(os.path.join(folder, f'{font.format(size)}.pcf.gz')) as file:
        read = PcfFont.parse(io.BytesIO(file.read()))
    decode = lambda code: bytes([code >> 8 | 0x80, code & 0xFF | 0x80]).decode(codec, 'ignore')
    glyphs = []
    for code, place in sorted(read.bdf_encodings.items()):
        character = unicodedata.normalize('NFKC', decode(code))  # one for the two codes that some Korean fonts give to a character
        if code >> 8 in first_bytes and character:  # some codes have a glyph, but no character
            glyphs.append((character, np.array(read.bitmaps[place], np.uint8)))
    return glyphs


def vectors_of(syllables):
    """Three times a one among zeros, [N,19+21+28]: Unicode has the syllables in the order of their parts."""
    numbers = np.array([ord(syllable) - ord('가') for syllable in syllables])
    parts = (numbers // (21 * 28), numbers // 28 % 21, numbers % 28)
    return np.concatenate([np.eye(count, dtype=np.uint8)[part] for count, part in zip(PARTS, parts)], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=['characters', 'syllables'])
    parser.add_argument('--fonts', default='/usr/share/fonts/X11/misc', help='where the fonts are (%(default)s)')
    parser.add_argument('--size', type=int, choices=[16, 24], default=24, help='pixels of a side (%(default)s)')
    parser.add_argument('--out', required=True)
    parser.add_argument('--columns', action='store_true', help='transposes images, for a network that goes column by column')
    flags = parser.parse_args()
    fonts = CHARACTERS if flags.kind == 'characters' else SYLLABLES
    glyphs = {}  # each glyph once, also where fonts share it
    for font in fonts:
        glyphs |= {glyph.tobytes(): (character, glyph) for character, glyph in glyphs_of(flags.fonts, flags.size, *font)}
    characters, images = zip(*glyphs.values())
    images = np.stack(images)  # [N,S,S]

    random = np.random.default_rng(1)
    distinct = sorted(set(characters))
    held_out = set(random.permutation(distinct)[: len(distinct) // (10 if flags.kind == 'syllables' else 15)])
    is_test = np.array([character in held_out for character in characters])
    order = random.permutation(len(images))
    if flags.columns:
        images = images.swapaxes(1, 2)  # [N,W,H]
    os.makedirs(flags.out, exist_ok=True)
    for name, places in (('test', order[is_test[order]]), ('train', order[~is_test[order]])):
        np.save(os.path.join(flags.out, f'{name}.npy'), images[places])
        if flags.kind == 'syllables':
            np.save(os.path.join(flags.out, f'{name}-vectors.npy'), vectors_of([characters[place] for place in places]))
    print(f'{(~is_test).sum()} and {is_test.sum()} images of {flags.size}x{flags.size}, {images.mean():.3f} of their pixels ink')


main()
