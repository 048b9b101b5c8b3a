import { dispose, engine } from '@tensorflow/tfjs-core';

/**
 * Lets go of what tfjs had kept for a backward pass that an error prevented: when a function throws under
 * `variableGrads`, tfjs 4.22 leaves the tensors saved so far behind.
 */
export function disposeAbandonedTape(): void {
  const { state } = engine();
  if (state.gradientDepth > 0) return; // an outer gradient still needs its tape
  for (const node of state.activeTape ?? []) dispose(node.saved ?? []);
  state.activeTape = [];
}
