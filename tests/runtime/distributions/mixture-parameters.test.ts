import { describe, expect, it } from 'vitest';
import { numParameters, parameterOffsets } from '../../../src/runtime/distributions/mixture-parameters';

describe('parameters of a mixture of logistics', () => {
  it('are logits, means and log scales of one channel', () => {
    expect(numParameters({ imageChannels: 1, components: 10 })).toBe(30);
    expect(parameterOffsets({ imageChannels: 1, components: 10 })).toEqual({ logits: 0, means: [10], logScales: [20], coefficients: [[]] });
  });

  it('lie as OpenAI has them of three channels: coefficients behind each log scales', () => {
    expect(numParameters({ imageChannels: 3, components: 10 })).toBe(100);
    expect(parameterOffsets({ imageChannels: 3, components: 10 })).toEqual({
      logits: 0, means: [10, 40, 70], logScales: [20, 50, 80], coefficients: [[], [30], [60, 90]],
    }); // biome-ignore format: in few lines
  });

  it('have all coefficients at the end of two and of four channels', () => {
    expect(numParameters({ imageChannels: 2, components: 3 })).toBe(18);
    expect(parameterOffsets({ imageChannels: 2, components: 3 })).toEqual({
      logits: 0, means: [3, 9], logScales: [6, 12], coefficients: [[], [15]],
    }); // biome-ignore format: in few lines
    expect(numParameters({ imageChannels: 4, components: 1 })).toBe(15);
    expect(parameterOffsets({ imageChannels: 4, components: 1 })).toEqual({
      logits: 0, means: [1, 3, 5, 7], logScales: [2, 4, 6, 8], coefficients: [[], [9], [10, 11], [12, 13, 14]],
    }); // biome-ignore format: in few lines
  });
});
