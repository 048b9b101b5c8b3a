import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { readSubmitFlags } from '../../../examples/cluster/lib/submit-flags.mjs';
import { readConvertFlags } from '../../../kit/flags/convert.mjs';
import { readEvaluateFlags } from '../../../kit/flags/evaluate.mjs';
import { parseFlags } from '../../../kit/flags/flags.mjs';
import { readQuickstartFlags } from '../../../kit/flags/quickstart.mjs';
import { readSampleFlags } from '../../../kit/flags/sample.mjs';
import { readTrainFlags } from '../../../kit/flags/train.mjs';
import { readFlags as readVqFlags } from '../../../research/vq/flags.mjs';

// The flags of the examples, without starting any: each program is read up to where it reads its flags.

vi.mock('../../../kit/flags/flags.mjs', async (original) => {
  const own = await original<typeof import('../../../kit/flags/flags.mjs')>();
  return { ...own, parseFlags: vi.fn(own.parseFlags) };
});

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A program with flags reads them itself, or by a file of their own, before it does anything. */
const programs = ['examples', 'research']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((name) => name.endsWith('.mjs') && !/\/lib\//.test(name))
  .filter((name) => /(parse|read\w*)Flags\([\s\S]*process\.argv/.test(readFileSync(join(root, name), 'utf8')))
  .sort();

class Ended extends Error {}

/** What a program's flags are answered with: undefined where nothing is wrong with them. */
function answerTo(read: () => unknown): string | undefined {
  let printed = '';
  const listeners = process.listeners('uncaughtException');
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Ended();
  });
  try {
    read();
    return undefined;
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    return printed;
  } finally {
    write.mockRestore();
    exit.mockRestore();
    for (const listener of process.listeners('uncaughtException')) {
      if (!listeners.includes(listener)) process.off('uncaughtException', listener);
    }
  }
}

it('knows the programs with flags', () => {
  expect(programs).toContain('examples/quickstart.mjs');
  expect(programs.length).toBeGreaterThanOrEqual(17);
});

it.each(programs)('%s lists all its flags, and no other', async (program) => {
  const { argv } = process;
  process.argv = [argv[0] as string, program, ...(program === 'examples/cluster/submit.mjs' ? ['draw'] : [])];
  vi.mocked(parseFlags).mockImplementationOnce(() => {
    throw new Ended();
  });
  try {
    await expect(import(/* @vite-ignore */ join(root, program))).rejects.toThrow(Ended);
  } finally {
    process.argv = argv;
  }
  const [options = {}, help] = vi.mocked(parseFlags).mock.lastCall as Parameters<typeof parseFlags>;
  expect(help).toContain(`node ${program}`);
  const listed = [...help.matchAll(/--([a-z][a-z0-9-]*)/g)].map(([, name]) => name as string);
  for (const name of Object.keys(options)) if (name !== 'help') expect(listed).toContain(name);
  if (program === 'examples/cluster/submit.mjs') return; // which lists those of another command too
  for (const name of listed) expect(Object.keys(options)).toContain(name);
  for (const [name, { default: value }] of Object.entries(options)) {
    const line = help.split('\n').find((line) => line.trimStart().startsWith(`--${name} `)) ?? '';
    const said = /\(([\w./-]+)\)$/.exec(line)?.[1];
    if (said !== undefined && value !== undefined) expect(`--${name} ${said}`).toBe(`--${name} ${value}`);
  }
});

describe.each([
  ['convert.mjs', readConvertFlags, ['--model', 'x', '--to', 'y.npz']],
  ['evaluate.mjs', readEvaluateFlags, ['--model', 'x', '--data', 'digits']],
  ['quickstart.mjs', readQuickstartFlags, []],
  ['sample.mjs', readSampleFlags, ['--model', 'x']],
  ['train.mjs', readTrainFlags, ['--data', 'digits']],
  ['research/vq/train.mjs', readVqFlags, []],
  ['cluster/submit.mjs draw', readSubmitFlags, ['draw', '--model', 'x', '--images', '9']],
  ['cluster/submit.mjs score', readSubmitFlags, ['score', '--model', 'x', '--data', 'digits']],
] as [string, (argv: string[]) => unknown, string[]][])('%s', (_, read, enough) => {
  it('takes flags that are enough', () => {
    expect(answerTo(() => read(enough))).toBe(undefined);
  });

  it('answers in one line, by its name, each flag that is without a value', () => {
    answerTo(() => read(enough));
    const [options = {}] = vi.mocked(parseFlags).mock.lastCall as Parameters<typeof parseFlags>;
    for (const [name, { type }] of Object.entries(options)) {
      const answer = answerTo(() => read([...enough, type === 'string' ? `--${name}` : `--${name}=1`]));
      expect(answer).toMatch(/^[^\n]+; --help lists the flags\n$/);
      expect(answer).toContain(`--${name}`);
    }
  });
});

it.each([
  [readQuickstartFlags, '--steps 0', "--steps: wanted a whole number of at least 1, got '0'"],
  [readQuickstartFlags, '--batch 1501', "--batch: wanted a whole number from 1 to 1500, got '1501'"],
  [readQuickstartFlags, '--backend gpu', "--backend: wanted wasm, cpu, webgpu, tensorflow, got 'gpu'"],
  [readQuickstartFlags, '--step 3', "Unknown option '--step': did you mean --steps? --help lists the flags"],
  [readQuickstartFlags, '--seed --batch', "--seed: wanted a value, got '--batch'; --help lists the flags"],
  [readTrainFlags, '--data digits --kernel 4', "--kernel: wanted an odd number, got '4'"],
  [readTrainFlags, '--data digits --output mixture:', "--output mixture: wanted a whole number of at least 1, got ''"],
  [readTrainFlags, '--data digits --average 1', "--average: wanted a number below 1, got '1'"],
  [readSampleFlags, '--model x --temperature=-1', "--temperature: wanted a number of at least 0, got '-1'"],
  [readSampleFlags, '--model x --top-p 2', "--top-p: wanted a number above 0 and at most 1, got '2'"],
  [readSampleFlags, '--model x --codes y --images 2', '--images: comes without --codes'],
  [readEvaluateFlags, '--model x --data faces', "--data: wanted digits, fashion-mnist, mnist, binarized-mnist, cifar-10, emoji, folder, npy, got 'faces'"],
  [readConvertFlags, '--model x --to y.h5', "--to: wanted .pixelcnn, .safetensors, .npz or a directory, got 'y.h5'"],
  [readSubmitFlags, 'paint', "wanted draw or score first, got 'paint'; --help lists the flags"],
  [readVqFlags, '--filters 7', "--filters: wanted a multiple of 2, got '7'"],
] as [(argv: string[]) => unknown, string, string][])('%s %s', (read, flags, answer) => {
  expect(answerTo(() => read(flags.split(' ')))).toBe(`${answer}\n`);
}); // biome-ignore format: one mistake a line
