import { featuresOfGroup, firstSeeing, type KernelWindow, visibilityAt } from '../core/window';
import { wholeVectors } from '../kernels/instruction';
import type { Layout, SlotRange } from './layout';
import type { Tap } from './phases';

// How the kernels of convolutions and LSTMs lie in the heap.

/** Some outputs, and the slots of the inputs that they see at each tap: of all groups, or of their own. */
export interface Part {
  readonly outputs: SlotRange;
  readonly inputs: readonly SlotRange[];
  /** The groups of the window that these outputs are of. */
  readonly groups: Iterable<number>;
}

/** A kernel between features in these slots. */
export interface UnpackedKernel {
  readonly window: KernelWindow;
  /** How many levels there are, each with a row of the kernel, if the inputs are numbers of levels; otherwise null. */
  readonly levels: number | null;
  readonly x: { readonly layout: Pick<Layout, 'slotOf' | 'slots'> };
  readonly y: { readonly layout: Pick<Layout, 'slotOf'> };
}

/** The inputs and outputs of a convolution; with groups, of each four outputs, joined where these see the same. */
export function partsOf({ window, x, y }: UnpackedKernel): Part[] {
  const { groups = 1 } = window;
  const [featuresIn, featuresOut] = [x.layout.slotOf.length, y.layout.slotOf.length];
  const outSlots = wholeVectors((y.layout.slotOf.at(-1) as number) + 1);
  if (groups === 1) return [{ outputs: [0, outSlots], inputs: [[0, x.layout.slots]], groups: [0] }];
  const blocks = Array.from({ length: outSlots / 4 }, () => [new Set<number>(), new Set<number>()] as const); // inputs, groups
  for (let group = 0; group < groups; group++) {
    const inputs = featuresOfGroup(window, group, featuresIn).flatMap((range) => slotsOf(x.layout, range));
    for (const slot of featuresOfGroup(window, group, featuresOut).flatMap((range) =>
      slotsOf(y.layout, range),
    )) {
      const [seen, groups] = blocks[slot >> 2] as (typeof blocks)[number];
      groups.add(group);
      for (const input of inputs) seen.add(input);
    }
  }
  const parts: { outputs: [number, number]; inputs: SlotRange[]; groups: Set<number> }[] = [];
  for (const [block, [seen, groups]] of blocks.entries()) {
    const inputs = joined([...seen].sort((a, b) => a - b).map((slot): SlotRange => [slot, slot + 1]));
    const last = parts.at(-1);
    if (last && String(last.inputs) === String(inputs)) {
      last.outputs[1] += 4;
      for (const group of groups) last.groups.add(group);
    } else parts.push({ outputs: [4 * block, 4 * block + 4], inputs, groups });
  }
  return parts;
}

const slotsOf = ({ slotOf }: Pick<Layout, 'slotOf'>, [from, to]: SlotRange) => slotOf.slice(from, to);

const numbersIn = ([from, to]: SlotRange) => Array.from({ length: to - from }, (_, i) => from + i);

export const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** Ranges in order, those that touch as one. */
export function joined(ranges: readonly SlotRange[]): SlotRange[] {
  const all: [start: number, end: number][] = [];
  for (const [start, end] of ranges) {
    const last = all.at(-1);
    if (last?.[1] === start) last[1] = end;
    else if (end > start) all.push([start, end]);
  }
  return all;
}

/** The masked kernel at some taps, in the slots of inputs and outputs; `packed` is zeros. */
export function packTaps(
  packed: Float32Array | Uint16Array,
  kernel: Float32Array | Uint16Array,
  taps: readonly Tap[],
  { window, levels, x, y }: UnpackedKernel,
  { inputs, outputs, groups: ofPart }: Part,
  inputStride: number,
  blockStride: number,
): void {
  const each = levels ?? 1; // kernel rows for each input
  const perFloat = 4 / packed.BYTES_PER_ELEMENT; // 2 if packed
  const block = 4 * perFloat; // outputs of a block
  const { groups = 1 } = window;
  const featuresOut = y.layout.slotOf.length;
  const featuresIn = (x.layout.slotOf.length * each) / groups; // of the kernel
  const slots = inputs.flatMap(numbersIn);
  const inputAt = new Map(slots.map((slot, i) => [slot, i]));
  for (const group of ofPart) {
    const seen = featuresOfGroup(window, group, x.layout.slotOf.length).flatMap((range) =>
      slotsOf(x.layout, range),
    );
    const written = featuresOfGroup(window, group, featuresOut).flatMap(numbersIn);
    const slotOf = (o: number) => (y.layout.slotOf[o] as number) - outputs[0];
    const packedOutputs = Int32Array.from(
      written.filter((o) => slotOf(o) >= 0 && slotOf(o) < outputs[1] - outputs[0]),
    );
    const outputAt = packedOutputs.map((o) => {
      const slot = slotOf(o);
      const word = Math.floor(slot / block) * blockStride + (slot % 4);
      return perFloat * word + ((slot >> 2) % perFloat); // the half of the word, see packed.ts
    });
    for (const [t, [row, column]] of taps.entries()) {
      const visibility = visibilityAt(window, row, column);
      const start = (row * window.kernelSize[1] + column) * featuresIn * featuresOut;
      for (let i = 0; i < featuresIn; i++) {
        const input = t * slots.length + (inputAt.get(seen[Math.floor(i / each)] as number) as number);
        const to = (input * each + (i % each)) * inputStride * perFloat;
        const from = start + i * featuresOut;
        const first = firstSeeing(window, visibility, i, featuresIn, featuresOut);
        for (let k = packedOutputs.length - 1; k >= 0 && (packedOutputs[k] as number) >= first; k--) {
          packed[to + (outputAt[k] as number)] = kernel[from + (packedOutputs[k] as number)] as number;
        }
      }
    }
  }
}
