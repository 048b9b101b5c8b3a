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

it('shows that a gated network sees all of its window', async () => {
  const out = join(tmpdir(), `receptive-field-gated-${process.pid}.svg`);
  const flags = ['--gated', '--blocks', '2', '--first-kernel', '5', '--out', out];
  const { code, stdout } = await startScript('receptive-field.mjs', flags).ended;
  expect(code).toBe(0);
  // 4 rows above of 9 columns, and 4 pixels to the left
  expect(stdout).toContain('sees 40 earlier values; 0 within the window are blind');
  expect(await readFile(out, 'utf8')).not.toContain('#c0563b');
});
