import fc from 'fast-check';
import { costOf } from 'pixelcnn-layers/runtime';
import { expect, it, vi } from 'vitest';
import { windowOf } from '../../../src/runtime/core/declared-window';
import { evaluatorFor } from '../../../src/runtime/engine/evaluator';
import { makeKernels } from '../../../src/runtime/kernels/webassembly';
import { modelOf, programOf, weightOf } from '../../support/models/program';
import { randomProgram, recipes } from '../../support/models/random-program';
import { forAll } from '../../support/runs';

it('is the memory that an evaluator asks for', () =>
  forAll([fc.record({ recipe: recipes, numImages: fc.integer({ min: 1, max: 70 }) })], { numRuns: 30, seed: 1 }, (given) => {
    const model = randomProgram(given.recipe);
    const images = { numImages: given.numImages, imageShape: model.imageShape.map((length) => length ?? 4) as [number, number, number] };
    const make = vi.fn(makeKernels);
    evaluatorFor(model, images, make);
    const { weightBytes, workBytes } = costOf(model, images);
    expect(make).toHaveBeenCalledWith((weightBytes + workBytes) / 4);
    expect(costOf(model, { ...images, numImages: 71 })).toMatchObject({ weightBytes });
  }));

it('counts each feature of an image once, and attention to half of all places', () => {
  const [point, { program, image }] = [windowOf({ kernelSize: 1, maskType: 'B', imageChannels: 1 }), programOf(1)];
  const many = program.ops.conv(program.ops.shift(image, 1, 0), weightOf([1, 1, 1, 8]), null, point);
  const logits = program.ops.conv(many, weightOf([1, 1, 8, 4]), null, point);
  const model = modelOf(program, logits, { imageShape: [null, null, 1], levels: 4 });
  expect(costOf(model, { numImages: 3, imageShape: [2, 7, 1] }).multiplications).toBe(3 * 2 * 7 * (1 * 8 + 8 * 4));
  const attended = program.ops.attend(many, many, many, 2);
  const attending = modelOf(program, program.ops.conv(attended, weightOf([1, 1, 8, 4]), null, point), { imageShape: [2, 7, 1], levels: 4 });
  expect(costOf(attending).multiplications).toBe(2 * 7 * (1 * 8 + (14 / 2) * (8 + 8) + 8 * 4));
  expect(() => costOf(model)).toThrow('costOf: imageShape: wanted');
  expect(() => costOf(model, { imageShape: [1, 1, 1], numImages: 0 })).toThrow('costOf: numImages: wanted an integer of at least 1, got 0');
});
