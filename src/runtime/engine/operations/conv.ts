import { type Instruction, later, type Operand } from '../../kernels/instruction';
import { OUTPUTS } from '../../kernels/packed';
import { packedOf } from '../../program/program';
import { AFTER_ROW, ROW } from '../../program/times';
import { joined, type Part, packTaps, partsOf, sum, type UnpackedKernel } from '../kernel-layout';
import type { SlotRange } from '../layout';
import { type Lowering, NO_BOUND } from '../lowering';
import { addPacked } from '../packed-products';
import { type Phase, phasesOf, reachOf, type Tap } from '../phases';
import type { Places } from '../places';
import { FeatureCache, type Plan, WHOLE_ROW } from '../plan';
import { inSlots } from '../runs';

/** Some taps of a row, and the inputs that they read. */
interface TapSpan {
  /** Rows above the current one. */
  readonly above: number;
  /** Columns to the left of the current one. */
  readonly left: number;
  /** The index of the first tap among all taps of a phase. */
  readonly first: number;
  readonly taps: number;
  /** How many slots of the last tap's inputs are known. */
  readonly ready: number;
}

/** A part with weights laid out in the heap. */
interface PackedPart extends Part {
  /** The position of its weights: rows of outputs for `lookup`, blocks of four with all inputs for `product`. */
  readonly weights: number;
  /** The distance from input to input, or from level to level of one input. */
  readonly inputStride: number;
  /** The distance from one block of four outputs to the next. */
  readonly blockStride: number;
}

interface Convolution extends UnpackedKernel {
  readonly x: FeatureCache;
  readonly y: FeatureCache;
  /** Its numbers, or bits if it stays packed. */
  readonly kernel: () => Float32Array | Uint16Array;
  /** [out slots] */
  readonly biases: Operand;
  /** The factors of a kernel that stays packed, [out slots]; else null. */
  readonly factors: Operand | null;
  /** 0 for a ReLU. */
  readonly lowerBound: number;
}

/** One phase of a convolution. */
interface PackedPhase extends Convolution {
  readonly phase: Phase;
  /** The places of the image that it writes. */
  readonly places: Places;
  /** The taps in each row above. A row's cached features are contiguous, so one product reads them. */
  readonly above: readonly TapSpan[];
  /** The first tap in the output's own row. */
  readonly present: number;
  readonly parts: readonly PackedPart[];
  /** The position of the weights of a depthwise convolution, [taps][slots], which has no parts; else null. */
  readonly depthwise: number | null;
}

/**
 * A masked convolution. Each output is computed as soon as its inputs are ready. If the operand holds the numbers of
 * levels, counted from 1, this is a convolution of their one-hot vectors; 0, as around the image, means no level.
 */
export const conv: Lowering<'conv'> = {
  emit({ plan, weight, numbers }, { window, kernel: name, bias }, [x], y, hasRelu) {
    const { layout } = y;
    const { levels } = x;
    const ofSlots = (values: Float32Array) => plan.constant(inSlots(values, layout));
    const biases = bias === null ? plan.reserve(layout.slots) : ofSlots(numbers(bias));
    const canBePacked =
      levels === null &&
      window.groups === undefined &&
      layout.runs.every(({ range }) => range[0] % OUTPUTS === 0);
    const packed = canBePacked ? packedOf(weight(name)) : null;
    const factors = packed && ofSlots(packed.factors);
    const kernel = () => packed?.packed ?? numbers(name);
    const lowerBound = hasRelu ? 0 : NO_BOUND;
    const convolution = { window, kernel, factors, levels, x, y, biases, lowerBound };
    for (const phase of phasesOf(window)) {
      const packed = packedPhase(plan, convolution, phase);
      addRowOutputs(plan, packed, ROW);
      addPixelOutputs(plan, packed);
      addRowOutputs(plan, packed, AFTER_ROW);
    }
  },
  reads: ({ window }) => reachOf(window),
};

