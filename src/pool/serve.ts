import { codedModel } from '../codec/coded-model';
import { encodeImages } from '../codec/compress';
import { decodeImages } from '../codec/decompress';
import { logProb } from '../likelihood/log-prob';
import type { PortableModel } from '../program/program';
import { adjusterOf } from '../sampling/adjusters';
import { drawJob, planSample } from '../sampling/sample';
import type { Call, Method, Reply, Request, Work } from './messages';
import type { Port } from './port';

/** How to abort a call, and to report how many values are done, over all its images. */
interface Hooks {
  readonly signal: AbortSignal;
  readonly follow: (done: number) => void;
}

type Performer<M extends Method> = (
  model: PortableModel,
  args: Work[M]['args'],
  hooks: Hooks,
) => Promise<Work[M]['result']>;

const performers: { readonly [M in Method]: Performer<M> } = {
  sample: (model, { adjust, ...args }, { signal, follow }) => {
    const { numImages = 1 } = args;
    const options = { ...args, ...(adjust && { adjust: adjusterOf(adjust) }) };
    const job = planSample(model, options);
    return drawJob(model, job, { signal, onProgress: ({ done }) => follow(done * numImages) });
  },
  logProb: (model, { images, ...options }, { signal, follow }) =>
    logProb(model, images, { ...options, signal, onProgress: ({ done }) => follow(done) }),
  compress: (model, job, { signal, follow }) =>
    encodeImages(codedModel('compress: model', model), job, {
      signal,
      onProgress: ({ done }) => follow(done),
    }),
  decompress: (model, job, { signal, follow }) =>
    decodeImages(codedModel('decompress: model', model), job, {
      signal,
      onProgress: ({ done }) => follow(done),
    }),
};

/** The memory of a result, which is transferred to the pool. */
function buffersOf(result: Work[Method]['result']): ArrayBuffer[] {
  if ('images' in result) return buffersOf(result.images); // log p is small
  if ('shape' in result) return [result.data.buffer as ArrayBuffer];
  return 'buffer' in result
    ? [result.buffer as ArrayBuffer]
    : result.map(({ code }) => code.buffer as ArrayBuffer);
}

/** Serves the requests of a pool, inside a worker, as long as the worker lives. */
export function serve({ listen, post }: Port): void {
  const models = new Map<number, PortableModel>();
  const aborters = new Map<number, AbortController>();
  const reply = (message: Reply, transfer: ArrayBuffer[] = []) => post(message, transfer);

  async function perform<M extends Method>({ id, method, model, args, isFollowed }: Call<M>): Promise<void> {
    const aborter = new AbortController();
    aborters.set(id, aborter);
    const follow = (done: number) => {
      if (isFollowed) reply({ kind: 'progress', id, done });
    };
    try {
      const hooks = { signal: aborter.signal, follow };
      const result = await performers[method](models.get(model) as PortableModel, args, hooks);
      reply({ kind: 'result', id, result }, buffersOf(result));
    } catch (error) {
      reply({ kind: 'error', id, error }); // its class and message survive the transfer
    } finally {
      aborters.delete(id);
    }
  }

  listen((message) => {
    const request = message as Request;
    switch (request.kind) {
      case 'keep':
        models.set(request.model, request.value);
        break;
      case 'drop':
        models.delete(request.model);
        break;
      case 'call':
        void perform(request);
        break;
      case 'abort':
        aborters.get(request.id)?.abort();
        break;
    }
  });
}
