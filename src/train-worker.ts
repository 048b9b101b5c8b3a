import './register';
import { portOfWorker } from './pool/port';
import { serveTraining } from './training/serve-training';

// The entry point of a trainer's workers, started by `createTrainer` or the caller's `createWorker`.
serveTraining(portOfWorker());
