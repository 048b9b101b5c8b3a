import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkBoolean, checkInteger, checkMemory, type NamesOf, throwTypeError } from '../core/check';
import type { ConditionShape } from '../core/conditions';
import { oneHotClass } from '../layers/one-hot-class';
import { oneHotCodes } from '../layers/one-hot-codes';
import type { Shape } from '../layers/types';

/** What networks may be conditioned on. */
export interface ConditionArgs {
  /** Conditions the model on a class, 0 to numClasses - 1: an input [N,1]. */
  numClasses?: number;
  /**
   * Whether `numClasses` is itself a valid class, meaning no class: for training with dropped conditions.
   * @default false
   */
  nullClass?: boolean;
  /** Conditions the model on vectors of this length: an input [N,K]. */
  conditionSize?: number;
}

/** The names of {@link ConditionArgs}. */
export const conditionArgNames: NamesOf<ConditionArgs> = {
  numClasses: true,
  nullClass: true,
  conditionSize: true,
};

/** An input of a network after the image, and the features that the gates get from it. */
interface ConditionInput {
  readonly kind: ConditionShape['kind'];
  readonly input: SymbolicTensor;
  /** [N,K], [N,H,W,K], or [N,h,w,K] for codes */
  readonly features: SymbolicTensor;
}

/**
 * The inputs after the image, in the order class, vector, map, codes. All except codes will be projected to `projected`
 * features. `what` names the network in errors.
 */
export function conditionInputs(
  what: string,
  args: ConditionArgs & {
    readonly conditionMapSize?: number;
    readonly codeCondition?:
      | { readonly levels: number; readonly shape: readonly [number, number] }
      | undefined;
    readonly imageShape: readonly [number | null, number | null, number];
  },
  projected: number,
): ConditionInput[] {
  const { numClasses, conditionSize, conditionMapSize, codeCondition } = args;
  const [height, width] = args.imageShape;
  const all: { name: ConditionShape['kind']; option: string; size: number | undefined; shape: Shape }[] = [
    { name: 'class', option: 'numClasses', size: numClasses, shape: [1] },
    { name: 'vector', option: 'conditionSize', size: conditionSize, shape: [conditionSize ?? null] },
    {
      name: 'map',
      option: 'conditionMapSize',
      size: conditionMapSize,
      shape: [height, width, conditionMapSize ?? null],
    },
    {
      name: 'codes',
      option: 'codeCondition: levels',
      size: codeCondition?.levels,
      shape: [...(codeCondition?.shape ?? []), 1],
    },
  ];
  const taken = all.filter(({ size }) => size !== undefined);
  for (const { option, size } of taken) {
    checkMemory(`${what}: ${option}`, [checkInteger(`${what}: ${option}`, size, 1), projected]);
  }
  const nullClass = checkBoolean(`${what}: nullClass`, args.nullClass ?? false);
  if (nullClass && numClasses === undefined)
    throwTypeError(`${what}: nullClass`, 'numClasses beside it', nullClass);
  return taken.map(({ name, shape }) => {
    const given = input({ shape, name: taken.length === 1 ? 'condition' : name }); // [N,1], [N,K], [N,H,W,K] or [N,h,w,1]
    const condition = { kind: name, input: given };
    if (name === 'class') {
      const oneHot = oneHotClass({ name: 'one_hot', numClasses: numClasses as number, nullClass });
      return { ...condition, features: oneHot.apply(given) }; // [N,1] -> [N,K]
    }
    if (codeCondition === undefined || name !== 'codes') return { ...condition, features: given };
    const oneHot = oneHotCodes({ name: 'one_hot_codes', levels: codeCondition.levels });
    return { ...condition, features: oneHot.apply(given) }; // [N,h,w,1] -> [N,h,w,K]
  });
}
