import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkBoolean, checkInteger, checkMemory, type NamesOf, throwTypeError } from '../core/check';
import { oneHotClass } from '../layers/one-hot-class';
import type { Shape } from '../layers/types';

/** What networks may be conditioned on. */
export interface ConditionArgs {
  /** Conditions the model on a class, 0 to numClasses - 1: an input [N,1]. */
  numClasses?: number;
  /**
   * Whether `numClasses` itself is one more class, that of no class: for training with dropped conditions.
   * @default false
   */
  nullClass?: boolean;
  /** Conditions the model on vectors of so many numbers: an input [N,K]. */
  conditionSize?: number;
}

/** The names of {@link ConditionArgs}. */
export const conditionArgNames: NamesOf<ConditionArgs> = {
  numClasses: true,
  nullClass: true,
  conditionSize: true,
};

/** An input of a network after the image, and the features that its gates take of it. */
interface ConditionInput {
  readonly input: SymbolicTensor;
  /** [N,K] or [N,H,W,K] */
  readonly features: SymbolicTensor;
}

/**
 * The inputs after the image, in the order class, vector, map: each is projected to so many features `projected`. `what`
 * names the network in errors.
 */
export function conditionInputs(
  what: string,
  args: ConditionArgs & {
    readonly conditionMapSize?: number;
    readonly imageShape: readonly [number | null, number | null, number];
  },
  projected: number,
): ConditionInput[] {
  const { numClasses, conditionSize, conditionMapSize } = args;
  const [height, width] = args.imageShape;
  const all = [
    { name: 'class', option: 'numClasses', size: numClasses, shape: [1] },
    { name: 'vector', option: 'conditionSize', size: conditionSize, shape: [conditionSize] },
    {
      name: 'map',
      option: 'conditionMapSize',
      size: conditionMapSize,
      shape: [height, width, conditionMapSize],
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
    const given = input({ shape: shape as Shape, name: taken.length === 1 ? 'condition' : name }); // [N,1], [N,K] or [N,H,W,K]
    if (name !== 'class') return { input: given, features: given };
    const oneHot = oneHotClass({ name: 'one_hot', numClasses: numClasses as number, nullClass });
    return { input: given, features: oneHot.apply(given) }; // [N,1] -> [N,K]
  });
}
