import { firstSeeing, type KernelWindow, visibilityAt } from '../../core/window';
import type { Instruction, Operand } from '../../kernels/instruction';
import { AFTER_ROW, ROW } from '../../program/times';
import type { Layout, SlotRange } from '../layout';
import { type Lowering, NO_BOUND } from '../lowering';
import { type Phase, phasesOf, reachOf, type Tap } from '../phases';
import type { Places } from '../places';
import { FeatureCache, type Plan, WHOLE_ROW } from '../plan';
import { inSlots } from '../runs';

/** The inputs of taps in a row, which are adjacent unless these are dilated. */
interface InputSpan {
  /** Rows above the current one. */
  readonly above: number;
  /** Columns to the left of the current one. */
  readonly left: number;
  /** The index of the first input among all inputs of a phase. */
  readonly first: number;
  readonly inputs: number;
}

/** A kernel between features in these slots. */
interface UnpackedKernel {
  readonly window: KernelWindow;
  readonly kernel: Float32Array;
  /** How many levels there are, each with a row of the kernel, if the inputs are numbers of levels; otherwise null. */
  readonly levels: number | null;
  readonly x: { readonly layout: Pick<Layout, 'slotOf' | 'slots'> };
  readonly y: { readonly layout: Pick<Layout, 'slotOf'> };
}

interface Convolution extends UnpackedKernel {
  readonly x: FeatureCache;
  readonly y: FeatureCache;
  /** [out slots] */
  readonly biases: Operand;
  /** 0 for a ReLU. */
  readonly lowerBound: number;
}

/** One phase of a convolution, with weights laid out in the heap. */
interface PackedPhase extends Convolution {
  readonly phase: Phase;
  /** The places of the image that it writes. */
  readonly places: Places;
  /** The inputs in each row above. A row's cached features are contiguous, so one product reads them. */
  readonly above: readonly InputSpan[];
  /** The first input in the output's own row. */
  readonly present: number;
  /** The position of its weights: rows of outputs for `lookup`, blocks of four with all inputs for `product`. */
  readonly weights: number;
  /** The distance from input to input, or from level to level of one input. */
  readonly inputStride: number;
  /** The distance from one block of four outputs to the next. */
  readonly blockStride: number;
}

/**
 * A masked convolution. Each output is computed as soon as its inputs are ready. If the operand holds the numbers of
 * levels, counted from 1, this is a convolution of their one-hot vectors; 0, as around the image, means no level.
 */
