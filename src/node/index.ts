export { type Checkpoint, type Checkpoints, checkpoints } from './checkpoints';
export { fileSystem } from './file-system';
