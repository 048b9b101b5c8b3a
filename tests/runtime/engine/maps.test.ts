import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConditionShape } from '../../../src/runtime/core/conditions';
import { windowOf } from '../../../src/runtime/core/declared-window';
import { evaluatorFor } from '../../../src/runtime/engine/evaluator';
import { type Features, ProgramBuilder } from '../../../src/runtime/program/builder';
import { imageProgram, wholeMaps } from '../../../src/runtime/program/maps';
import type { PortableModel } from '../../../src/runtime/program/program';
import { UnfitResolution } from '../../../src/runtime/program/readiness';
import { modelOf, weightOf } from '../../support/models/program';
import { runs } from '../../support/runs';
import { expectAsDefined } from '../../support/slow/value-by-value';
import { noise } from '../../support/tensors';

const codesOf = (shape: CodesShape): ConditionShape => ({ kind: 'codes', levels: 3, shape });
const MAP: ConditionShape = { kind: 'map', size: 2 };
const VECTOR: ConditionShape = { kind: 'vector', size: 2 };
const LEVELS = 4;
const [HEIGHT, WIDTH] = [4, 9];
const EARLIER = windowOf({ kernelSize: 3, maskType: 'A', imageChannels: 1 });
const POINT = windowOf({ kernelSize: 1, maskType: 'B', imageChannels: 1 });

type CodesShape = readonly [height: number, width: number];
const COARSE: CodesShape = [2, 3];

/** A program of an image and of a network on its conditions, which `network` makes of codes, a map and a vector. */
function programOf(
  network: (program: ProgramBuilder, conditions: [Features, Features, Features], image: Features) => Features,
  seed = 1,
  shape = COARSE,
): PortableModel {
  const program = new ProgramBuilder();
  const weight = weights(seed);
  const image = program.image(1);
  const [codes, map] = [program.condition(0, 1, true), program.condition(1, 2, true)];
  const seen = program.ops.conv(image, weight([3, 3, 1, 3]), weight([3]), EARLIER);
  const all = program.ops.concat(seen, network(program, [codes, map, program.condition(2, 2, false)], seen), program.ops.position(seen));
  const output = program.ops.conv(all, weight([1, 1, all.size, LEVELS]), null, POINT);
  return modelOf(program, output, { imageShape: [HEIGHT, WIDTH, 1], levels: LEVELS, conditions: [codesOf(shape), MAP, VECTOR] });
}

/** Random weights, one after the other. */
function weights(seed: number) {
  let made = 0;
  return (shape: number[]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    made++;
    return weightOf(shape, noise(size, seed + made), `weight${made}`);
  };
}

