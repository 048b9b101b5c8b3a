import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { AutoregressiveModel } from '../models/autoregressive-model';
import type { Port } from '../pool/port';
import type { Reply } from '../pool/worker-calls';
import { type Begin, layoutOf, type Outcome, type Request, unshared, type Work, weightsOf } from './shards';

/** Keeps the gradients of a step instead of applying them. */
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
    this.gradients = Object.values(grads); // null for a weight that the loss does not depend on
    return value;
  }

  override applyGradients(): void {}

  override getConfig() {
    return {};
  }
}

/** Computes on the fastest backend of a worker that is installed. */
async function useBackend(wasmPaths: unknown): Promise<void> {
  try {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // the other cores have their own workers
    if (wasmPaths !== undefined) setWasmPaths(wasmPaths as Parameters<typeof setWasmPaths>[0]);
    if (await tf.setBackend('wasm')) return;
  } catch {
    // It is not installed.
  }
  await import('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
}

/** A replica of the trainer's model. */
async function replicaOf({ topology, loss, metrics, trainable, weights: shared, wasmPaths }: Begin) {
  await useBackend(wasmPaths);
  const load = async () => ({ modelTopology: topology });
  const model = (await loadLayersModel({ load })) as AutoregressiveModel;
  const weights = weightsOf(model);
  const recorder = new Recorder();
  model.compile({ optimizer: recorder, loss, metrics, checkLabels: false } as never); // names of this library's functions
  const trained = trainable.map((i) => weights[i] as (typeof weights)[0]);
  model['collectedTrainableWeights'] = trained;
  const train = model['makeTrainFunction']();
  const [all, ofTrained] = [layoutOf(weights), layoutOf(trained)];
  let version = -1;

  /** Makes the weights those of the trainer. */
  function update(values: Float32Array): void {
    for (const [i, weight] of weights.entries()) {
      const numbers = values.slice(...(all.ranges[i] as [number, number])); // a copy, since the cpu backend keeps it
      const tensor = tf.tensor(numbers, weight.shape as number[]);
      weight.write(tensor);
      tensor.dispose();
    }
  }

  /** Writes the gradients of the loss, in the share that a shard has in its batch. */
  async function writeGradients(to: Float32Array, share: number): Promise<void> {
    for (const [i, gradient] of recorder.gradients.entries()) {
      const [from, end] = ofTrained.ranges[i] as readonly [number, number];
      if (gradient === null) to.fill(0, from, end);
      else {
        const numbers = await gradient.data<'float32'>();
        for (let k = 0; k < numbers.length; k++) to[from + k] = (numbers[k] as number) * share;
      }
    }
  }

  async function perform({ first, share, gradients, ...work }: Work): Promise<Outcome> {
    if (version !== work.version) update((shared ?? work.weights) as Float32Array);
    version = work.version;
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
        losses = train(tensors) as tf.Scalar[];
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
export function serveTraining({ listen, post }: Port): void {
  let replica: Awaited<ReturnType<typeof replicaOf>> | undefined;
  const reply = (message: Reply<Outcome | null>, transfer: ArrayBuffer[] = []) => post(message, transfer);

  async function answer(request: Request): Promise<void> {
    try {
      if (request.kind === 'begin') {
        replica?.dispose(); // the model has been compiled again
        replica = await replicaOf(request);
        return reply({ kind: 'result', result: null });
      }
      const result = await (replica as NonNullable<typeof replica>).perform(request);
      reply({ kind: 'result', result }, unshared(result.gradients));
    } catch (error) {
      reply({ kind: 'error', error });
    }
  }
  listen((message) => void answer(message as Request));
}
