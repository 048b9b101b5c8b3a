import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startScript } from './run-script';

it('shows the blind spot as text and as a picture', async () => {
  const out = join(tmpdir(), `receptive-field-${process.pid}.svg`);
  const { code, stdout } = await startScript('receptive-field.mjs', ['--blocks', '2', '--out', out]).ended;
  expect(code).toBe(0);
  // As the blog's stack with two blocks: # seen, o blind, @ the pixel predicted
  expect(stdout).toContain(
    [
      '.............',
      '.###########.',
      '.###########.',
      '.###########.',
      '.##########o.',
      '.#########oo.',
      '.#####@',
    ].join('\n'),
  );
  expect(stdout).toContain('sees 57 earlier values; 3 within the window are blind');
  const svg = await readFile(out, 'utf8');
  expect(svg.match(/#c0563b/g)).toHaveLength(3);
});
