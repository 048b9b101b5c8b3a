import { causalRows, firstSeer, presentColumns, sightOf, type Window } from '../core/window';
import { Op, type Operand } from '../kernels/instruction';
import { AFTER_ROW, ROW } from '../program/readiness';
import type { Layout, Range } from './layout';
import { FeatureCache, type Plan, WHOLE_ROW } from './plan';

const NO_BOUND = Number.NEGATIVE_INFINITY;

/** Inputs that lie side by side in a row, and where their weights begin in the heap. */
interface InputSpan {
  /** Rows above the present one. */
  readonly above: number;
  /** Columns to the left of the present one. */
  readonly left: number;
  readonly inputs: number;
  readonly weights: number;
}

/** The numbers of a convolution: kernel [rows,columns,in,out], whole, and bias [out]. */
export interface ConvolutionWeights {
  readonly kernel: Float32Array;
  readonly bias: Float32Array | null;
}

/** A convolution whose weights are laid out in the heap. */
interface Convolution {
  readonly window: Window;
  /** Where what is read are numbers of levels: how many levels there are, each with a row of the kernel; else null. */
  readonly levels: number | null;
  readonly x: FeatureCache;
  readonly y: FeatureCache;
  /** What each kernel row above sees: a row's cached features lie side by side, so it is one product. */
  readonly above: readonly InputSpan[];
  /** Where the weights of the kernel's row on the present one begin. */
  readonly present: number;
  /** [out slots] */
  readonly biases: Operand;
  /** 0 for a ReLU. */
  readonly lowerBound: number;
}

/**
 * A masked convolution from features x to y, each output as soon as what it sees is ready. Where `levels` are given, it
 * is one of their one-hot vectors, and x are the numbers of the levels, counted from 1; 0, as around the image, is none.
 */
export function addConvolution(
  plan: Plan,
  window: Window,
  weights: ConvolutionWeights,
  x: FeatureCache,
  y: FeatureCache,
  isRelu: boolean,
  levels: number | null = null,
): void {
  const [, columns] = window.kernelSize;
  const [rowsAbove, left] = window.anchor;
  const inputs = columns * x.layout.slots; // of a kernel row
  const rowFloats = inputs * (levels ?? 1) * y.layout.slots;
  const packed = plan.constant(packedKernel(window, weights.kernel, x.layout, y.layout, levels ?? 1)).offset;
  const biases = plan.constant(packedBias(weights.bias, y.layout));
  const above = Array.from({ length: rowsAbove }, (_, row): InputSpan => {
    return { above: rowsAbove - row, left, inputs, weights: packed + row * rowFloats };
  });
  const present = packed + rowsAbove * rowFloats;
  const convolution = { window, levels, x, y, above, present, biases, lowerBound: isRelu ? 0 : NO_BOUND };
  addRowOutputs(plan, convolution, ROW);
  addPixelOutputs(plan, convolution);
  addRowOutputs(plan, convolution, AFTER_ROW);
}

/** The masked kernel as [rows,columns,in slots,levels,out slots], of the causal rows. */
function packedKernel(
  window: Window,
  kernel: Float32Array,
  x: Layout,
  y: Layout,
  levels: number,
): Float32Array {
  const [, columns] = window.kernelSize;
  const taps = causalRows(window) * columns;
  const [featuresIn, featuresOut] = [x.slotOf.length * levels, y.slotOf.length];
  const packed = new Float32Array(taps * x.slots * levels * y.slots);
  const isDense = x.slots === x.slotOf.length && y.slots === featuresOut;
  for (let tap = 0; tap < taps; tap++) {
    const sight = sightOf(window, Math.floor(tap / columns), tap % columns);
    const first = (i: number) => firstSeer(window, sight, i, featuresIn, featuresOut);
    const start = tap * featuresIn * featuresOut;
    if (isDense && first(featuresIn - 1) === 0) {
      packed.set(kernel.subarray(start, start + featuresIn * featuresOut), start); // all see all
      continue;
    }
    for (let i = 0; i < featuresIn; i++) {
      const from = start + i * featuresOut;
      const slot = tap * x.slots + (x.slotOf[Math.floor(i / levels)] as number);
      const to = (slot * levels + (i % levels)) * y.slots;
      for (let o = first(i); o < featuresOut; o++) {
        packed[to + (y.slotOf[o] as number)] = kernel[from + o] as number;
      }
    }
  }
  return packed;
}

