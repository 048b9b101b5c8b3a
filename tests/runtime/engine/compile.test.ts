import { describe, expect, it } from 'vitest';
import { windowAround } from '../../../src/runtime/core/window';
import { distributionOf } from '../../../src/runtime/distributions/kinds';
import { channelsOf } from '../../../src/runtime/distributions/pixel-distribution';
import { addOutputs, compile } from '../../../src/runtime/engine/compile';
import { Plan } from '../../../src/runtime/engine/plan';
import { type Features, ProgramBuilder } from '../../../src/runtime/program/builder';
import { readinessOf } from '../../../src/runtime/program/readiness';
import { modelOf, weightOf } from '../../support/models/program';

// That what is compiled gives the right numbers is what random programs try; here is how little is computed and kept.

type Build = (program: ProgramBuilder, image: Features) => Features;

/** The plan of a program for images of `channels`, four columns wide; `build` returns the logits. */
function planOf(channels: number, levels: number, build: Build): Plan {
  const program = new ProgramBuilder();
  const output = build(program, program.image(channels));
  const model = modelOf(program, output, { imageShape: [null, 4, channels], levels });
  const plan = new Plan(1, 4, channels);
  const distribution = distributionOf(model);
  const nodes = program.nodes as Parameters<typeof readinessOf>[0];
  const io = compile(plan, 4, { ...model, nodes }, readinessOf(nodes, []), channelsOf(distribution));
  addOutputs(plan, io.output, distribution);
  return plan;
}

/** The operations of what is done once, before a row, at each time, and after a row, by name. */
const opsOf = (plan: Plan) => plan.steps.map((steps) => steps.map(({ code }) => code.op));

/** A convolution of pixels before the current one in its row, of one group. */
const left = (program: ProgramBuilder, x: Features, size: number, columns = 3) =>
  program.ops.conv(x, weightOf([1, columns, x.size, size]), null, windowAround([1, columns], 'A', 1));
/** Features that see the rows above: ready before a row. */
const above = (program: ProgramBuilder, x: Features, size: number) =>
  program.ops.conv(x, weightOf([3, 1, x.size, size]), null, windowAround([3, 1], 'nothing', 1));

describe('compile', () => {
  it.each<[string, number, number, Build, (string | undefined)[][]]>([
    ['computes for the whole row what sees rows above only, and each channel from the channels before it', 2, 3,
      (program, image) => program.ops.conv(image, weightOf([1, 1, 2, 6]), null, windowAround([1, 1], 'A', 2)),
      [[], ['product'], ['copy'], ['product', 'copy'], [], []],
    ],
    ['computes a map that sees its row whole after the row, for the rows below', 1, 2,
      (program, image) => {
        const all = windowAround([1, 3], 'everything', 1);
        const whole = program.ops.conv(image, weightOf([1, 3, 1, 1]), null, all);
        return above(program, program.ops.pointwise('relu', whole), 2);
      },
      [[], ['product'], ['copy'], [], ['product']], // a product for the kernel row that is seen; one with its ReLU
    ],
    ['makes a ReLU part of the convolution that it alone reads', 1, 4,
      (program, image) => program.ops.pointwise('relu', left(program, image, 4)),
      [[], [], ['product'], [], []],
    ],
    ['keeps a convolution that others read too', 1, 4,
      (program, image) => {
        const conv = left(program, image, 4);
        return program.ops.combine('add', program.ops.pointwise('relu', conv), conv);
      },
      [[], [], ['product', 'relu', 'add'], [], []],
    ],
    ['looks rows of a kernel up where one-hot vectors are all that it reads, and makes none', 1, 2,
      (program, image) => left(program, program.ops.oneHotLevels(image, 2), 2),
      [[], [], ['lookup'], [], []],
    ],
    ['finds the numbers of levels where they are not those of the image, or of something else', 1, 2,
      (program, image) => {
        const others = left(program, program.ops.oneHotLevels(image, 3), 2);
        return program.ops.combine('add', others, left(program, program.ops.embedLevels(others, weightOf([2, 1])), 2));
      },
      [[], [], ['lookup', 'levelNumber', 'levelNumber', 'lookup', 'lookup', 'product', 'add'], ['levelNumber'], []],
    ],
    ['makes one-hot vectors where something else reads them too', 1, 3,
      (program, image) => {
        const hot = program.ops.oneHotLevels(left(program, image, 1), 3);
        const read = program.ops.conv(hot, weightOf([1, 1, 3, 3]), null, windowAround([1, 1], 'B', 1));
        return program.ops.combine('add', hot, read);
      },
      [[], [], ['product', 'levelNumber', 'oneHot', 'lookup', 'add'], [], []],
    ],
    ['copies rows of a table for embedded levels', 1, 2,
      (program, image) => left(program, program.ops.embedLevels(image, weightOf([2, 2])), 2),
      [[], [], ['product'], ['lookup'], []],
    ],
    ['computes nothing that no logit depends on', 1, 4,
      (program, image) => {
        const conv = left(program, image, 4);
        program.ops.pointwise('tanh', conv);
        return conv;
      },
      [[], [], ['product'], [], []],
    ],
  ])('%s', (_, channels, levels, build, ops) => {
    expect(opsOf(planOf(channels, levels, build))).toEqual(ops);
  }); // biome-ignore format: what is expected of a program below it

  it('stores one row for features that are computed and read before the row, however many', () => {
    const chain = (length: number) =>
      planOf(1, 8, (program, image) => {
        let x = above(program, image, 8);
        for (let i = 0; i < length; i++) x = program.ops.pointwise('tanh', x);
        return program.ops.combine('add', x, left(program, image, 8));
      }).chunkFloats;
    expect(chain(9)).toBe(chain(3)); // two rows by turns
    expect(chain(3)).toBeGreaterThan(chain(0));
  });

  it('keeps nothing for a convolution before the ReLU that is part of it', () => {
    const floats = (hasRelu: boolean) =>
      planOf(1, 8, (program, image) => {
        const conv = left(program, image, 16);
        return left(program, hasRelu ? program.ops.pointwise('relu', conv) : conv, 8);
      }).chunkFloats;
    expect(floats(true)).toBe(floats(false));
  });

  it('makes in one go, pixel by pixel, what joins features of rows above and of the pixel', () => {
    const plan = planOf(1, 8, (program, image) => {
      const joined = program.ops.concat(above(program, image, 8), left(program, image, 8));
      const active = program.ops.pointwise('tanh', joined);
      return program.ops.conv(active, weightOf([1, 1, 16, 8]), null, windowAround([1, 1], 'B', 1));
    });
    const [, row, pixel] = opsOf(plan);
    expect([row, pixel].map((ops) => ops?.filter((op) => op === 'tanh').length)).toEqual([0, 1]);
    expect(plan.movingBases.some(({ slots }) => slots === 16)).toBe(false); // one pixel of what is joined
  });
});
