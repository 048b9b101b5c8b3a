import fc from 'fast-check';
import { getMask, type MaskArgs, type MaskType } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import golden from './golden/masks.json';

const size = fc.integer({ min: 0, max: 3 }).map((half) => 2 * half + 1);
const maskArgs = fc
  .record({
    rows: size,
    columns: size,
    imageChannels: fc.integer({ min: 1, max: 5 }),
    groupIn: fc.integer({ min: 1, max: 3 }),
    groupOut: fc.integer({ min: 1, max: 3 }),
    maskType: fc.constantFrom<MaskType>('A', 'B'),
    vertical: fc.boolean(),
  })
  .map(({ rows, columns, imageChannels, groupIn, groupOut, maskType, vertical }) => ({
    kernelSize: [rows, columns] as [number, number],
    featuresIn: groupIn * imageChannels,
    featuresOut: groupOut * imageChannels,
    maskType,
    imageChannels,
    vertical,
  }));

/** One entry of the mask from its definition: may this input be seen from that output? */
function mayBeSeen(args: Required<MaskArgs>, row: number, column: number, i: number, o: number): boolean {
  const [rows, columns] = args.kernelSize as [number, number];
  const [below, right] = [row - (rows - 1) / 2, column - (columns - 1) / 2];
  if (args.vertical) return args.maskType === 'A' ? below < 0 : below <= 0;
  if (below !== 0 || right !== 0) return below < 0 || (below === 0 && right < 0);
  const channelIn = Math.floor((i * args.imageChannels) / args.featuresIn);
  const channelOut = Math.floor((o * args.imageChannels) / args.featuresOut);
  return args.maskType === 'A' ? channelIn < channelOut : channelIn <= channelOut;
}

describe('getMask', () => {
  it('equals the blog in every golden case', () => {
    for (const { kernel_size, features_in, features_out, mode, mask } of golden.cases) {
      const { shape, values } = getMask({
        kernelSize: kernel_size as [number, number],
        featuresIn: features_in,
        featuresOut: features_out,
        maskType: mode as MaskType,
      });
      expect(shape).toEqual(mask.shape);
      expect(Array.from(values)).toEqual(mask.data);
    }
  });

  it('follows its definition for any channels and any odd kernel', () => {
    fc.assert(
      fc.property(maskArgs, (args) => {
        const { shape, values } = getMask(args);
        const [rows, columns, featuresIn, featuresOut] = shape;
        let index = 0;
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < columns; c++) {
            for (let i = 0; i < featuresIn; i++) {
              for (let o = 0; o < featuresOut; o++) {
                expect(values[index++]).toBe(mayBeSeen(args, r, c, i, o) ? 1 : 0);
              }
            }
          }
        }
        expect(values.length).toBe(index);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('sees with B what it sees with A, and each channel itself besides', () => {
    fc.assert(
      fc.property(maskArgs, (args) => {
        const sum = (maskType: MaskType) =>
          getMask({ ...args, maskType, vertical: false }).values.reduce((a, b) => a + b, 0);
        // imageChannels blocks on the diagonal, each of (in/C) x (out/C)
        expect(sum('B') - sum('A')).toBe((args.featuresIn * args.featuresOut) / args.imageChannels);
      }),
      { seed: 1 },
    );
  });

  it('takes mask B and three channels by default, and one number for a square', () => {
    expect(getMask({ kernelSize: 3, featuresIn: 6, featuresOut: 3 })).toEqual(
      getMask({ kernelSize: [3, 3], featuresIn: 6, featuresOut: 3, maskType: 'B', imageChannels: 3 }),
    );
  });

  it('names what is wrong', () => {
    const args = { kernelSize: 3, featuresIn: 6, featuresOut: 6 };
    expect(() => getMask({ ...args, kernelSize: 4 })).toThrow('getMask: kernelSize');
    expect(() => getMask({ ...args, featuresIn: 4 })).toThrow('getMask: featuresIn: wanted a multiple');
    expect(() => getMask({ ...args, featuresOut: 5 })).toThrow('getMask: featuresOut');
    expect(() => getMask({ ...args, vertical: 1 as unknown as boolean })).toThrow(
      'getMask: vertical: wanted true or false, got 1',
    );
    expect(() => getMask({ ...args, imageChannels: 0 })).toThrow('getMask: imageChannels');
    for (const maskType of ['a', 'b', 'C'] as unknown as MaskType[]) {
      expect(() => getMask({ ...args, maskType })).toThrow("getMask: maskType: wanted 'A' or 'B'");
    }
  });
});