describe('maps that come before the image', () => {
  it('are networks of any layers that look around and enlarge', () => {
    const step = fc.record({
      kind: fc.integer({ min: 0, max: 15 }), rows: fc.constantFrom(1, 3, 5), columns: fc.constantFrom(1, 3, 5),
      size: fc.integer({ min: 1, max: 6 }),
    }); // biome-ignore format: in few lines
    const recipe = fc.record({
      steps: fc.array(step, { minLength: 1, maxLength: 6 }),
      after: fc.array(step, { maxLength: 3 }),
      numImages: fc.integer({ min: 1, max: 3 }),
      chunkImages: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer({ min: 1, max: 999 }),
      shape: fc.constantFrom<CodesShape[]>(COARSE, [1, 9], [4, 1], [HEIGHT, WIDTH]),
    });
    fc.assert(
      fc.property(recipe, ({ steps, after, seed, shape, ...batch }) => {
        const weight = weights(seed + 500);
        const model = programOf(
          (program, [codes, map, vector]) => {
            const bent = program.ops.pointwise('tanh', vector); // read as often as steps say
            const growIn =
              (places: CodesShape) =>
              (x: Features, { kind, rows, columns, size }: (typeof steps)[number]): Features => {
                const around = windowOf({ kernelSize: [rows, columns], shift: 'same' });
                if (kind <= 2) return program.ops.conv(x, weight([rows, columns, x.size, size]), weight([size]), around);
                if (kind === 3) return program.ops.concat(x, program.ops.position(x));
                if (kind === 4) return program.ops.pointwise('elu', x);
                if (kind === 6) return program.ops.shift(x, rows - 1, columns - 1);
                if (kind === 7) return program.ops.concatElu(x);
                if (kind === 8) return program.ops.attend(x, program.ops.pointwise('tanh', x), x, 1);
                if (kind === 12) return program.ops.rasterShift(x, weight([x.size]));
                if (kind === 13) return program.ops.embedPlaces(x, weight([...places, x.size]));
                if (kind === 14) return program.ops.attend(x, x, program.ops.concat(x, x), 1, { own: true });
                if (kind === 15) return program.ops.normalize(x, { epsilon: 0.5, norm: 'rms', scale: weight([x.size]) });
                if (kind === 9) return program.ops.conv(x, weight([3, 3, x.size, size]), null, EARLIER);
                if (kind === 11) {
                  const path = rows === 1 ? 'rows' : rows === 3 ? 'fromLeft' : 'fromRight';
                  const taps = path === 'rows' ? [1, columns] : [2, 1];
                  const gates = program.ops.conv(x, weight([1, 1, x.size, 4 * size]), null, POINT);
                  return program.ops.lstm(gates, weight([...taps, size, 4 * size]), path, 1);
                }
                return kind === 5 ? program.ops.concat(x, bent) : program.ops.combine('add', x, program.ops.pointwise('tanh', x));
              };
            const coarse = steps.reduce(growIn(shape), program.ops.oneHot(codes, 3));
            const [rows, columns] = [HEIGHT / shape[0], WIDTH / shape[1]];
            const enlarge = (): Features => {
              if (rows * columns === 1 || seed % 2 === 0)
                return rows * columns === 1 ? coarse : program.ops.upsample(coarse, rows, columns);
              const wide = program.ops.conv(coarse, weight([1, 1, coarse.size, 2 * rows * columns]), null, POINT);
              return program.ops.upsample(wide, rows, columns, true);
            };
            return after.reduce(growIn([HEIGHT, WIDTH]), program.ops.concat(enlarge(), map));
          },
          seed,
          shape,
        );
        expectAsDefined(model, { ...batch, seed });
      }),
      runs({ numRuns: 40, seed: 18 }),
    );
  });

  it('enlarge by steps, by repeating and by spreading', () => {
    const enlarged = (spreads: readonly [boolean, boolean]) =>
      programOf((program, [codes]) => {
        const features = program.ops.conv(program.ops.oneHot(codes, 3), weights(2)([1, 1, 3, 12]), null, POINT);
        return program.ops.upsample(program.ops.upsample(features, 2, 1, spreads[0]), 1, 3, spreads[1]);
      });
    for (const first of [false, true])
      for (const second of [false, true]) expectAsDefined(enlarged([first, second]), { numImages: 2, chunkImages: 2, seed: 5 });
  });
});

