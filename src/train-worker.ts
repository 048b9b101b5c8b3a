import * as wasm from '@tensorflow/tfjs-backend-wasm';
import { registerClasses } from './models/load-model';
import { portOfWorker } from './runtime/workers/port';
import { serveTraining } from './training/serve-training';

// The entry point of a trainer's workers in pages, started by `createTrainer` or the caller's `createWorker`. All of it is
// one file in a bundle, since some bundlers do not divide workers.
registerClasses();
serveTraining(portOfWorker(), { wasm: async () => wasm });
