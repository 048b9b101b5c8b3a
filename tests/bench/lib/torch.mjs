import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { summary } from './timing.mjs';

const SCRIPT = fileURLToPath(new URL('../torch_step.py', import.meta.url));

/**
 * PyTorch's forward pass and training step of the same network, one thread; null where python3 has no torch.
 *
 * @returns {{ forward: object, step: object, version: string } | null} summaries as of timeInTurn
 */
export function timeTorch(shape, batch, seconds) {
  for (const python of ['python3', '/usr/bin/python3']) {
    const args = [SCRIPT, JSON.stringify(shape), String(batch), String(seconds)];
    const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8' });
    if (status === 0) {
      const { forward, step, version } = JSON.parse(stdout);
      return { forward: summary(forward), step: summary(step), version };
    }
    if (stderr && !stderr.includes("No module named 'torch'")) throw new Error(stderr);
  }
  return null;
}
