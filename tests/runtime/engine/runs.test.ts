import { it } from 'vitest';
import { sizeFromShape } from '../../../src/runtime/core/check';
import { windowOf } from '../../../src/runtime/core/declared-window';
import { ProgramBuilder } from '../../../src/runtime/program/builder';
import { modelOf, weightOf } from '../../support/models/program';
import { expectAsDefined } from '../../support/slow/value-by-value';
import { noise } from '../../support/tensors';

it('a vector that lies otherwise than what it is added to is added at every pixel of a row', () => {
  const program = new ProgramBuilder();
  const weight = (shape: number[], seed: number) => weightOf(shape, noise(sizeFromShape(shape), seed), `weight${seed}`);
  const point = windowOf({ kernelSize: 1, maskType: 'A', imageChannels: 2 });
  const image = program.image(2);
  const vector = program.condition(0, 6, false);
  const seen = program.ops.conv(image, weight([1, 1, 2, 6], 1), null, point); // 3 + 3, ready at different times
  const sum = program.ops.combine('add', vector, seen);
  const around = windowOf({ kernelSize: 3, maskType: 'A', imageChannels: 2 });
  const output = program.ops.conv(sum, weight([3, 3, 6, 8], 2), null, around); // reads rows above, and to the left
  const sizes = { imageShape: [3, 5, 2] as [number, number, number], levels: 4 };
  const model = modelOf(program, output, { ...sizes, conditions: [{ kind: 'vector', size: 6 }] });
  expectAsDefined(model, { numImages: 3, chunkImages: 2, seed: 3 });
});
