import type { ConditionValues } from '../core/conditions';
import { type ImageShape, normalizedLevel } from '../core/images';
import { distributionOf } from '../distributions/kinds';
import { areAlike, channelsOf, type PixelDistribution } from '../distributions/pixel-distribution';
import type { Operand } from '../kernels/instruction';
import { makeKernels } from '../kernels/webassembly';
import { imageProgram } from '../program/maps';
import type { PortableModel } from '../program/program';
import { checkImageSize, readinessOf } from '../program/readiness';
import { AFTER_ROW } from '../program/times';
import { addOutputs, compile, type ProgramIO } from './compile';
import { beginRow, finish, type GivenCondition } from './conditions';
import { copyMemory, Machine } from './machine';
import { withMaps } from './maps';
import { imagesTogether, Plan } from './plan';

/** The images that an {@link Evaluator} is made for. */
export interface EvaluatorArgs {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  /** Their conditions. If for fewer images, image n uses that of n modulo their number. @default none */
  readonly conditions?: readonly ConditionValues[];
  /** How many images the conditions are for. @default numImages */
  readonly numConditions?: number;
  /** What the outputs mean. @default the model's distribution */
  readonly distribution?: PixelDistribution;
}

/** What an evaluator was compiled for. */
interface Purpose extends Required<Pick<EvaluatorArgs, 'numImages' | 'imageShape' | 'distribution'>> {
  readonly make: typeof makeKernels;
}

/** The idle evaluator that the last job on a model left for the next one. */
const idle = /* @__PURE__ */ new WeakMap<PortableModel, Purpose & { readonly evaluator: Evaluator }>();

/** The largest heap of an evaluator that is kept. */
const MAX_IDLE_BYTES = 2 ** 26;

/**
 * Returns an evaluator, which computes the outputs value by value from cached features. It computes
 * each feature once, in float32, so equal weights give equal bits on every machine.
 *
 * A model is not compiled again if the previous job released its evaluator ({@link Evaluator.release}), and
 * the evaluator is for images of this size and for as many or up to twice as many.
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
  make = makeKernels,
): Evaluator {
  const purpose = { numImages, imageShape, distribution, make };
  const found = idle.get(model);
  idle.delete(model);
  const isFit = found !== undefined && fits(found, purpose);
  if (isFit) found.evaluator.machine.reset();
  const evaluator = isFit ? found.evaluator : compiled(model, purpose);
  const given = withMaps(model, evaluator.maps, numConditions, imageShape, conditions, make);
  evaluator.begin(numImages, given, numConditions);
  return evaluator;
}

const fits = (found: Purpose, { numImages, imageShape, distribution, make }: Purpose): boolean =>
  found.numImages >= numImages &&
  found.numImages <= 2 * numImages &&
  String(found.imageShape) === String(imageShape) &&
  areAlike(found.distribution, distribution) &&
  found.make === make;

function compiled(model: PortableModel, purpose: Purpose): Evaluator {
  const { plan, io, maps } = planned(model, purpose);
  const machine = new Machine(plan, purpose.numImages, purpose.make);
  const keep = (evaluator: Evaluator) => {
    if (machine.heap.byteLength <= MAX_IDLE_BYTES) idle.set(model, { ...purpose, evaluator });
  };
  return new Evaluator(machine, io, model.levels, maps, keep);
}

/** What an evaluator is made of, before any memory is allocated. */
export function planned(
  model: PortableModel,
  { numImages, imageShape, distribution }: Omit<Purpose, 'make'>,
) {
  const { nodes, conditions, maps } = imageProgram({ ...model, imageShape });
  const ready = readinessOf(nodes, conditions);
  checkImageSize('imageShape', imageShape, ready);
  const [height, width, channels] = imageShape;
  const plan = new Plan(imagesTogether(numImages), width, channels);
  const io = compile(plan, height, { ...model, nodes }, ready, channelsOf(distribution));
  return { plan, io: { ...io, outputs: addOutputs(plan, io.output, distribution) }, maps };
}

