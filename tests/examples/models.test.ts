import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runScript } from './run-script';

const MODELS = fileURLToPath(new URL('../../examples/models', import.meta.url));
const files = await readdir(MODELS);
const names = files.filter((file) => !file.endsWith('.pixelcnn'));

describe.each(names)('the trained model %s', (name) => {
  const directory = `${MODELS}/${name}`;

  it('reaches the figure on its card', async () => {
    const card = await readFile(`${directory}/README.md`, 'utf8');
    const [, figure] = /\| figure \| (\d\.\d{3}) bits\/dim/.exec(card) as RegExpExecArray;
    const rights = /; (\d+) of them are likeliest of their own class/.exec(card)?.[1];
    const data = name.split('-')[0] as string;
    const flags = ['--model', directory, '--data', data, ...(rights === undefined ? [] : ['--classify'])];
    const { code, stdout } = await runScript('evaluate.mjs', flags);
    expect(code).toBe(0);
    expect(/^model +(\d\.\d{3})/m.exec(stdout)?.[1]).toBe(figure);
    if (rights !== undefined) expect(stdout).toContain(`(${rights} of `);
  });

  it('is smaller than a megabyte, and says data, recipe, steps and licence', async () => {
    const files = await readdir(directory);
    const sizes = await Promise.all(files.map(async (file) => (await stat(`${directory}/${file}`)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1e6);
    const card = await readFile(`${directory}/README.md`, 'utf8');
    for (const line of ['data', 'recipe', 'steps', 'licence']) expect(card).toContain(`| ${line} |`);
  });

  it('is also there as one file, as export.mjs makes it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'export-'));
    try {
      const made = join(folder, 'made.pixelcnn');
      const { code, stderr } = await runScript('export.mjs', ['--model', directory, '--out', made]);
      expect([code, stderr]).toEqual([0, '']);
      expect((await readFile(made)).equals(await readFile(`${directory}.pixelcnn`))).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
