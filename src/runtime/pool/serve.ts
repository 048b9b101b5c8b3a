import { encodeImages } from '../codec/compress';
import { decodeImages } from '../codec/decompress';
import { scoreImages } from '../likelihood/log-prob';
import type { PortableModel } from '../program/program';
import { adjusterOf } from '../sampling/changes/adjusters';
import type { WalkHooks } from '../sampling/image-model';
import { engineModel, portableImageModel } from '../sampling/portable';
import { answer, type Port, type Reply } from '../workers/port';
import type { Call, Method, Work, WorkerRequest } from './messages';

const performers: {
  readonly [M in Method]: (
    model: PortableModel,
    job: Work[M]['job'] & WalkHooks,
  ) => Promise<Work[M]['result']>;
} = {
  async sample(model, { adjust, onProgress, ...job }) {
    const follow = ({ done, total }: { done: number; total: number }) =>
      onProgress?.({ done: done * job.numImages, total: total * job.numImages });
    const functions = { random: undefined, potential: undefined, onProgress: follow };
    const task = { ...job, ...functions, adjust: adjust && adjusterOf(adjust) };
    const { levels, logProb, logDrawn, logGiven } = await portableImageModel('pool: model', model).draw(task);
    return { levels, logProb, logDrawn, ...(logGiven && { logGiven }) };
  },
  async logProb(model, job) {
    return { nats: await scoreImages(portableImageModel('pool: model', model), job) };
  },
  async compress(model, job) {
    return { coded: await encodeImages(engineModel(model), job) };
  },
  async decompress(model, job) {
    return { data: (await decodeImages(engineModel(model), job)).data };
  },
};

/** The memory of a result, which is transferred to the pool. */
function buffersOf(result: Work[Method]['result']): ArrayBuffer[] {
  if ('coded' in result) return result.coded.map(({ code }) => code.buffer as ArrayBuffer);
  const numbers = 'levels' in result ? result.levels : 'data' in result ? result.data : result.nats;
  return [numbers.buffer as ArrayBuffer]; // log p of samples is small
}

/** Serves the requests of a pool, inside a worker, until the worker ends. */
export function serve(port: Port): void {
  const models = new Map<number, PortableModel>();
  let aborter: AbortController | undefined; // of the current call

  async function perform<M extends Method>({ method, model, job, isFollowed }: Call<M>) {
    aborter = new AbortController();
    const follow = ({ done }: { done: number }) =>
      port.post({ kind: 'progress', done } satisfies Reply<never>, []);
    const hooks = { signal: aborter.signal, onProgress: isFollowed ? follow : undefined };
    return performers[method](models.get(model) as PortableModel, { ...job, ...hooks });
  }

  port.listen((message) => {
    const request = message as WorkerRequest;
    const { kind } = request;
    if (kind === 'keep') models.set(request.model, request.value);
    else if (kind === 'drop') models.delete(request.model);
    else if (kind === 'call') void answer(port, () => perform(request), buffersOf);
    else if (kind === 'abort') aborter?.abort();
    else throw new Error(`pixelcnn-layers/worker: wanted a request of a pool, got '${kind}'`);
  });
}