/** Lays out the weights of a phase, in the order in which they are used. */
function packedPhase(plan: Plan, convolution: Convolution, phase: Phase): PackedPhase {
  const { levels, factors, x, y } = convolution;
  const taps = [...phase.above, phase.present].flatMap((row) => row.taps);
  const depthwise = isDepthwise(convolution) ? depthwiseWeights(plan, convolution, taps) : null;
  const parts = (depthwise === null ? partsOf(convolution) : []).map((part): PackedPart => {
    const inputs = taps.length * sum(part.inputs.map(([from, to]) => to - from));
    const length = part.outputs[1] - part.outputs[0];
    const [inputStride, blockStride] = levels === null ? [4, 4 * inputs] : [length, 4];
    const floats = factors ? blockStride * Math.ceil(length / OUTPUTS) : inputs * (levels ?? 1) * length;
    const { offset: weights } = plan.written(floats, (to) => {
      const packed = factors ? new Uint16Array(to.buffer, to.byteOffset, 2 * to.length) : to;
      packTaps(packed, convolution.kernel(), taps, convolution, part, inputStride, blockStride);
    });
    return { ...part, weights, inputStride, blockStride };
  });
  let first = 0;
  const above = phase.above.map(({ above, left, taps }): TapSpan => {
    const span = { above, left, first, taps: taps.length, ready: x.layout.slots };
    first += taps.length;
    return span;
  });
  const { scale } = y;
  const places = { every: scale * phase.every, row: scale * phase.row, column: scale * phase.column };
  return { ...convolution, phase, places, above, present: first, parts, depthwise };
}

/** Whether each output sees the one input that has its slot. */
const isDepthwise = ({ window, x, y }: Convolution) =>
  window.groups === x.layout.slotOf.length && x.layout.isLike(y.layout);

function depthwiseWeights(plan: Plan, { window, kernel, x }: Convolution, taps: readonly Tap[]): number {
  const { slotOf, slots } = x.layout;
  const write = (to: Float32Array) => {
    const numbers = kernel();
    for (const [t, [row, column]] of taps.entries()) {
      const start = (row * window.kernelSize[1] + column) * slotOf.length;
      for (const [feature, slot] of slotOf.entries())
        to[t * slots + slot] = numbers[start + feature] as number;
    }
  };
  return plan.written(taps.length * slots, write).offset;
}

/** Outputs that are computed for the whole row: the products of all kernel rows, summed in place. */
function addRowOutputs(plan: Plan, packed: PackedPhase, time: typeof ROW | typeof AFTER_ROW): void {
  const { phase, y, above, present, biases, lowerBound } = packed;
  const { taps, left } = phase.present;
  const ofPresent = { above: 0, left, first: present, taps: taps.length, ready: readyBy(packed, time) };
  const isRead = taps.length > 1 || (taps.length === 1 && ofPresent.ready > 0);
  const spans = isRead || above.length === 0 ? [...above, ofPresent] : above;
  const ofPlaces = y.operand(0, 0, -phase.column);
  const result = { ...ofPlaces, columnStride: (ofPlaces.columnStride ?? 0) * phase.every };
  for (const { range } of y.layout.runs.filter((run) => run.time === time)) {
    for (const [i, span] of spans.entries()) {
      const start = i === 0 ? biases : result;
      const bound = i === spans.length - 1 ? lowerBound : NO_BOUND;
      addProduct(plan, packed, time, { range, span, start, result, lowerBound: bound });
    }
  }
}

/** How many slots of the last tap in the output's own row are known at a time; those before it are all known. */
function readyBy({ phase, x }: PackedPhase, time: number): number {
  const hasLater = phase.present.taps.length > phase.tapsBefore;
  return hasLater ? x.layout.slotsReady(time) : x.layout.slots;
}

/**
 * Outputs of the current pixel. The contribution of rows above is summed for the whole row before
 * its first pixel, so that each weight is read once per row. The contribution of pixels to the left
 * is computed once for all outputs. The centre follows channel by channel, from the inputs ready by
 * then. If all outputs are ready at once, pixels to the left are added with the centre.
 */
function addPixelOutputs(plan: Plan, packed: PackedPhase): void {
  const { phase, places, x, y, above, present, biases, lowerBound } = packed;
  const ofPixel = y.layout.runs.filter(({ time }) => time !== ROW && time !== AFTER_ROW);
  if (ofPixel.length === 0) return;
  const { tapsBefore } = phase;
  const outSlots = y.layout.slots;
  const range: SlotRange = [0, outSlots];
  const isOneTime = y.layout.runs.length === 1;
  let sums = biases; // [out slots]
  if (above.length > 0) {
    const ofRow = new FeatureCache(plan, y.layout, WHOLE_ROW, places.every).operand(); // [images,places of the row,out slots]
    for (const span of above) {
      addProduct(plan, packed, ROW, { range, span, start: sums, result: ofRow, lowerBound: NO_BOUND });
      sums = ofRow;
    }
  }
  const { left, taps } = phase.present;
  let centre = { above: 0, left, first: present, taps: taps.length }; // and the taps computed with it
  if (!isOneTime && tapsBefore > 0) {
    const result = sums === biases ? plan.reserveForImages(1, outSlots) : sums; // [images,out slots]
    const before = { ...centre, taps: tapsBefore, ready: x.layout.slots };
    addProduct(plan, packed, 0, { range, span: before, start: sums, result, lowerBound: NO_BOUND });
    sums = result;
    centre = { above: 0, left: 0, first: present + tapsBefore, taps: taps.length - tapsBefore };
  }
  for (const { range, time } of ofPixel) {
    const span = { ...centre, ready: readyBy(packed, time) };
    addProduct(plan, packed, time, { range, span, start: sums, result: y.operand(), lowerBound });
  }
}

