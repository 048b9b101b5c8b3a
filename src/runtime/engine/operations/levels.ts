import type { Instruction } from '../../kernels/instruction';
import { type Lowering, NO_BOUND } from '../lowering';
import type { FeatureCache, Plan } from '../plan';
import { eachGroup } from '../runs';

/** The numbers of the levels that features x represent, counted from 1; 0 if x is not a level. */
export function addLevelNumbers(plan: Plan, levels: number, x: FeatureCache, y: FeatureCache): void {
  eachNumber(plan, x, y, { op: 'levelNumber', parameter: levels - 1 });
}

/** One-hot vectors from an index, counted from 0. */
export const oneHot: Lowering<'oneHot'> = {
  emit: ({ plan }, _, [x], y) => eachNumber(plan, x, y, { op: 'oneHot' }),
};

export const oneHotLevels: Lowering<'oneHotLevels'> = {
  levels: ({ levels }) => levels,
  emit: ({ plan }, _, [numbers], y) => eachNumber(plan, numbers, y, { op: 'oneHot', parameter: 1 }),
};

export const embedLevels: Lowering<'embedLevels'> = {
  levels: ({ table }, weights) => weights.get(table)?.shape[0] ?? 0,
  emit({ plan, numbers: numbersOf }, node, [numbers], y) {
    const table = numbersOf(node.table); // [levels,units]
    const units = y.layout.times.length / numbers.layout.times.length;
    eachNumber(plan, numbers, y, {
      op: 'lookup',
      b: plan.reserve(units), // zeros
      weights: plan.constant(table).offset,
      weightStride: units,
      inputs: 1,
      rows: table.length / units,
      parameter: NO_BOUND,
    });
  },
};

/** One instruction for the features of each number. */
function eachNumber(
  plan: Plan,
  x: FeatureCache,
  y: FeatureCache,
  instruction: Omit<Instruction, 'y' | 'a' | 'length'>,
) {
  const { slotOf } = x.layout;
  eachGroup(plan, y, slotOf.length, (_, i) => ({ ...instruction, a: x.operand(slotOf[i]) }));
}
