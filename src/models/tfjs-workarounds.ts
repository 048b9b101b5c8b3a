import {
  dispose,
  engine,
  type Optimizer,
  scalar,
  type Tensor,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';

// What tfjs 4.22 does not do: three things that training and saving a model need.

/** The part of tfjs's AdamOptimizer that holds beta1^t and beta2^t, kept by multiplying once a step. */
interface AdamPowers {
  beta1: number;
  beta2: number;
  accBeta1: Variable;
  accBeta2: Variable;
}

/**
 * Makes a loaded Adam go on exactly as the one that was saved. tfjs restores the running powers of beta by
 * `pow`, which differs in the last bits from the float32 products that training made; here they are
 * multiplied out again.
 */
export function restoreAdamPowersExactly(optimizer: Optimizer): void {
  if (optimizer.getClassName() !== 'Adam') return;
  const setWeights = optimizer.setWeights.bind(optimizer);
  optimizer.setWeights = async (weights) => {
    await setWeights(weights);
    const adam = optimizer as Optimizer & AdamPowers;
    tidy(() => {
      adam.accBeta1.assign(scalar(power(adam.beta1, optimizer.iterations)));
      adam.accBeta2.assign(scalar(power(adam.beta2, optimizer.iterations)));
    });
  };
}

/** beta^(steps + 1) as `steps` float32 multiplications of beta give it. */
function power(beta: number, steps: number): number {
  const factor = Math.fround(beta);
  let product = factor;
  for (let i = 0; i < steps; i++) product = Math.fround(product * factor);
  return product;
}

/**
 * Runs `save` and disposes the step counts that the optimizer makes tensors of meanwhile, which tfjs leaves
 * behind.
 */
export async function withoutLeakingSteps<T>(optimizer: Optimizer, save: () => Promise<T>): Promise<T> {
  const steps: Tensor[] = [];
  const getWeights = optimizer.getWeights.bind(optimizer);
  optimizer.getWeights = async () => {
    const weights = await getWeights();
    steps.push(...weights.filter(({ name }) => name === 'iter').map(({ tensor }) => tensor));
    return weights;
  };
  try {
    return await save();
  } finally {
    Reflect.deleteProperty(optimizer, 'getWeights'); // its class's own again
    dispose(steps);
  }
}

/**
 * Releases what tfjs had kept for a backward pass that an error prevented: when a function throws under
 * `variableGrads`, tfjs 4.22 leaves the tensors saved so far behind.
 */
export function disposeAbandonedTape(): void {
  const { state } = engine();
  if (state.gradientDepth > 0) return; // an outer gradient still needs its tape
  for (const node of state.activeTape ?? []) dispose(node.saved ?? []);
  state.activeTape = [];
}
