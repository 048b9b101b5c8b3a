export { type Checkpoint, type CheckpointOptions, type Checkpoints, checkpoints } from './checkpoints';
export { fileSystem } from './file-system';
