import { cpus } from 'node:os';
import { version_core } from '@tensorflow/tfjs-core';

/** What the figures were measured on, in one line. */
export function machine() {
  const [cpu] = cpus();
  return `${cpu.model.trim()}, ${cpus().length} cores; Node ${process.versions.node}, tfjs ${version_core}`;
}
