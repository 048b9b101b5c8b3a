import * as tf from '@tensorflow/tfjs-core';
import { type LayerVariable, loadLayersModel } from '@tensorflow/tfjs-layers';
import type { AutoregressiveModel } from '../models/autoregressive-model';
import { assignWeight, trainWeights } from '../models/tfjs-workarounds';
import { uniformsOf } from '../runtime/core/random';
import { answer, type Port, type Reply } from '../runtime/workers/port';
import { type Begin, type Outcome, partsOf, type Request, unshared, type Work, weightsOf } from './shards';

/** An optimizer that keeps the gradients of a step instead of applying them. */
class Recorder extends tf.Optimizer {
  static className = 'Recorder';
  /** The number of the step, on which dropout depends. */
  step = 0;
  gradients: (tf.Tensor | null)[] = [];

  override get iterations(): number {
    return this.step;
  }

  override minimize(f: () => tf.Scalar, _: boolean, weights: tf.Variable[]): tf.Scalar {
    const { value, grads } = this.computeGradients(f, weights);
    this.gradients = weights.map(({ name }) => grads[name] ?? null); // null for a weight that the loss does not depend on
    return value;
  }

  override applyGradients(): void {}

  override getConfig() {
    return {};
  }
}

/** How a worker gets tfjs's backends. */
export interface Backends {
  wasm(): Promise<typeof import('@tensorflow/tfjs-backend-wasm')>;
  /** What replaces the wasm backend where it need not be installed. */
  cpu?(): Promise<unknown>;
}

/** All files of the wasm backend, since tfjs wants a path of each; a worker reads the one with SIMD. */
const FILES = { 'tfjs-backend-wasm.wasm': '', 'tfjs-backend-wasm-simd.wasm': '', 'tfjs-backend-wasm-threaded-simd.wasm': '' }; // biome-ignore format: one line

/** Computes on wasm; or on cpu, if there is one, and nobody said where the files of wasm are. */
async function useBackend({ wasm, cpu }: Backends, wasmPaths: unknown): Promise<void> {
  try {
    const { setWasmPaths } = await wasm();
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // the other cores have their own workers
    if (typeof wasmPaths === 'string') setWasmPaths(wasmPaths);
    else if (wasmPaths !== undefined) setWasmPaths({ ...FILES, ...(wasmPaths as object) });
    if (await tf.setBackend('wasm')) return;
    await tf.findBackendFactory('wasm')(); // throws the error that setBackend only prints
    throw new Error('only a second attempt succeeded');
  } catch (cause) {
    if (cpu === undefined || wasmPaths !== undefined) {
      const failure = 'createTrainer: wasmPaths: a worker cannot start the wasm backend';
      throw new Error(`${failure}: ${(cause as Error).message}`, { cause });
    }
  }
  await cpu();
  await tf.setBackend('cpu');
}

/** A model like the trainer's, with weights of its own. */
async function modelOf(modelTopology: object): Promise<AutoregressiveModel> {
  try {
    return (await loadLayersModel({ load: async () => ({ modelTopology }) })) as AutoregressiveModel;
  } catch (cause) {
    const failure = "a worker cannot make the model (does its module import the model's layers?)";
    throw new Error(`createTrainer: ${failure}: ${(cause as Error).message}`, { cause });
  }
}

/** Calls a function while `Math.random` has a seed: tfjs's layers of noise, and those of users, begin with it. */
function withRandom<T>(seed: string, act: () => T): T {
  const { random } = Math;
  Math.random = uniformsOf(seed);
  try {
    return act();
  } finally {
    Math.random = random;
  }
}

/** A replica of the trainer's model. */
async function replicaOf(
  { topology, loss, metrics, trainable, noiseSeed, wasmPaths }: Begin,
  backends: Backends,
) {
  await useBackend(backends, wasmPaths);
  const model = await modelOf(topology);
  const weights = weightsOf(model);
  model.noiseSeed = noiseSeed;
  const recorder = new Recorder();
  model.compile({ optimizer: recorder, loss, metrics, checkLabels: false } as never); // both are names of this library's functions
  const trained = trainable.map((i) => weights[i] as LayerVariable);
  trainWeights(model, trained);
  const train = model.makeTrainFunction();

  /** Makes the weights those of the trainer. */
  function update(values: Float32Array): void {
    for (const [i, numbers] of partsOf(values, weights).entries()) {
      const weight = weights[i] as LayerVariable;
      const tensor = tf.tensor(numbers.slice(), weight.shape as number[]); // a copy, since the cpu backend keeps it
      assignWeight(weight, tensor);
      tensor.dispose();
    }
  }

  /** Writes the gradients of the loss, multiplied by the shard's share of its batch. */
  async function writeGradients(to: Float32Array, share: number): Promise<void> {
    for (const [i, part] of partsOf(to, trained).entries()) {
      const numbers = await recorder.gradients[i]?.data<'float32'>();
      if (numbers === undefined) part.fill(0);
      else for (let k = 0; k < part.length; k++) part[k] = (numbers[k] as number) * share;
    }
  }

  async function perform({ first, share, gradients, ...work }: Work): Promise<Outcome> {
    if (work.weights !== null) update(work.weights);
    recorder.step = work.step;
    model.firstImage = first;
    const tensors = work.tensors.map(({ data, shape, dtype }) => tf.tensor(data, [...shape], dtype));
    let losses: tf.Scalar[] = [];
    try {
      if (gradients === null) {
        const [inputs, labels] = [tensors.slice(0, -1), tensors.slice(-1)];
        const batchSize = labels[0]?.shape[0] as number;
        losses = [model.evaluate<tf.Scalar | tf.Scalar[]>(inputs, labels, { batchSize })].flat();
      } else {
        losses = withRandom(`${noiseSeed}/${work.step}/${first}`, () => train(tensors) as tf.Scalar[]);
        await writeGradients(gradients, share);
      }
      const figures = await Promise.all(losses.map(async (loss) => (await loss.data())[0] as number));
      return { figures, gradients };
    } finally {
      tf.dispose([tensors, losses, recorder.gradients.flatMap((gradient) => gradient ?? [])]);
      recorder.gradients = [];
    }
  }
  return { perform, dispose: () => model.dispose() };
}

/** Serves the requests of a trainer, inside a worker, as long as the worker lives. */
export function serveTraining(port: Port, backends: Backends): void {
  let replica: Awaited<ReturnType<typeof replicaOf>> | undefined;

  async function perform(request: Request): Promise<Outcome | null> {
    if (request.kind === 'begin') {
      port.post({ kind: 'progress', done: 0 } satisfies Reply<never>, []); // the sign of life that a team waits for
      replica?.dispose(); // the model has been compiled again
      replica = await replicaOf(request, backends);
      return null;
    }
    if (replica === undefined)
      throw new Error(`pixelcnn-layers/train-worker: wanted a request of a trainer, got '${request.kind}'`);
    return replica.perform(request);
  }
  const buffersOf = (outcome: Outcome | null) => unshared(outcome?.gradients ?? null);
  port.listen((message) => void answer(port, () => perform(message as Request), buffersOf));
}
