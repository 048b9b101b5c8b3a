import type { PoolWorker } from 'pixelcnn-layers/runtime';
import { serve } from '../../../src/runtime/pool/serve';
import type { Port } from '../../../src/runtime/workers/port';
import { serveTraining } from '../../../src/training/serve-training';

/** A worker that is no thread: it serves at the other end of a channel, between the turns of whoever calls it. */
function startedInProcess(serves: (port: Port) => void): PoolWorker {
  const { port1, port2 } = new MessageChannel();
  serves({
    listen: (hear) => port2.addEventListener('message', ({ data }) => hear(data)),
    post: (message, transfer) => port2.postMessage(message, transfer),
  });
  port1.start();
  port2.start();
  const worker = {
    addEventListener: port1.addEventListener.bind(port1),
    postMessage: (message: unknown, transfer: ArrayBuffer[] = []) => port1.postMessage(message, transfer),
    terminate: () => port1.close(),
  };
  return worker;
}

export const startInProcess = () => startedInProcess(serve);
const backends = { wasm: () => import('@tensorflow/tfjs-backend-wasm'), cpu: () => import('@tensorflow/tfjs-backend-cpu') };
export const startTrainInProcess = () => startedInProcess((port) => serveTraining(port, backends));

/** A worker that hears everything and never answers; `tell` has it send an event. */
export function startSilent() {
  const listeners = new Map<string, (event: unknown) => void>();
  const worker = {
    addEventListener: (kind: string, listener: (event: unknown) => void) => listeners.set(kind, listener),
    postMessage: () => {},
    terminate: () => {},
  };
  return { worker: worker as PoolWorker, tell: (kind: string, event: unknown) => listeners.get(kind)?.(event) };
}
