import { spawn, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sample } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { portableModel } from '../support/models/portable-model.mjs';
import { folder } from '../support/workers/pool-workers-node';

const MODEL = new URL('../support/models/portable-model.mjs', import.meta.url).href;

/** Runs a program beside the runtime, as it is packed: what it prints, and how it ends. */
async function run(format: 'mjs' | 'cjs', program: string): Promise<{ output: string; code: number | null }> {
  const file = join(folder, `program.${format}`);
  const imports =
    format === 'mjs'
      ? `import { createPool } from './pool/runtime.js';
         import { portableModel } from '${MODEL}';`
      : `const { createPool } = require('./pool/runtime.js');`;
  await writeFile(file, `${imports}\nasync function main() {\n${program}\n}\nmain();`);
  const child = spawn(process.execPath, [file], { timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output: output.trim(), code };
}

const SAMPLE = `
  const { portableModel } = await import('${MODEL}');
  const pool = createPool({ workers: 2 });
  const { data } = await pool.sample(portableModel(), { numImages: 20, seed: 3 });
  console.log(Array.from(data).join());
`;

describe('a pool in Node', () => {
  it.each(['mjs', 'cjs'] as const)('finds its workers and lets the process end: %s', async (format) => {
    const { data } = await sample(portableModel(), { numImages: 20, seed: 3 });
    expect(await run(format, SAMPLE)).toEqual({ output: Array.from(data).join(), code: 0 });
  });

  it('lets the process end when nothing could be sent', async () => {
    const program = `
      const model = { ...portableModel(), info: () => 1 };
      await createPool().sample(model).catch(({ name }) => console.log(name));
    `;
    expect(await run('mjs', program)).toEqual({ output: 'DataCloneError', code: 0 });
  });

  it('keeps the process while it has work', async () => {
    const program = `
      const pool = createPool({ workers: 1 });
      await pool.sample(portableModel());
      pool.sample(portableModel({ imageShape: [40, 40, 2] }), { numImages: 8 }).then(() => console.log('done'));
    `;
    expect(await run('mjs', program)).toEqual({ output: 'done', code: 0 });
  });

  it('starts from a program that is no file', async () => {
    const program = `import { createPool } from './pool/runtime.js';
      import { portableModel } from '${MODEL}';
      console.log((await createPool().sample(portableModel())).shape.join());`;
    const flags = ['--input-type=module', '--eval', program];
    const { stdout, stderr } = spawnSync(process.execPath, flags, { cwd: folder, encoding: 'utf8' });
    expect(stdout + stderr).toBe('1,6,5,2\n');
  });

  it('does not end the process when a worker ends', async () => {
    const program = `
      const { Worker } = await import('node:worker_threads');
      const createWorker = () => new Worker('process.exit(1)', { eval: true });
      const pool = createPool({ createWorker });
      await pool.sample(portableModel()).catch(({ message }) => console.log(message));
    `;
    const output = 'pool: a worker ended before its work was done: it ended with exit code 1';
    expect(await run('mjs', program)).toEqual({ output, code: 0 });
  });
});
