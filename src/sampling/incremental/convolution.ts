import { Op, type Operand } from '../../kernels/instruction';
import { type ConvArgs, kernelShape } from '../../program/program';
import { ROW } from '../../program/steps';
import type { FeatureCache } from './feature-cache';
import type { Range } from './layout';
import { packWeights } from './pack-weights';
import type { Plan } from './plan';

const NONE = Number.NEGATIVE_INFINITY;

/** Inputs that lie side by side in a row, and where their weights begin in the heap. */
interface InputSpan {
  /** Rows above the present one. */
  readonly above: number;
  /** Columns to the left of the present one. */
  readonly left: number;
  readonly inputs: number;
  readonly weights: number;
}

/** A convolution whose weights are laid out in the heap. */
interface Convolution {
  readonly x: FeatureCache;
  readonly y: FeatureCache;
  readonly columns: number;
  /** Columns of the kernel to the left of the output's own. */
  readonly left: number;
  /** What each kernel row above sees: a row's cached features lie side by side, so it is one product. */
  readonly above: readonly InputSpan[];
  /** Where the weights of the kernel's row on the present one begin. */
  readonly present: number;
  /** [out slots] */
  readonly biases: Operand;
  /** 0 for a ReLU. */
  readonly least: number;
}

/** A masked convolution from features x to y, each output as soon as what it sees is known. */
export function addConvolution(
  plan: Plan,
  args: ConvArgs,
  x: FeatureCache,
  y: FeatureCache,
  isRelu: boolean,
): void {
  const [kernelRows, columns] = kernelShape(args);
  const rowsAbove = kernelRows >> 1;
  const left = columns >> 1;
  const inputs = columns * x.layout.slots; // of a kernel row
  const rowFloats = inputs * y.layout.slots;
  const { packed, biases } = packWeights(plan, args, x.layout, y.layout);
  const above = Array.from({ length: rowsAbove }, (_, row): InputSpan => {
    return { above: rowsAbove - row, left, inputs, weights: packed + row * rowFloats };
  });
  const present = packed + rowsAbove * rowFloats;
  const convolution = { x, y, columns, left, above, present, biases, least: isRelu ? 0 : NONE };
  addRowOutputs(plan, convolution, args);
  addPixelOutputs(plan, convolution);
}

/** Outputs that are known for the whole row: products of each kernel row, added up in place. */
function addRowOutputs(plan: Plan, convolution: Convolution, args: ConvArgs): void {
  const { y, left, above, present, biases, least } = convolution;
  const inputs = presentInputs(convolution, args);
  const spans = [...above, { above: 0, left, inputs, weights: present }];
  const result = y.operand();
  for (const { range } of y.layout.stretches.filter(({ step }) => step === ROW)) {
    for (const [i, span] of spans.entries()) {
      const start = i === 0 ? biases : result;
      const isLast = i === spans.length - 1;
      addProduct(plan, convolution, ROW, { range, span, start, result, least: isLast ? least : NONE });
    }
  }
}

/** How many inputs, side by side, outputs that are known for the whole row see in the present row. */
function presentInputs({ x, columns, left }: Convolution, { vertical, maskType }: ConvArgs): number {
  if (!vertical) return left * x.layout.slots + x.layout.slotsKnown(ROW);
  return maskType === 'A' ? 0 : columns * x.layout.slots;
}

/**
 * Outputs of the present pixel. What earlier pixels contribute is summed once, for all outputs; the centre
 * follows step by step, from the inputs known by then. Where all outputs have one step, the pixels to the
 * left come with the centre.
 */
function addPixelOutputs(plan: Plan, convolution: Convolution): void {
  const { x, y, left, above, present, biases, least } = convolution;
  const ofPixel = y.layout.stretches.filter(({ step }) => step !== ROW);
  if (ofPixel.length === 0) return;
  const inSlots = x.layout.slots;
  const outSlots = y.layout.slots;
  const isOneStep = y.layout.stretches.length === 1;
  const toTheLeft = { above: 0, left, inputs: left * inSlots, weights: present };
  const past = isOneStep || left === 0 ? above : [...above, toTheLeft];
  // [images,out slots], or [out slots]
  const sums = past.length > 0 ? plan.reserveForImages(1, outSlots) : biases;
  for (const [i, span] of past.entries()) {
    const start = i === 0 ? biases : sums;
    addProduct(plan, convolution, 0, { range: [0, outSlots], span, start, result: sums, least: NONE });
  }
  const before = isOneStep ? left : 0; // pixels that come with the centre
  const weights = present + (left - before) * inSlots * outSlots;
  for (const { range, step } of ofPixel) {
    const inputs = before * inSlots + x.layout.slotsKnown(step);
    const span = { above: 0, left: before, inputs, weights };
    addProduct(plan, convolution, step, { range, span, start: sums, result: y.operand(), least });
  }
}

/** max(start + x w, least), of the outputs in a range of slots. */
interface Product {
  readonly range: Range;
  readonly span: InputSpan;
  readonly start: Operand;
  readonly result: Operand;
  readonly least: number;
}

function addProduct(plan: Plan, { x, y }: Convolution, step: number, product: Product): void {
  const { range, span, start, result, least } = product;
  const [from, to] = range;
  plan.emit(step, {
    op: Op.product,
    y: { ...result, offset: result.offset + from },
    a: x.operand(0, span.above, span.left),
    b: { ...start, offset: start.offset + from },
    length: to - from,
    weights: span.weights + from,
    weightStride: y.layout.slots,
    inputs: span.inputs,
    least,
  });
}
