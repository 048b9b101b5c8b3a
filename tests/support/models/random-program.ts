import fc from 'fast-check';
import { sizeFromShape } from '../../../src/runtime/core/check';
import type { ConditionShape } from '../../../src/runtime/core/conditions';
import type { KernelWindow } from '../../../src/runtime/core/window';
import { type Features, nodeOf, ProgramBuilder } from '../../../src/runtime/program/builder';
import type { LSTMPath } from '../../../src/runtime/program/operations/lstm';
import { pointwiseNames } from '../../../src/runtime/program/operations/pointwise';
import type { ImageNode, PortableModel } from '../../../src/runtime/program/program';
import { type Readiness, readinessOf } from '../../../src/runtime/program/readiness';
import { AFTER_ROW, ONCE, ROW } from '../../../src/runtime/program/times';
import type { LayerWeight } from '../../../src/runtime/program/weights';
import { noise } from '../tensors';
import { modelOf, weightOf } from './program';

/** A step in which a program grows by a node, by numbers of any size that say which and how. */
interface Step {
  readonly kind: number;
  readonly on: number;
  readonly other: number;
  readonly size: number;
  readonly kernelSize: [number, number];
  readonly anchor: [number, number];
  readonly present: KernelWindow['present'];
  readonly dilation: readonly [number, number];
  readonly split: 'none' | 'two' | 'depthwise';
}

/** What a random program is made by. */
interface Recipe {
  readonly channels: number;
  readonly steps: readonly Step[];
  /** Whether the outputs see only what they can in kernels of one column, and rows above. */
  readonly isNarrow: boolean;
  readonly tail: 'none' | 'tanh' | 'logSoftmax' | 'concat';
  /** Of an image, in multiples of the greatest scale. */
  readonly size: readonly [height: number, width: number];
  readonly seed: number;
}

const side = fc.integer({ min: 1, max: 4 });
const step = fc.record<Step>({
  kind: fc.nat(),
  on: fc.nat(),
  other: fc.nat(),
  size: fc.integer({ min: 1, max: 5 }),
  kernelSize: fc.tuple(side, side),
  anchor: fc.tuple(fc.nat(), fc.nat()),
  present: fc.constantFrom('nothing', 'A', 'B', 'everything'),
  dilation: fc.constantFrom<[number, number]>([1, 1], [1, 1], [2, 1], [1, 2], [2, 3]),
  split: fc.constantFrom('none', 'none', 'two', 'depthwise'),
});

/** Random recipes. */
export const recipes: fc.Arbitrary<Recipe> = fc.record({
  channels: fc.integer({ min: 1, max: 2 }),
  steps: fc.array(step, { minLength: 3, maxLength: 14, size: 'max' }),
  isNarrow: fc.boolean(),
  tail: fc.constantFrom('none', 'tanh', 'logSoftmax', 'concat'),
  size: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  seed: fc.integer({ min: 1, max: 1000 }),
});

/** What a program is conditioned on: numbers of the image, and of each pixel. */
const CONDITIONS: readonly ConditionShape[] = [
  { kind: 'vector', size: 2 },
  { kind: 'map', size: 1 },
];
export const LEVELS = 3;

/**
 * A causal program of all operations, of several resolutions. `isSmooth` leaves out what hides from a network what its inputs are, such as
 * ReLUs.
 */
export function randomProgram(recipe: Recipe, isSmooth = false): PortableModel {
  // Tables of places depend on the size of the image, which depends on the scales of the program.
  const { scale } = grown(recipe, isSmooth, 1);
  return grown(recipe, isSmooth, scale).model;
}

/** The program if its greatest scale is this one, and its greatest scale. */
function grown(recipe: Recipe, isSmooth: boolean, most: number): { model: PortableModel; scale: number } {
  const { channels, steps, size, seed } = recipe;
  const imageShape = [most * size[0], most * size[1], channels] as const;
  const growing = new GrowingProgram(imageShape, seed, isSmooth);
  for (const step of steps) growing.grow(step);
  const { program } = growing;
  const output = growing.finish(recipe);
  const scale = Math.max(...readinessOf(program.nodes as ImageNode[], CONDITIONS).map((node) => node.scale));
  const model = modelOf(program, output, { imageShape, levels: LEVELS, conditions: CONDITIONS });
  return { model, scale };
}