/** Walks the places of images in order, and computes what each one needs, once, on demand. */
export class Evaluator {
  /** Where levels are written, and the number that each is written as. */
  private readonly inputs: readonly { operand: Operand; numberOf: (level: number) => number }[];
  private conditions: readonly GivenCondition[] = [];
  /** The index of each image's conditions. */
  conditionOf = new Int32Array(0);
  private currentOutputs = (): Float32Array => new Float32Array(0);
  /** Whether there is a current pixel, and how many of its times are done. */
  private isEntered = false;
  private done = 0;

  constructor(
    readonly machine: Machine,
    /** Where to write, and where the outputs are for the channel whose time ran last, [outputStride]. */
    private readonly io: Omit<ProgramIO, 'output'> & { readonly outputs: Operand },
    levels: number,
    /** The maps that it reads as conditions, see `withMaps`. */
    readonly maps: readonly number[] = [],
    private readonly keep: (evaluator: Evaluator) => void = () => {},
  ) {
    this.inputs = [
      { operand: io.image, numberOf: (level) => normalizedLevel(level, levels) },
      ...io.categories.map((operand) => ({ operand, numberOf: (level: number) => 1 + level })),
    ];
  }

  /** Begins a job. The conditions are for `numConditions` images, and are repeated. */
  begin(numImages: number, conditions: readonly GivenCondition[], numConditions = numImages): void {
    this.conditions = conditions;
    this.conditionOf = Int32Array.from({ length: numImages }, (_, n) => n % numConditions);
    this.isEntered = false;
    this.evaluateFirst(numImages);
  }

  /** Releases the evaluator after a successful job, for the next one on the model. It must not be used afterwards. */
  release(): void {
    this.conditions = [];
    this.keep(this);
  }

  /** From now on, evaluates only the first `numImages` images. Others stay unchanged until copied over. */
  evaluateFirst(numImages: number): void {
    this.machine.computeFirst(numImages);
    this.currentOutputs = outputReader(this.machine, this.io.outputs);
  }

  /** The outputs for this value of every evaluated image, [images, outputStride], until the next call. */
  outputs(row: number, column: number, channel: number): Float32Array {
    this.enter(row, column);
    this.runTo(channel);
    return this.currentOutputs();
  }

  /** Sets the levels at this place, drawn or given, [images evaluated]. */
  put(row: number, column: number, channel: number, levels: ArrayLike<number>): void {
    const { heap, active, plan } = this.machine;
    this.enter(row, column);
    for (const { first, images, at } of active) {
      for (const { operand, numberOf } of this.inputs) {
        const to = at(operand) + channel;
        for (let n = 0; n < images; n++)
          heap[to + n * operand.stride] = numberOf(levels[first + n] as number);
      }
    }
    if (channel < plan.channels - 1) return;
    this.runTo(plan.channels);
    this.isEntered = false;
  }

  /** Computes what is due before a row's first pixel, in parts; otherwise this happens when the row is first needed. */
  *beginRow(row: number): Generator<void> {
    if (row > 0) yield* this.machine.rowInParts(AFTER_ROW);
    yield* beginRow(this.machine, this.io, this.conditions, this.conditionOf, row);
  }

  /** Replaces image n by image from[n], for all n, [images]. */
  copy(from: Int32Array): void {
    copyMemory(this.machine, from);
    this.conditionOf.set(from.map((n) => this.conditionOf[n] as number));
  }

  /** Makes a pixel the current one, unless it already is. */
  private enter(row: number, column: number): void {
    if (this.isEntered) return;
    if (row !== this.machine.row) finish(this.beginRow(row));
    this.machine.moveTo(row, column);
    this.isEntered = true;
    this.done = 0;
  }

  private runTo(time: number): void {
    for (; this.done <= time; this.done++) this.machine.run(this.done);
  }
}

/** Returns a function for the outputs of active images, [images, stride]: a view, or a copy of several chunks. */
function outputReader({ heap, active }: Machine, operand: Operand): () => Float32Array {
  const { stride } = operand;
  const parts = active.map(({ images, at }) => heap.subarray(at(operand), at(operand) + images * stride));
  const [one, ...others] = parts;
  if (one !== undefined && others.length === 0) return () => one;
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  return () => {
    for (const [k, part] of parts.entries()) all.set(part, k * (one?.length ?? 0)); // all but the last have equal lengths
    return all;
  };
}