/** [out slots] */
function packedBias(bias: Float32Array | null, y: Layout): Float32Array {
  const packed = new Float32Array(y.slots);
  for (const [o, slot] of y.slotOf.entries()) packed[slot] = bias?.[o] ?? 0;
  return packed;
}

/** Outputs that are computed for the whole row: products of each kernel row, added up in place. */
function addRowOutputs(plan: Plan, convolution: Convolution, time: typeof ROW | typeof AFTER_ROW): void {
  const { window, y, above, present, biases, lowerBound } = convolution;
  const [, left] = window.anchor;
  const inputs = presentInputs(convolution, time);
  const spans = [...above, { above: 0, left, inputs, weights: present }];
  const result = y.operand();
  for (const { range } of y.layout.runs.filter((run) => run.time === time)) {
    for (const [i, span] of spans.entries()) {
      const start = i === 0 ? biases : result;
      const bound = i === spans.length - 1 ? lowerBound : NO_BOUND;
      addProduct(plan, convolution, time, { range, span, start, result, lowerBound: bound });
    }
  }
}

/** How many inputs, side by side, outputs that are computed for the whole row see in the present row. */
function presentInputs({ window, x }: Convolution, time: number): number {
  const columns = presentColumns(window);
  if (columns === 0 || window.present === 'everything') return columns * x.layout.slots;
  return (columns - 1) * x.layout.slots + x.layout.slotsReady(time);
}

/**
 * Outputs of the present pixel. What rows above contribute is summed for the whole row before its first pixel,
 * which reads each weight once a row; what pixels to the left contribute, once for all outputs. The centre
 * follows channel by channel, from the inputs ready by then. Where all outputs are ready at one time, the
 * pixels to the left come with the centre.
 */
function addPixelOutputs(plan: Plan, convolution: Convolution): void {
  const { window, levels, x, y, above, present, biases, lowerBound } = convolution;
  const ofPixel = y.layout.runs.filter(({ time }) => time !== ROW && time !== AFTER_ROW);
  if (ofPixel.length === 0) return;
  const [, left] = window.anchor;
  const inSlots = x.layout.slots;
  const outSlots = y.layout.slots;
  const range: Range = [0, outSlots];
  const isOneTime = y.layout.runs.length === 1;
  let sums = biases; // [out slots]
  if (above.length > 0) {
    const ofRow = new FeatureCache(plan, y.layout, WHOLE_ROW).operand(); // [images,width,out slots]
    for (const span of above) {
      addProduct(plan, convolution, ROW, { range, span, start: sums, result: ofRow, lowerBound: NO_BOUND });
      sums = ofRow;
    }
  }
  if (!isOneTime && left > 0) {
    const span = { above: 0, left, inputs: left * inSlots, weights: present };
    const result = sums === biases ? plan.reserveForImages(1, outSlots) : sums; // [images,out slots]
    addProduct(plan, convolution, 0, { range, span, start: sums, result, lowerBound: NO_BOUND });
    sums = result;
  }
  const before = isOneTime ? left : 0; // pixels that come with the centre
  const weights = present + (left - before) * inSlots * (levels ?? 1) * outSlots;
  for (const { range, time } of ofPixel) {
    const inputs = before * inSlots + x.layout.slotsReady(time);
    const span = { above: 0, left: before, inputs, weights };
    addProduct(plan, convolution, time, { range, span, start: sums, result: y.operand(), lowerBound });
  }
}

/** max(start + x w, lowerBound), where x may be one-hot vectors, of the outputs in a range of slots. */
interface Product {
  readonly range: Range;
  readonly span: InputSpan;
  readonly start: Operand;
  readonly result: Operand;
  readonly lowerBound: number;
}

function addProduct(plan: Plan, { x, y, levels }: Convolution, time: number, product: Product): void {
  const { range, span, start, result, lowerBound } = product;
  const [from, to] = range;
  plan.emit(time, {
    ...(levels === null ? { op: Op.product } : { op: Op.lookup, rows: levels }),
    y: { ...result, offset: result.offset + from },
    a: x.operand(0, span.above, span.left),
    b: { ...start, offset: start.offset + from },
    length: to - from,
    weights: span.weights + from,
    weightStride: y.layout.slots,
    inputs: span.inputs,
    parameter: lowerBound,
  });
}