/** max(start + x w, lowerBound) for the outputs in a range of slots, where x may be one-hot vectors. */
interface Product {
  readonly range: SlotRange;
  readonly span: TapSpan;
  readonly start: Operand;
  readonly result: Operand;
  readonly lowerBound: number;
}

function addProduct(plan: Plan, packed: PackedPhase, time: number, product: Product): void {
  const { x, levels, factors, phase, places, parts } = packed;
  const { range, span, result, lowerBound } = product;
  const ofTap = x.operand(0, span.above, span.left);
  const a = { ...ofTap, columnStride: (ofTap.columnStride ?? 0) * phase.step };
  if (packed.depthwise !== null) {
    const [from, to] = range;
    const { slots } = x.layout;
    const code: Instruction = {
      op: 'depthwise',
      y: later(result, from),
      a: later(a, from),
      b: later(product.start, from),
      length: to - from,
      weights: packed.depthwise + span.first * slots + from,
      weightStride: slots,
      inputs: span.ready > from ? span.taps : span.taps - 1,
      gap: phase.tapDistance * slots,
      parameter: lowerBound,
    };
    plan.emit(time, code, places);
    return;
  }
  for (const { outputs, inputs, weights, inputStride, blockStride } of parts) {
    const [from, to] = [Math.max(range[0], outputs[0]), Math.min(range[1], outputs[1])];
    if (from >= to) continue;
    const ofTap = sum(inputs.map(([from, to]) => to - from));
    let read = span.first * ofTap; // inputs before those that are read
    let start = product.start;
    const runs = evenRuns(inputsOf(span, inputs, x.layout.slots, phase.tapDistance));
    for (const [i, run] of runs.entries()) {
      const code: Instruction = {
        op: levels === null ? 'product' : 'lookup',
        y: later(result, from),
        a: later(a, run.first),
        b: later(start, from),
        length: to - from,
        weights:
          weights +
          read * (levels ?? 1) * inputStride +
          ((from - outputs[0]) / (factors ? OUTPUTS : 4)) * blockStride,
        weightStride: levels === null ? blockStride : inputStride,
        inputs: run.inputs,
        span: run.span,
        gap: run.gap,
        rows: levels ?? 0,
        parameter: i === runs.length - 1 ? lowerBound : NO_BOUND,
      };
      if (factors) addPacked(plan, time, { ...code, c: later(factors, from) }, places);
      else plan.emit(time, code, places);
      read += run.inputs;
      start = result;
    }
  }
}

/** Where the inputs of some taps lie, from the first slot of the first tap's place. */
function inputsOf(
  { taps, ready }: TapSpan,
  inputs: readonly SlotRange[],
  slots: number,
  tapDistance: number,
): SlotRange[] {
  const all = Array.from({ length: taps }, (_, tap) => {
    const known =
      tap === taps - 1
        ? inputs.map(([from, to]): SlotRange => [Math.min(from, ready), Math.min(to, ready)])
        : inputs;
    const place = tap * tapDistance * slots;
    return known.map(([from, to]): SlotRange => [place + from, place + to]);
  });
  return joined(all.flat());
}

/** Inputs that one instruction reads: in ranges of the same length, but for the last, and at the same distance. */
interface EvenRun {
  readonly first: number;
  readonly span: number;
  readonly gap: number;
  readonly inputs: number;
}

/** Ranges as one even run where they are, else as one run each. At least one. */
function evenRuns(ranges: readonly SlotRange[]): EvenRun[] {
  const [[first, end] = [0, 0], second] = ranges;
  const span = end - first;
  const gap = second ? second[0] - end : 0;
  const isEven = ranges.every(([from, to], i) => {
    const length = to - from;
    return from === first + i * (span + gap) && (i + 1 < ranges.length ? length === span : length <= span);
  });
  if (!isEven) return ranges.flatMap((range) => evenRuns([range]));
  return [{ first, span, gap, inputs: sum(ranges.map(([from, to]) => to - from)) }];
}
