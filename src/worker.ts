import { portOfWorker } from './pool/port';
import { serve } from './pool/serve';

// What a worker of a pool runs: `createPool` starts it, or the caller's `createWorker` does.
serve(portOfWorker());
