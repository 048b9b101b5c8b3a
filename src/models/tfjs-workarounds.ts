import {
  dispose,
  engine,
  type Optimizer,
  scalar,
  type Tensor,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';

// What tfjs 4.22 does not do, and training, saving and loading a model need.

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
  for (let i = 0; i < steps; i++) {
    const next = Math.fround(product * factor);
    if (Object.is(next, product)) return product; // and so it stays, however many steps a damaged file says
    product = next;
  }
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

/** What tfjs has made since some moment. Only the first call counts. */
export interface Made {
  /** Leaves it as it is. */
  keep(): void;
  /** Disposes it, variables and kept tensors too. */
  dispose(): void;
}

let isCollecting = false;

/**
 * Collects the tensors and variables that are made from now on, until it is told what to do with them: tfjs leaves them
 * behind when it fails to load a model. A collection within another collects nothing.
 */
export function collectMade(): Made {
  if (isCollecting) return { keep() {}, dispose() {} };
  const { registeredVariables } = engine();
  const before = new Set(Object.keys(registeredVariables));
  engine().startScope();
  const tensors: Tensor[] = engine().state.activeScope.track;
  isCollecting = true;
  let isEnded = false;
  const end = (act: () => void) => {
    if (isEnded) return;
    isEnded = true;
    isCollecting = false;
    engine().endScope([...tensors]); // as if there had been no scope
    act();
    tensors.length = 0;
  };
  return {
    keep: () => end(() => {}),
    dispose: () =>
      end(() => {
        dispose(tensors);
        for (const [name, variable] of Object.entries(registeredVariables)) {
          if (!before.has(name)) variable.dispose();
        }
      }),
  };
}
