import { expect, it } from 'vitest';
import { numParameters, parameterOffsets } from '../../../src/runtime/distributions/mixture-parameters';

// Logits, and then means and log scales of each channel; of three channels, coefficients lie as OpenAI has them.
it.each([
  [1, 10, 30, { logits: 0, means: [10], logScales: [20], coefficients: [[]] }],
  [3, 10, 100, { logits: 0, means: [10, 40, 70], logScales: [20, 50, 80], coefficients: [[], [30], [60, 90]] }],
  [2, 3, 18, { logits: 0, means: [3, 9], logScales: [6, 12], coefficients: [[], [15]] }], // of others, all at the end
  [4, 1, 15, { logits: 0, means: [1, 3, 5, 7], logScales: [2, 4, 6, 8], coefficients: [[], [9], [10, 11], [12, 13, 14]] }],
])('parameters of a mixture of logistics of %i channels and %i components', (imageChannels, components, count, offsets) => {
  expect(numParameters({ imageChannels, components })).toBe(count);
  expect(parameterOffsets({ imageChannels, components })).toEqual(offsets);
});
