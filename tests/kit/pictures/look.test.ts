import { describe, expect, it } from 'vitest';
import { colourOf, isInk, lookOf } from '../../../kit/pictures/look.mjs';

const greys = Uint8Array.of(0, 7, 255);
const colours = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);

describe('a level', () => {
  it('without a palette is an intensity, in pictures of one channel ink on paper', () => {
    const grey = { channels: 1, levels: 3 };
    expect([0, 1, 2].map((pixel) => colourOf(grey)([0, 1, 2], pixel)[0])).toEqual([0, 128, 255]);
    expect([0, 1, 2].map((pixel) => lookOf(grey)([0, 1, 2], pixel))).toEqual([
      [255, 255, 255],
      [140, 140, 144], // (255 + 24) / 2, rounded up, and (255 + 32) / 2
      [24, 24, 32],
    ]);
    const tint = { paper: [200, 0, 0], ink: [0, 100, 0] };
    expect(lookOf(grey, tint)([1], 0)).toEqual([100, 50, 0]);
    const rgb = { channels: 3, levels: 3 };
    for (const look of [colourOf(rgb), lookOf(rgb), lookOf(rgb, tint)]) expect(look([2, 2, 2, 0, 1, 2], 1)).toEqual([0, 128, 255]);
    expect([isInk(grey), isInk(rgb)]).toEqual([true, false]);
  });

  it('with a palette looks as that says, whatever the tint', () => {
    const tint = { paper: [200, 0, 0], ink: [0, 100, 0] };
    const kinds = [
      [{ channels: 1, levels: 3, palette: colours }, [4, 5, 6]],
      [{ channels: 1, levels: 3, palette: greys }, [7, 7, 7]],
      [{ channels: 3, levels: 3, palette: greys }, [7, 0, 255]],
    ] as const;
    for (const [kind, wanted] of kinds) {
      const data = kind.channels === 1 ? [2, 1] : [2, 2, 2, 1, 0, 2];
      for (const look of [colourOf(kind), lookOf(kind, tint)]) expect(look(data, 1)).toEqual(wanted);
      expect(isInk(kind)).toBe(false);
    }
  });

  it('of other images is refused', () => {
    expect(() => lookOf({ channels: 2, levels: 3 })).toThrow('PNG: wanted 1 channel or 3, got 2');
    const rgb = { channels: 3, levels: 3, palette: colours };
    expect(() => lookOf(rgb)).toThrow('palette: wanted a grey of each level, for 3 channels, got RGB');
  });
});
