import { serve } from './pool/serve';
import { portOfWorker } from './workers/port';

// The entry point of a pool's workers, which `createPool` or the caller's `createWorker` starts.
serve(portOfWorker());