describe('maps', () => {
  it('are of numbers of another size too, and of vectors that are spread over rows or places', () => {
    const program = new ProgramBuilder();
    const image = program.image(1);
    const weight = weights(3);
    const around = program.ops.conv(program.condition(0, 2, true), weight([3, 3, 2, 6]), null, windowOf({ kernelSize: 3, shift: 'same' }));
    const seen = program.ops.conv(image, weight([3, 3, 1, 3]), weight([3]), EARLIER);
    const scales = program.ops.pointwise('log', program.ops.upsample(around, 2, 3, true), 0.1);
    const vector = program.condition(1, HEIGHT * 2, false);
    const rows = program.ops.upsample(program.ops.upsample(program.ops.pointwise('tanh', vector), HEIGHT, 1, true), 1, WIDTH); // [4,9,2]
    const table = program.ops.upsample(program.condition(2, HEIGHT * WIDTH, false), HEIGHT, WIDTH, true); // [4,9,1]
    const all = program.ops.concat(seen, scales, rows, table);
    const output = program.ops.conv(all, weight([1, 1, all.size, LEVELS]), null, POINT);
    const conditions: ConditionShape[] = [
      { kind: 'map', size: 2, shape: COARSE },
      { kind: 'vector', size: HEIGHT * 2 },
      { kind: 'vector', size: HEIGHT * WIDTH },
    ];
    expectAsDefined(modelOf(program, output, { imageShape: [HEIGHT, WIDTH, 1], levels: LEVELS, conditions }), {
      numImages: 3,
      chunkImages: 2,
      seed: 4,
    });
  });

  it('are of positions of the image too, and look around in these', () => {
    const around = windowOf({ kernelSize: 3, shift: 'same' });
    const model = programOf((program, _, image) => program.ops.conv(program.ops.position(image), weights(9)([3, 3, 2, 2]), null, around));
    expectAsDefined(model, { numImages: 2, chunkImages: 2, seed: 7 });
  });

  it('are of positions at the resolution of what passed strides', () => {
    const program = new ProgramBuilder();
    const image = program.image(1);
    const seen = program.ops.conv(image, weights(1)([3, 3, 1, 2]), null, EARLIER);
    const window = windowOf({ kernelSize: 2, shift: 'downRight', stride: 2 });
    const down = (x: Features) => program.ops.conv(x, weights(2)([2, 2, 2, 2]), null, window);
    const back = { ...window, anchor: [0, 0] as const, transposed: true };
    const up = (x: Features) => program.ops.conv(x, weightOf([2, 2, 2, 2], [1, 0, 0, 1, ...new Array(12).fill(0)]), null, back);
    const quarter = down(down(seen));
    const output = up(up(program.ops.combine('add', program.ops.position(quarter), program.ops.pointwise('scale', quarter, 0))));
    const imageShape = [8, 4, 1] as const;
    const model = modelOf(program, output, { imageShape, levels: 2 });
    const evaluator = evaluatorFor(model, { numImages: 1, imageShape: [...imageShape] });
    for (let row = 0; row < 8; row++)
      for (let column = 0; column < 4; column++) {
        const isThere = row % 4 === 0 && column % 4 === 0; // what is between is not spread over, by these kernels
        const wanted = isThere ? [(row / 4 - 1) / 2, -0.5] : [0, 0]; // two rows of places, one column
        expect(Array.from(evaluator.outputs(row, column, 0)).slice(0, 2)).toEqual(wanted);
        evaluator.put(row, column, 0, [1]);
      }
  });

  it('may be all that there is: outputs that see no image', () => {
    const program = new ProgramBuilder();
    program.image(1);
    const codes = program.ops.oneHot(program.condition(0, 1, true), 3);
    const output = program.ops.upsample(program.ops.conv(codes, weights(4)([1, 1, 3, LEVELS]), null, POINT), 2, 3);
    const conditions = [codesOf(COARSE), MAP, VECTOR];
    const model = modelOf(program, output, { imageShape: [HEIGHT, WIDTH, 1], levels: LEVELS, conditions });
    expectAsDefined(model, { numImages: 2, chunkImages: 2, seed: 8 });
  });

  it('are kept whole where they are read whole, or by several, and not where only their size is', () => {
    const program = new ProgramBuilder();
    const image = program.image(1); // node 0
    const codes = program.ops.oneHot(program.condition(0, 1, true), 3); // 1, 2: of which others are made
    const once = program.ops.pointwise('tanh', codes); // 3
    const sum = program.ops.combine('add', once, codes); // 4: read whole
    program.ops.upsample(sum, 2, 3); // 5
    program.ops.position(program.ops.pointwise('elu', image)); // 6, 7
    expect(wholeMaps(program.nodes, [5, 7])).toEqual([2, 4, 5, 7]);
    expect(wholeMaps(program.nodes, [7])).toEqual([7]);
  });
});

describe('maps that cannot be', () => {
  const around = windowOf({ kernelSize: 3, shift: 'same' });
  const kernel = (features: number) => weights(1)([3, 3, features, 2]);

  const strided = windowOf({ kernelSize: 2, shift: 'downRight', stride: 2 });

  it.each<[string, Parameters<typeof programOf>[0], RegExp]>([
    ['look around in the image', (p, _, image) => p.ops.conv(image, kernel(3), null, around), /conv.*image.*later pixels/],
    ['enlarge the image', (p, _, image) => p.ops.upsample(image, 1, 1), /upsample.*depends on the image/],
    ['join codes and the image', (p, [codes], image) => p.ops.concat(p.ops.upsample(codes, 2, 1), image), /several sizes, \[4,3\] and \[4,9\]/],
    ['have several sizes', (p, [codes, map]) => p.ops.concat(codes, map), /several sizes, \[2,3\] and \[4,9\]/],
    ['have strides', (p, [codes]) => p.ops.conv(codes, weights(1)([2, 2, 1, 2]), null, strided), /strides are only for maps of the size of the image/],
    ['look around where strides were', (p, [, map]) => p.ops.conv(p.ops.conv(map, weights(1)([2, 2, 2, 2]), null, strided), kernel(2), null, around), /conv.*strides are only for maps of the size of the image/],
    ['look around in a vector', (p, [, , vector]) => p.ops.conv(vector, weights(1)([1, 1, 2, 2]), null, windowOf({ kernelSize: 1, shift: 'same' })), /conv.*the same at every pixel/],
  ])('%s', (_, network, message) => {
    const model = programOf(network);
    expect(() => imageProgram(model)).toThrow(message);
    expect(() => imageProgram(model)).toThrow(UnfitResolution);
  }); // biome-ignore format: a case a line

  it('have outputs of another size', () => {
    const program = new ProgramBuilder();
    program.image(1);
    const codes = program.condition(0, 1, true);
    const model = modelOf(program, codes, { imageShape: [4, 9, 1], levels: 1, conditions: [codesOf(COARSE)] });
    expect(() => imageProgram(model)).toThrow('output): a map of another size than the image, [2,3]');
  });
});
