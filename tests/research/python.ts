import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { warnMissing } from '../support/node/missing';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A Python that has what `research/pytorch` needs: that of `.venv`, or the one of the system. Null, and said loudly, where
 * there is none; an error where everything must run.
 */
export function findPython(): string | null {
  const candidates = [`${root}.venv/bin/python3`, 'python3', '/usr/bin/python3'].filter((path) => path === 'python3' || existsSync(path));
  const program = 'import torch, brotli, numpy, safetensors, tqdm';
  const found = candidates.find((path) => spawnSync(path, ['-c', program], { stdio: 'ignore' }).status === 0);
  if (found === undefined) warnMissing('PyTorch with safetensors', 'see research/pytorch/README.md');
  return found ?? null;
}
