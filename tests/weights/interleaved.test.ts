import { interleaved } from 'pixelcnn-layers/weights';
import { describe, expect, it } from 'vitest';
import { f32, placesOf } from '../support/tensors';

describe('interleaved', () => {
  it('takes the features that are in turn group by group', () => {
    const { data, shape, dtype } = interleaved(f32([6], [0, 1, 2, 10, 11, 12]), 0, 3); // of groups 0, 1, 2, 0, 1, 2
    expect([dtype, shape, data]).toEqual(['F32', [6], Float32Array.of(0, 10, 1, 11, 2, 12)]);
  });

  it.each([
    [[6, 2], 0, 2],
    [[2, 6], 1, 3],
    [[4, 6, 3, 2], 1, 2],
    [[4, 6, 3, 2], 0, 4],
    [[5, 1], 0, 1],
    [[3, 10], 1, 3],
    [[2, 7, 2], 1, 4],
    [[2, 2], 1, 5],
    [[0, 3], 1, 3],
  ])('of a tensor [%j] along axis %i, in %i groups', (shape, axis, groups) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const numbers = Array.from({ length: size }, (_, i) => i + 1);
    const given = f32(shape, numbers);
    const result = interleaved(given, axis, groups, { pad: true });
    const features = shape[axis] as number;
    const each = Math.ceil(features / groups);
    const wanted = shape.map((length, i) => (i === axis ? each * groups : length));
    expect(result.shape).toEqual(wanted);
    const expected = placesOf(wanted).map((place) => {
      const feature = place[axis] as number;
      const before = (feature % each) * groups + Math.floor(feature / each); // in turn
      if (before >= features) return 0;
      return numbers[place.reduce((sum, i, a) => sum * (shape[a] as number) + (a === axis ? before : i), 0)];
    });
    expect([...(result.data as Float32Array)]).toEqual(expected);
    expect(given).toEqual(f32(shape, numbers)); // it is not changed
  });

  it('takes numbers of every dtype and at any byte, and returns its own memory', () => {
    const cases: [string, ArrayBufferView, ArrayBufferView][] = [
      ['F64', Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 3, 2, 4)],
      ['F16', Uint16Array.of(1, 2, 3, 4), Uint16Array.of(1, 3, 2, 4)],
      ['I64', BigInt64Array.of(1n, 2n, 3n, -4n), BigInt64Array.of(1n, 3n, 2n, -4n)],
      ['U8', Uint8Array.of(9, 1, 2, 3, 4).subarray(1), Uint8Array.of(1, 3, 2, 4)],
      ['F32', new DataView(Float32Array.of(0, 1, 2, 3, 4).buffer, 4), Float32Array.of(1, 3, 2, 4)],
    ];
    for (const [dtype, data, wanted] of cases) {
      const result = interleaved({ dtype, shape: [4], data }, 0, 2);
      expect(result).toEqual({ dtype, shape: [4], data: wanted });
      expect(result.data.buffer).not.toBe(data.buffer);
    }
  });

  it('states the error', () => {
    const ten = f32([2, 10], new Array(20).fill(0));
    expect(() => interleaved(ten, 1, 3)).toThrow(
      'interleaved: axis 1: wanted a multiple of 3 features, or pad: true, got 10',
    );
    expect(() => interleaved(ten, 1, 3, { pad: false })).toThrow('interleaved: axis 1');
    expect(() => interleaved(ten, 2, 2)).toThrow('interleaved: axis: wanted an integer from 0 to 1, got 2');
    expect(() => interleaved(ten, -1, 2)).toThrow('interleaved: axis: wanted');
    expect(() => interleaved(ten, 1, 0)).toThrow('interleaved: groups: wanted an integer of at least 1');
    expect(() => interleaved(ten, 1, 2 ** 40, { pad: true })).toThrow('interleaved: padded tensor: wanted sizes');
    expect(() => interleaved(ten, 1, 2, { pad: 1 as never })).toThrow('interleaved: pad: wanted true or false');
    expect(() => interleaved(f32([], [1]), 0, 1)).toThrow('interleaved: axis: wanted an integer from 0 to -1, got 0');
    expect(() => interleaved(f32([3], [1]), 0, 1)).toThrow('interleaved: tensor: data: wanted the 12 bytes of F32 [3], got 4');
    expect(() => interleaved(undefined as never, 0, 1)).toThrow('interleaved: tensor: wanted a tensor, got undefined');
  }); // biome-ignore format: one call a line
});
