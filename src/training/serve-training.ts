import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { AutoregressiveModel } from '../models/autoregressive-model';
import type { Port } from '../pool/port';
import type { Reply } from '../pool/worker-calls';
import {
  type Begin,
  layoutOf,
  type Outcome,
  type Packed,
  type Request,
  type Shard,
  sliced,
  together,
  treeOfSums,
  unshared,
  type Work,
  weightsOf,
} from './shards';

/** Keeps the gradients of a step instead of applying them. */
class Recorder extends tf.Optimizer {
  static className = 'Recorder';
  /** The number of the step, on which dropout depends. */
  step = 0;
  gradients: (tf.Tensor | null)[] = [];

  override get iterations(): number {
    return this.step;
  }

  override applyGradients(gradients: Parameters<tf.Optimizer['applyGradients']>[0]): void {
    // A weight that the loss does not depend on has no gradient.
    const tensors = Object.values(gradients).map(({ tensor }: { tensor: tf.Tensor | null }) => tensor);
    this.gradients = tensors.map((tensor) => tensor && tf.keep(tensor.clone()));
  }

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
  let free: Float32Array[] = []; // memory for gradients

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
      else
        to.set(
          (await gradient.data()).map((x) => x * share),
          from,
        );
    }
  }

  /** Computes a shard; its gradients are written to `to`, or only its loss is computed. */
  async function computed(tensors: Packed[], { count }: Shard, to: Float32Array | null, share: number) {
    const data = tensors.map(({ data, shape, dtype }) => tf.tensor(data, [...shape], dtype));
    let figures: tf.Scalar[] = [];
    try {
      if (to === null) {
        const [inputs, labels] = [data.slice(0, -1), data.slice(-1)];
        figures = [model.evaluate<tf.Scalar | tf.Scalar[]>(inputs, labels, { batchSize: count })].flat();
      } else {
        figures = train(data) as tf.Scalar[];
        await writeGradients(to, share);
      }
      return await Promise.all(figures.map(async (figure) => (await figure.data())[0] as number));
    } finally {
      tf.dispose([data, figures, recorder.gradients.flatMap((gradient) => gradient ?? [])]);
      recorder.gradients = [];
    }
  }

  async function perform({ tensors, shards, gradients, numImages, ...work }: Work): Promise<Outcome> {
    if (version !== work.version) update((shared ?? work.weights) as Float32Array);
    version = work.version;
    recorder.step = work.step;
    const { first } = together(shards);
    const sum = treeOfSums(shards.length, (numbers) => free.push(numbers));
    const figures: number[][] = [];
    for (const [k, shard] of shards.entries()) {
      model.firstImage = shard.first;
      const to = gradients && (k === 0 ? gradients : (free.pop() ?? new Float32Array(ofTrained.size)));
      const ofShard = tensors.map((tensor) => sliced(tensor, { ...shard, first: shard.first - first }));
      figures.push(await computed(ofShard, shard, to, shard.count / numImages));
      if (to !== null) sum.add(k, to);
    }
    const result = sum.result();
    if (gradients !== null && result !== null && result !== gradients) gradients.set(result);
    if (result !== null && result !== gradients) free.push(result);
    free = free.filter((numbers) => numbers !== gradients);
    return { figures, gradients };
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