class GrowingProgram {
  readonly program = new ProgramBuilder();
  private readonly all: Features[] = [];
  private readonly channels: number;
  private weights = 0;

  constructor(
    private readonly imageShape: readonly [height: number, width: number, channels: number],
    private readonly seed: number,
    private readonly isSmooth: boolean,
  ) {
    const channels = imageShape[2];
    this.channels = channels;
    const image = this.add(this.program.image(channels));
    this.add(this.program.condition(0, 2, false));
    this.add(this.program.condition(1, 1, true));
    this.add(this.conv(image, 4, { kernelSize: [3, 3], anchor: [1, 1], present: 'A' }, channels));
  }

  /** Adds a node where the step says one that there can be. */
  grow({ kind, on, other, size, kernelSize, anchor, present, dilation, split }: Step): void {
    const { program, channels } = this;
    const recent = on % 2 === 0 ? this.all : this.all.slice(-3); // so that programs get deep
    const x = recent[Math.floor(on / 2) % recent.length] as Features;
    const { scale, times } = this.readiness(x);
    const isConstant = times.includes(ONCE);
    const like = this.all.filter((y) => {
      const of = this.readiness(y);
      return of.scale === scale || of.times.includes(ONCE);
    });
    const y = like[other % like.length] as Features;
    const [rows, columns] = kernelSize;
    const tap = [anchor[0] % rows, anchor[1] % columns] as const;
    const window = { kernelSize, anchor: tap, present };
    const ofChannels = x.size % channels === 0 ? channels : 1;
    const groups = kind % 2 === 0 ? ofChannels : 1;
    const outs = size * groups;
    const ofEach = x.size / groups; // features of a channel
    const parts = split === 'depthwise' ? ofEach : split === 'two' && ofEach % 2 === 0 ? 2 : 1;
    const grouped = { ...(parts > 1 && { groups: parts }) };
    const inParts = parts === ofEach ? x.size : parts * outs;
    const together = x.size > groups ? groups : 1; // groups of several features
    // A ReLU that alone reads a convolution is part of it.
    const relu = (conv: Features) => (other % 3 === 0 && !this.isSmooth ? program.ops.pointwise('relu', conv) : conv);
    switch (kind % 24) {
      case 0:
      case 1:
        if (isConstant) this.add(this.conv(x, size, { kernelSize: [1, 1], anchor: [0, 0], present: 'everything' }));
        else this.add(relu(this.conv(x, inParts, { ...window, dilation, ...grouped }, groups)));
        break;
      case 2:
      case 3:
      case 4:
        if (!isConstant && scale < 4) this.add(relu(this.conv(x, inParts, { ...window, stride: 2, ...grouped }, groups)));
        break;
      case 5:
      case 6:
      case 7:
        if (!isConstant && scale > 1) this.add(relu(this.conv(x, inParts, { ...window, stride: 2, transposed: true, ...grouped }, groups)));
        break;
      case 8:
        if (!isConstant) this.add(program.ops.shift(x, anchor[0] % 3, anchor[1] % 3));
        break;
      case 9:
        if (x.size <= 8) this.add(program.ops.concatElu(x));
        break;
      case 10:
        if (x.size % (2 * groups) === 0) this.add(program.ops.gate(x, groups, undefined, anchor[0] % 3 === 0 ? 'tanh' : 'linear'));
        break;
      case 11:
        if (x.size + y.size <= 12) this.add(program.ops.concat(x, y));
        break;
      case 12:
        if (x.size === y.size) this.add(program.ops.combine('add', x, y));
        else if (x.size > 1) this.add(program.ops.slice(x, 1, x.size - 1));
        break;
      case 13:
        if (x.size > 1)
          this.add(
            program.ops.normalize(x, {
              epsilon: 1,
              groups: together,
              norm: anchor[1] % 2 === 0 ? 'layer' : 'rms',
              ...this.scaleAndShift(x.size),
            }),
          );
        break;
      case 14:
        if (this.isSmooth) this.add(program.ops.pointwise('tanh', x));
        else this.addPointwise(x, anchor[0], size);
        break;
      case 16: {
        const z = like[size % like.length] as Features;
        const areMaps = [x, y, z].every((of) => !this.readiness(of).times.includes(ONCE));
        const units = Math.min(x.size, y.size, z.size);
        const of = (features: Features) => (features.size === units ? features : program.ops.slice(features, features.size - units, units));
        const heads = units % 2 === 0 && kind % 2 === 0 ? 2 : 1;
        const values = z.size % heads === 0 ? z : of(z); // of any size
        const own = anchor[0] % 2 === 0;
        if (areMaps) this.add(program.ops.attend(of(x), of(y), values, heads, { own }));
        break;
      }
      case 17: {
        const path = (['rows', 'fromLeft', 'fromRight'] as const)[anchor[0] % 3] as LSTMPath;
        const taps = path === 'rows' ? [1, 1 + 2 * (anchor[1] % 2)] : [2, 1];
        const units = outs <= 6 ? outs : size;
        if (isConstant) break;
        const gates = this.conv(x, 4 * units, window, outs <= 6 ? groups : 1);
        const kernel = this.kernel([...taps, units, 4 * units]);
        this.add(program.ops.lstm(gates, kernel, path, outs <= 6 ? groups : 1));
        break;
      }
      case 18: {
        const others = [y, x].filter((of) => of.size === x.size);
        const fn = (['multiply', 'maximum', 'minimum'] as const)[anchor[0] % 3] as 'multiply';
        if (!this.isSmooth) this.add(program.ops.combine(fn, x, ...others));
        break;
      }
      case 19:
        this.add(program.ops.affine(x, this.scaleAndShift(x.size)));
        break;
      case 20:
        if (x.size > 1) this.add(program.ops.softmax(anchor[0] % 2 === 0 ? 'softmax' : 'logSoftmax', x, together));
        break;
      case 21: {
        const table = weightOf([LEVELS, size], noise(LEVELS * size, 1000 * this.seed + this.weights++), 'table');
        this.add(program.ops.embedLevels(this.all[0] as Features, table));
        break;
      }
      case 22:
        if (!isConstant) this.add(program.ops.rasterShift(x, this.scaleAndShift(x.size).shift));
        break;
      case 23: {
        const places = this.imageShape.slice(0, 2).map((length) => Math.ceil(length / scale));
        const shape = [...places, x.size];
        const numbers = noise(sizeFromShape(shape), 1000 * this.seed + this.weights++);
        if (!isConstant) this.add(program.ops.embedPlaces(x, weightOf(shape, numbers, 'places')));
        break;
      }
      default: {
        // levels of the image are looked up in the kernel
        const hot = program.ops.oneHotLevels(this.all[0] as Features, LEVELS);
        if (!this.isSmooth) this.add(hot); // others may read it too
        const stride = anchor[0] % 2 === 0 ? 1 : 2;
        const causal = { ...window, present: present === 'B' ? ('A' as const) : present, stride, ...(stride === 1 && { dilation }) };
        this.add(relu(this.conv(hot, size * channels, causal, channels)));
      }
    }
  }

