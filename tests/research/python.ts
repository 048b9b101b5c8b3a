import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { python, systemPython } from '../../scripts/lib/python.mjs';
import { warnMissing } from '../support/node/missing';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A Python that has what `research/pytorch` needs: that of `.venv`, or the one of the system. Null, and said loudly, where
 * there is none; an error where everything must run.
 */
export function findPython(): string | null {
  const program = 'import torch, brotli, numpy, safetensors, tqdm';
  const candidates = [python, systemPython, '/usr/bin/python3'].map((path) => (path.startsWith('.venv') ? root + path : path));
  const found = candidates.find((path) => spawnSync(path, ['-c', program], { stdio: 'ignore' }).status === 0);
  if (found === undefined) warnMissing('PyTorch with safetensors', 'see research/pytorch/README.md');
  return found ?? null;
}
