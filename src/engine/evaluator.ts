import type { ConditionValues } from '../core/conditions';
import { type ImageShape, normalizedLevel } from '../core/images';
import { channelsOf, type PixelDistribution } from '../distributions/pixel-distribution';
import { distributionOf } from '../distributions/readers';
import type { Operand, SamplingKernels } from '../kernels/instruction';
import { makeKernels } from '../kernels/webassembly';
import { imageProgram } from '../program/maps';
import type { PortableModel } from '../program/program';
import { AFTER_ROW, checkImageSize, ONCE, ROW, readinessOf } from '../program/readiness';
import { addOutputs, compile, type ProgramIO } from './compile';
import { type GivenCondition, putConditions } from './conditions';
import { copyMemory, Machine } from './machine';
import { withMaps } from './maps';
import { imagesTogether, Plan } from './plan';

/** The images that an {@link Evaluator} is made for. */
export interface EvaluatorArgs {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  /**
   * Their conditions, in the model's order, for as many images or for fewer. Fewer conditions are repeated: image n
   * uses the condition of image n modulo their number. @default none
   */
  readonly conditions?: readonly ConditionValues[];
  /** How many images the conditions are for. @default numImages */
  readonly numConditions?: number;
  /** What the outputs mean. @default the model's distribution */
  readonly distribution?: PixelDistribution;
}

/**
 * Computes the outputs value by value from cached features. Each feature of each node is computed once, with float32
 * numbers only, so that the same weights give the same bits on every machine.
 *
 * @throws TypeError if the size of the images is not a multiple of the model's coarsest resolution
 * @throws RangeError if there is not enough memory
 */
export function evaluatorFor(
  model: PortableModel,
  {
    numImages,
    imageShape,
    conditions = [],
    numConditions = numImages,
    distribution = distributionOf(model),
  }: EvaluatorArgs,
  make: (floats: number) => SamplingKernels = makeKernels,
): Evaluator {
  const { nodes, conditions: shapes, maps } = imageProgram({ ...model, imageShape });
  const ready = readinessOf(nodes, shapes);
  checkImageSize('imageShape', imageShape, ready);
  const given = withMaps(model, maps, { numImages: numConditions, imageShape, conditions }, make);
  const [height, width, channels] = imageShape;
  const plan = new Plan(imagesTogether(numImages), width, channels);
  const io = compile(plan, height, { ...model, nodes }, ready, channelsOf(distribution));
  const outputs = addOutputs(plan, io.output, distribution);
  const machine = new Machine(plan, numImages, make);
  const conditionOf = Int32Array.from({ length: numImages }, (_, n) => n % numConditions);
  return new Evaluator(machine, { ...io, outputs }, imageShape, model.levels, given, conditionOf);
}

/** Where an evaluator writes and reads. */
interface EvaluatorIO extends Pick<ProgramIO, 'image' | 'conditions'> {
  /** The outputs for the channel whose time was run last, [outputStride]. */
  readonly outputs: Operand;
}

/** Follows the places of images in order, and runs what each one needs, once, on demand. */
export class Evaluator {
  private readonly readOutputs: () => Float32Array;
  private row = -1;
  /** Whether there is a present pixel, and which of its times are done. */
  private isEntered = false;
  private done = 0;

  constructor(
    readonly machine: Machine,
    private readonly io: EvaluatorIO,
    private readonly imageShape: ImageShape,
    private readonly levels: number,
    private readonly conditions: readonly GivenCondition[],
    /** Whose conditions each image has. */
    readonly conditionOf: Int32Array,
  ) {
    this.readOutputs = outputReader(machine, io.outputs, conditionOf.length);
  }

  /**
   * From now on, evaluates only this many images, from the first; the others stay as they are until an image is copied
   * over them.
   */
  evaluateFirst(numImages: number): void {
    this.machine.numActive = numImages;
  }

  /**
   * The model's outputs for the value at this place, for every image evaluated, [images, outputStride]; the padding of
   * a row is unspecified. Valid until the next call.
   */
  outputs(row: number, column: number, channel: number): Float32Array {
    this.enter(row, column);
    this.runTo(channel);
    return this.readOutputs();
  }

  /** Sets the levels drawn or given at this place, [images evaluated]. */
  put(row: number, column: number, channel: number, levels: ArrayLike<number>): void {
    const [, , channels] = this.imageShape;
    this.enter(row, column);
    this.putLevels(channel, levels);
    if (channel < channels - 1) return;
    this.runTo(channels);
    this.isEntered = false;
  }

  /**
   * Does all that comes before the first pixel of the next row, in parts, after each of which other work may be done.
   * Otherwise it is done at once with what needs it first.
   */
  *beginRow(row: number): Generator<void> {
    const { machine } = this;
    const isFirst = this.row < 0;
    if (!isFirst) yield* machine.rowInParts(AFTER_ROW);
    this.row = row;
    machine.moveTo(row, 0);
    yield* putConditions(machine, this.io, this.conditions, this.conditionOf, row);
    if (isFirst) machine.run(ONCE);
    yield* machine.rowInParts(ROW);
  }

  /** Replaces image n by image from[n], for all n, [images]. */
  copy(from: Int32Array): void {
    copyMemory(this.machine, from);
    this.conditionOf.set(from.map((n) => this.conditionOf[n] as number));
  }

  /** Makes a pixel the present one, unless it already is. */
  private enter(row: number, column: number): void {
    if (this.isEntered) return;
    if (row !== this.row) for (const _ of this.beginRow(row));
    this.machine.moveTo(row, column);
    this.isEntered = true;
    this.done = 0;
  }

  /** Runs the times of the present pixel up to one. */
  private runTo(time: number): void {
    for (; this.done <= time; this.done++) this.machine.run(this.done);
  }

  /** Writes the levels of one channel of the present pixel, as models take them. */
  private putLevels(channel: number, drawn: ArrayLike<number>): void {
    const { heap, chunks, numActive } = this.machine;
    const { stride } = this.io.image;
    for (const { first, images, at } of chunks) {
      const to = at(this.io.image) + channel;
      for (let n = 0; n < Math.min(images, numActive - first); n++) {
        heap[to + n * stride] = normalizedLevel(drawn[first + n] as number, this.levels);
      }
    }
  }
}

/**
 * A function that returns the outputs of all images, [images, stride]: a view, or a copy if there is more than one
 * chunk.
 */
function outputReader(machine: Machine, operand: Operand, numImages: number): () => Float32Array {
  const { heap, chunks } = machine;
  const parts = chunks.map(({ first, images, at }) => {
    const from = at(operand);
    return { to: first * operand.stride, part: heap.subarray(from, from + images * operand.stride) };
  });
  const [one, ...others] = parts;
  if (one !== undefined && others.length === 0) return () => one.part;
  const all = new Float32Array(numImages * operand.stride);
  return () => {
    const end = machine.numActive * operand.stride;
    for (const { to, part } of parts) if (to < end) all.set(part, to);
    return all;
  };
}
