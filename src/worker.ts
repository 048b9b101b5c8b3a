import { portOfWorker } from './pool/port';
import { serve } from './pool/serve';

// The entry point of a pool's workers, started by `createPool` or the caller's `createWorker`.
serve(portOfWorker());
