import { registerClasses } from './models/load-model';
import { portOfWorker } from './runtime/workers/port';
import { serveTraining } from './training/serve-training';

// The entry point of a trainer's threads in Node, Bun and Deno, where tfjs's wasm backend need not be installed.
registerClasses();
serveTraining(portOfWorker(), {
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
});