  /**
   * Logits of all that is of the image's resolution, and what is of a lower one by transposed convolutions: of the pixels
   * before the current one, and of this one itself what is known.
   */
  finish({ isNarrow, tail }: Recipe): Features {
    const { program, channels } = this;
    const outs = channels * LEVELS;
    const fine = this.all.flatMap((features) => {
      let x = features;
      while (this.readiness(x).scale > 1) {
        const window = { kernelSize: [2, 2], anchor: [0, 0], present: 'B', stride: 2, transposed: true } as const;
        x = this.conv(x, 2, window);
      }
      if (!this.readiness(x).times.includes(AFTER_ROW)) return [x];
      return [program.ops.shift(x, 1, 0)]; // what is known after the row, in the row below
    });
    const parts: Features[] = [];
    if (isNarrow) {
      const column = { kernelSize: [2, 1], anchor: [1, 0], present: 'A' } as const;
      parts.push(this.conv(this.all[0] as Features, outs, column, channels));
    } else {
      const before = program.ops.concat(...fine.map((x) => program.ops.pointwise('tanh', x)));
      parts.push(this.conv(before, outs, { kernelSize: [2, 3], anchor: [1, 1], present: 'A' }));
    }
    const lastTime = isNarrow ? ROW : 0;
    const known = fine.filter((x) => this.readiness(x).times.every((time) => time <= lastTime));
    parts.push(this.conv(program.ops.concat(...known), outs, { kernelSize: [1, 1], anchor: [0, 0], present: 'everything' }));
    for (const x of fine) {
      const group = x.size / channels;
      const { times } = this.readiness(x);
      const isKnown = times.every((time, f) => time > ONCE && time <= Math.floor(f / group));
      if (!isNarrow && channels > 1 && Number.isInteger(group) && isKnown)
        parts.push(this.conv(x, outs, { kernelSize: [1, 2], anchor: [0, 1], present: 'B' }, channels));
    }
    const sum = program.ops.combine('add', ...parts);
    if (tail === 'tanh') return program.ops.pointwise('tanh', sum);
    if (tail === 'logSoftmax') return program.ops.softmax('logSoftmax', sum, channels);
    if (tail === 'concat') return program.ops.concat(program.ops.slice(sum, 0, 1), program.ops.slice(sum, 1, outs - 1));
    return sum;
  }

