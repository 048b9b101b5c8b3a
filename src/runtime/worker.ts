import { portOfWorker } from './pool/port';
import { serve } from './pool/serve';

// The entry point of a pool's workers, which `createPool` or the caller's `createWorker` starts.
serve(portOfWorker());
