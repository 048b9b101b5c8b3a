import { type PortableModel, readPortable, sample, writePortable } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { edited, expectRefused, type Json, plainFile, takeApart, withHeader } from '../../support/models/portable-file';
import { sampled } from '../../support/runs';
import { noise } from '../../support/tensors';

/** What a hostile file could add to, and what is there before any is read. */
const prototypes = [Object, Array, Function, Map, Uint8Array, String, Number].map((Class) => Class.prototype as object);
const ownKeysBefore = prototypes.map((prototype) => Reflect.ownKeys(prototype));

const file = plainFile();
/** Without the digest, as other programs may write it. */
const bare = edited(file, {});
const headerOf = (bytes: Uint8Array) => bytes.length - takeApart(bytes).data.length;

const flipped = (bytes: Uint8Array, at: number, bit: number) => {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ (1 << bit);
  return copy;
};

const plainObject = (model: PortableModel) => ({ ...model, weights: [...model.weights] });

/** What reading and sampling come to: an image or an Error that says why. */
async function outcome(bytes: Uint8Array): Promise<'refused' | 'drawn' | 'not drawn'> {
  let model: PortableModel;
  try {
    model = readPortable(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^readPortable: ./);
    expect(error).not.toBeInstanceOf(TypeError);
    return 'refused';
  }
  expect(plainObject(readPortable(writePortable(model)))).toEqual(plainObject(model));
  try {
    const condition = { data: [0, 1], shape: [1, 2] };
    const { shape } = await sample(model, { numImages: 1, imageShape: [2, 3, 2], seed: 1, condition });
    expect(shape).toEqual([1, 2, 3, 2]);
    return 'drawn';
  } catch (error) {
    // a flipped bit makes another image, no condition, or a weight of 1e38
    expect((error as Error).message).toMatch(/^sample: ((imageShape|condition): wanted|the model returned logits that)/);
    return 'not drawn';
  }
}

describe('a damaged file', () => {
  it('is refused when cut, wherever', async () => {
    for (const length of sampled(file.length, 100)) expectRefused(file.subarray(0, length), /./);
  });

  it('is refused where any bit is flipped that has a meaning', async () => {
    const data = headerOf(file);
    const blanks = new TextDecoder().decode(file.subarray(8, data)).trimEnd().length + 8;
    for (const at of sampled(file.length, 200)) {
      const isBlank = at >= blanks && at < data; // which other blanks would fill as well
      if (!isBlank) expect(await outcome(flipped(file, at, at & 7)), `byte ${at}`).toBe('refused');
    }
  });

  it('is refused if it has the digest of another model', () => {
    const { header, data } = takeApart(file);
    const other = flipped(data, 1, 0); // the least of a weight
    expectRefused(withHeader(JSON.stringify(header), other), 'file: damaged: its digest differs');
    for (const digest of ['', header.__metadata__.digest.toUpperCase(), `${header.__metadata__.digest}0`]) {
      const __metadata__ = { ...header.__metadata__, digest };
      expectRefused(withHeader(JSON.stringify({ ...header, __metadata__ }), data), 'digest');
    }
  });
});

describe('a file without a digest', () => {
  const values = [0, 1, -1, 2, 3, 4, 1e9, 2 ** 53, 0.5, null, true, '', '0', 'B', 'everything', [], [0], {}, 'kernel'];

  it('is refused or sound where bits of the header are flipped', async () => {
    const bits = [0, 1, 2, 4, 7];
    const places = sampled(bits.length * headerOf(bare), 400);
    const counts = { refused: 0, drawn: 0, 'not drawn': 0 };
    for (const place of places) counts[await outcome(flipped(bare, Math.floor(place / 5), bits[place % 5] as number))]++;
    expect(counts.refused).toBeGreaterThan(0.8 * places.length);
    expect(counts.drawn).toBeGreaterThan(0);
  });

  it('is refused or sound where bits of the weights are flipped', async () => {
    const start = headerOf(bare);
    for (const bit of sampled(8 * (bare.length - start), 50)) await outcome(flipped(bare, start + (bit >> 3), bit & 7));
  });

  it('is refused or sound where fields have other values', async () => {
    const cases = sampled(2000, 200);
    const uniforms = noise(20 * cases.length, 4).values();
    const below = (count: number) => Math.floor((((uniforms.next().value ?? 0) + 1) / 2) * count);
    for (const _ of cases) {
      const bytes = edited(bare, ({ program }) => {
        let at: Json = program;
        let keys = Object.keys(at);
        for (;;) {
          const key = keys[below(keys.length)] as string;
          keys = typeof at[key] === 'object' && at[key] !== null ? Object.keys(at[key]) : [];
          if (keys.length === 0 || below(6) === 0) {
            at[key] = values[below(values.length)];
            break;
          }
          at = at[key];
        }
      });
      await outcome(bytes);
    }
  });

  it('leaves the prototypes alone', () => {
    expect(prototypes.map((prototype) => Reflect.ownKeys(prototype))).toEqual(ownKeysBefore);
  });
});
