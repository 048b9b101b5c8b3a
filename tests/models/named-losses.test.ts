import { bitsPerDim, negativeLogLikelihood } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { namesOf, OWN_LOSS, withFunctions } from '../../src/models/named-losses';

const own = () => bitsPerDim as never;

it('replaces names by functions, in every form that compile takes', () => {
  expect(withFunctions('loss', 'bitsPerDim')).toBe(bitsPerDim);
  expect(withFunctions('loss', own)).toBe(own);
  expect(withFunctions('metrics', ['negativeLogLikelihood', own])).toEqual([negativeLogLikelihood, own]);
  expect(withFunctions('loss', { logits: 'bitsPerDim' })).toEqual({ logits: bitsPerDim });
  for (const bad of ['mse', 3, null]) {
    expect(() => withFunctions('loss', bad)).toThrow(
      'compile: loss: wanted bitsPerDim, negativeLogLikelihood or',
    );
  }
});

it('names the functions of this library, and no other', () => {
  expect(namesOf(bitsPerDim)).toEqual(['bitsPerDim']);
  expect(namesOf([own, { logits: negativeLogLikelihood }])).toEqual([undefined, 'negativeLogLikelihood']);
  for (const none of [undefined, null, []]) expect(namesOf(none)).toEqual([]);
});

it('stands in for a loss that was not saved, and says so when it is called', () => {
  expect(withFunctions('loss', OWN_LOSS)).toThrow('call compile again');
});