export const conv: Lowering<'conv'> = {
  emit({ plan, numbers }, { window, kernel: name, bias }, [x], y, hasRelu) {
    const { layout } = y;
    const biases = bias === null ? plan.reserve(layout.slots) : plan.constant(inSlots(numbers(bias), layout));
    const lowerBound = hasRelu ? 0 : NO_BOUND;
    const convolution = { window, kernel: numbers(name), levels: x.levels, x, y, biases, lowerBound };
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
  const { levels, x, y } = convolution;
  const taps = [...phase.above, phase.present].flatMap((row) => row.taps);
  const inputs = taps.length * x.layout.slots;
  const outSlots = y.layout.slots;
  const [inputStride, blockStride] = levels === null ? [4, 4 * inputs] : [outSlots, 4];
  const { offset: weights } = plan.written(inputs * (levels ?? 1) * outSlots, (to) =>
    packTaps(to, taps, convolution, inputStride, blockStride),
  );
  let first = 0;
  const above = phase.above.map(({ above, left, taps }): InputSpan => {
    const span = { above, left, first, inputs: taps.length * x.layout.slots };
    first += span.inputs;
    return span;
  });
  const { scale } = y;
  const places = { every: scale * phase.every, row: scale * phase.row, column: scale * phase.column };
  return { ...convolution, phase, places, above, present: first, weights, inputStride, blockStride };
}

/** The masked kernel at some taps, in the slots of inputs and outputs; `packed` is zeros. See {@link PackedPhase}. */
export function packTaps(
  packed: Float32Array,
  taps: readonly Tap[],
  { window, kernel, levels, x, y }: UnpackedKernel,
  inputStride: number,
  blockStride: number,
): void {
  const each = levels ?? 1; // kernel rows for each input
  const [featuresIn, featuresOut] = [x.layout.slotOf.length * each, y.layout.slotOf.length];
  const outputAt = Int32Array.from(y.layout.slotOf, (slot) => (slot >> 2) * blockStride + (slot & 3));
  for (const [t, [row, column]] of taps.entries()) {
    const visibility = visibilityAt(window, row, column);
    const start = (row * window.kernelSize[1] + column) * featuresIn * featuresOut;
    for (let i = 0; i < featuresIn; i++) {
      const slot = t * x.layout.slots + (x.layout.slotOf[Math.floor(i / each)] as number);
      const to = (slot * each + (i % each)) * inputStride;
      const from = start + i * featuresOut;
      for (let o = firstSeeing(window, visibility, i, featuresIn, featuresOut); o < featuresOut; o++) {
        packed[to + (outputAt[o] as number)] = kernel[from + o] as number;
      }
    }
  }
}

/** Outputs that are computed for the whole row: the products of all kernel rows, summed in place. */
function addRowOutputs(plan: Plan, packed: PackedPhase, time: typeof ROW | typeof AFTER_ROW): void {
  const { phase, y, above, present, biases, lowerBound } = packed;
  const inputs = inputsBy(packed, time);
  const ofPresent = { above: 0, left: phase.present.left, first: present, inputs };
  const spans = inputs > 0 || above.length === 0 ? [...above, ofPresent] : above;
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

/** How many adjacent inputs in the output's own row are known at a time, perhaps not all of the last tap's. */
function inputsBy({ phase, x }: PackedPhase, time: number): number {
  const { length } = phase.present.taps;
  const { slots } = x.layout;
  return length > phase.tapsBefore ? (length - 1) * slots + x.layout.slotsReady(time) : length * slots;
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
  const { left } = phase.present;
  const inputsBefore = tapsBefore * x.layout.slots;
  let centre = { above: 0, left, first: present, inputs: inputsBefore }; // and the taps computed with it
  if (!isOneTime && tapsBefore > 0) {
    const result = sums === biases ? plan.reserveForImages(1, outSlots) : sums; // [images,out slots]
    addProduct(plan, packed, 0, { range, span: centre, start: sums, result, lowerBound: NO_BOUND });
    sums = result;
    centre = { above: 0, left: 0, first: present + inputsBefore, inputs: 0 };
  }
  for (const { range, time } of ofPixel) {
    const inputs = centre.inputs + inputsBy(packed, time) - inputsBefore;
    const span = { ...centre, inputs };
    addProduct(plan, packed, time, { range, span, start: sums, result: y.operand(), lowerBound });
  }
}

/** max(start + x w, lowerBound) for the outputs in a range of slots, where x may be one-hot vectors. */
interface Product {
  readonly range: SlotRange;
  readonly span: InputSpan;
  readonly start: Operand;
  readonly result: Operand;
  readonly lowerBound: number;
}

function addProduct(plan: Plan, packed: PackedPhase, time: number, product: Product): void {
  const { x, levels, phase, places, weights, inputStride, blockStride } = packed;
  const { range, span, start, result, lowerBound } = product;
  const [from, to] = range;
  const a = x.operand(0, span.above, span.left);
  const code: Instruction = {
    op: levels === null ? 'product' : 'lookup',
    y: { ...result, offset: result.offset + from },
    a: { ...a, columnStride: (a.columnStride ?? 0) * phase.step },
    b: { ...start, offset: start.offset + from },
    length: to - from,
    weights: weights + span.first * (levels ?? 1) * inputStride + (from / 4) * blockStride,
    weightStride: levels === null ? blockStride : inputStride,
    inputs: span.inputs,
    ...(phase.tapDistance > 1 && { span: x.layout.slots, gap: (phase.tapDistance - 1) * x.layout.slots }),
    rows: levels ?? 0,
    parameter: lowerBound,
  };
  plan.emit(time, code, places);
}
