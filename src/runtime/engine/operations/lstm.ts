import { windowAround } from '../../core/window';
import type { Instruction, Operand, OpName } from '../../kernels/instruction';
import type { NodeOf } from '../../program/operations';
import { ROW } from '../../program/times';
import { packTaps } from '../kernel-layout';
import { Layout } from '../layout';
import { type Lowering, NO_BOUND } from '../lowering';
import type { Tap } from '../phases';
import { FeatureCache, WHOLE_ROW } from '../plan';
import { commonRuns } from '../runs';

/** The gates, in their order within the features of a group. */
const [O, F, I, G] = [0, 1, 2, 3] as const;

/**
 * An LSTM over pixels, from gate inputs z to its states y. The contribution of the row above to the gates is one
 * product for the whole row, before its first pixel. The contribution of the state to the left or right is added at
 * each pixel or, if z is known for the whole row at once, in a sweep over the row.
 */
export const lstm: Lowering<'lstm'> = {
  readsOwn: ({ path, kernelSize }) => ({ above: 1, columns: path === 'rows' ? kernelSize[1] >> 1 : 1 }),
  emit({ plan, numbers }, node, [z], y) {
    const { path, size, kernelSize } = node;
    const { layout, scale, places } = y;
    const { slots, times, runs } = layout;
    const gates = new FeatureCache(plan, Layout.concat([layout, layout, layout, layout]), WHOLE_ROW, scale);
    const cells = new FeatureCache(plan, layout, { ...WHOLE_ROW, margin: 1 }, scale);
    const gateOf = gatesOf(node);
    const slotOf = gateOf.map((gate) => gates.layout.slotOf[gate] as number);

    const window = windowAround(kernelSize, 'everythingAndBelow', 1); // hides nothing
    const whole = { outputs: [0, 4 * slots], inputs: [[0, slots]], groups: [0] } as const;
    const unpacked = { window, levels: null, x: y, y: { layout: { slotOf } } };
    /** The gates: `sums` plus the contribution of states through some taps of the kernel. */
    const product = (states: Operand, taps: readonly Tap[], sums: Operand): Instruction => {
      const inputs = taps.length * slots;
      const weightStride = 4 * inputs;
      const weights = plan.written(slots * weightStride, (to) =>
        packTaps(to, numbers(node.kernel), taps, unpacked, whole, 4, weightStride),
      );
      return {
        op: 'product',
        y: gates.operand(),
        a: states,
        b: sums,
        weights: weights.offset,
        weightStride,
        inputs,
        length: 4 * slots,
        parameter: NO_BOUND,
      };
    };
    const tapsAbove = Array.from({ length: kernelSize[1] }, (_, column): Tap => [0, column]);
    const above = y.operand(0, 1, kernelSize[1] >> 1);
    plan.emit(ROW, product(above, tapsAbove, plan.reserve(4 * slots)), places);

    const zTimes = gateOf.map((gate) => times[gate % size] as number);
    for (const { time, from, length } of commonRuns(zTimes, slotOf, z.layout.slotOf)) {
      const [to, a] = from;
      const sum = gates.operand(to);
      plan.emit(time, { op: 'add', y: sum, a: z.operand(a), b: sum, length }, places);
    }

    const first = times.reduce((least, time) => Math.min(least, time));
    const sweep = path === 'rows' ? undefined : path;
    const toLeft = { rows: 0, fromLeft: 1, fromRight: -1 }[path]; // columns from a pixel to its previous cell
    if (path !== 'rows') {
      const beside = y.operand(0, 0, toLeft);
      plan.emit(first, product(beside, [[1, 0]], gates.operand()), places, sweep);
    }
    for (const { range, time } of runs) {
      const [from, to] = range;
      const part = (gate: number) => gates.operand(gate * slots + from);
      const emit = (op: OpName, y: Operand, a: Operand, b?: Operand) =>
        plan.emit(time, { op, y, a, ...(b && { b }), length: to - from }, places, sweep);
      const cell = cells.operand(from);
      emit('gate', part(G), part(G), part(I));
      emit('sigmoid', part(F), part(F));
      emit('multiply', part(F), part(F), cells.operand(from, 0, toLeft));
      emit('add', cell, part(F), part(G));
      emit('gate', y.operand(from), cell, part(O));
    }
  },
};

/** For each feature of z, the gate that it belongs to, [4,F]: each group has o, f, i and g in turn. */
function gatesOf({ size, groups }: NodeOf<'lstm'>): number[] {
  const group = size / groups;
  return Array.from({ length: 4 * size }, (_, feature) => {
    const [part, index] = [Math.floor(feature / group) % 4, Math.floor(feature / (4 * group))];
    return part * size + index * group + (feature % group);
  });
}