  /** Any function of one number: half of the time a ReLU, which may be part of a convolution. */
  private addPointwise(x: Features, which: number, size: number): void {
    const fn = which % 2 === 0 ? 'relu' : (pointwiseNames[Math.floor(which / 2) % pointwiseNames.length] ?? 'relu');
    // What is taken away is no threshold: float32 numbers may not be told from those that are as large.
    this.add(this.program.ops.pointwise(fn, x, (fn === 'shift' ? -1 : 1) * (0.31 + size / 10)));
  }

  private scaleAndShift(size: number) {
    const seed = 1000 * this.seed + this.weights++;
    const of = (name: string, more: number) => weightOf([size], noise(size, seed + more), `${name} ${seed}`);
    return { scale: of('scale', 250), shift: of('shift', 750) };
  }

  private add(features: Features): Features {
    this.all.push(features);
    return features;
  }

  private readiness(x: Features): Readiness {
    return readinessOf(this.program.nodes as ImageNode[], CONDITIONS)[nodeOf(x)] as Readiness;
  }

  /** A convolution with random weights, of a size that keeps the sums as great as what they are of. */
  private conv(
    x: Features,
    size: number,
    window: Pick<KernelWindow, 'kernelSize' | 'anchor' | 'present'> & Partial<KernelWindow>,
    imageChannels = 1,
  ): Features {
    const kernel = this.kernel([...window.kernelSize, x.size / (window.groups ?? 1), size]);
    const whole = { stride: 1, transposed: false, ...window, imageChannels };
    const bias = weightOf([size], noise(size, 1000 * this.seed + this.weights + 499), `bias ${this.weights}`);
    return this.program.ops.conv(x, kernel, bias, whole);
  }

  private kernel(shape: readonly number[]): LayerWeight {
    const [rows, columns, featuresIn, featuresOut] = shape as [number, number, number, number];
    const seed = 1000 * this.seed + this.weights++;
    const fan = rows * columns * featuresIn;
    const numbers = noise(fan * featuresOut, seed).map((value) => value * Math.sqrt(3 / fan));
    return weightOf(shape, numbers, `kernel ${this.weights}`);
  }
}
