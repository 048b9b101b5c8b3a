import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { pixelCNN } from 'pixelcnn-layers';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkWeights } from '../../examples/lib/evaluation.mjs';
import { loadImageModel } from '../../examples/lib/saved-model.mjs';
import { useBackend } from '../support/backends';
import { runScript } from './run-script';

const SCRIPT = fileURLToPath(new URL('../../examples/train.mjs', import.meta.url));
const SMALL = '--data digits --blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20 --samples 2 --average 0.9 --clip 1'; // biome-ignore format: one line

interface Line {
  step: number;
  bits?: number;
  testBits?: number;
}

let directory: string;
/** A run that nothing stopped. */
let straight: string;
let whole: { code: number | null; output: string };
beforeAll(async () => {
  await useBackend('cpu');
  directory = await mkdtemp(join(tmpdir(), 'train-'));
  straight = join(directory, 'straight');
  whole = await run(`${SMALL} --steps 200 --every 40 --out ${straight}`);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const start = (args: string) => spawn(process.execPath, [SCRIPT, ...args.split(' ').filter(Boolean)]);

/** Runs to the end; what it printed. */
async function ended(program: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = '';
  for (const stream of [program.stdout, program.stderr]) stream?.on('data', (text) => (output += text));
  const code = await new Promise<number | null>((resolve) => program.once('close', resolve));
  return { code, output };
}

const run = (args: string) => ended(start(args));

async function metrics(out: string): Promise<Line[]> {
  const text = await readFile(join(out, 'metrics.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const losses = async (out: string) =>
  (await metrics(out)).filter(({ bits }) => bits !== undefined).map(({ step, bits }) => `${step} ${bits}`);
const testFigures = async (out: string) =>
  (await metrics(out))
    .filter(({ testBits }) => testBits !== undefined)
    .map(({ step, testBits }) => `${step} ${testBits}`);

/** Waits until a run has finished a checkpoint of a step. */
async function checkpointOf(program: ChildProcess, out: string, step: number): Promise<void> {
  const pointer = join(out, 'checkpoints/checkpoints.json');
  for (;;) {
    if (existsSync(pointer) && JSON.parse(readFileSync(pointer, 'utf8')).latest === `step-${step}`) return;
    if (program.exitCode !== null) throw new Error(`The run has ended before step ${step}`);
    await setTimeout(5);
  }
}

describe('train.mjs', () => {
  it('gives the same losses when stopped by Ctrl-C and resumed, bit for bit', async () => {
    const broken = join(directory, 'broken');
    expect(whole.output).toContain('test bits/dim:');
    expect(whole.code).toBe(0);

    const program = start(`${SMALL} --steps 200 --every 40 --out ${broken}`);
    const end = ended(program);
    await checkpointOf(program, broken, 80);
    program.kill('SIGINT');
    const { code, output } = await end;
    expect(output).toMatch(/stopped after step \d+; --resume/);
    expect(code).toBe(0);
    const before = await losses(broken);
    expect(before.length).toBeLessThan(200);

    const resumed = await run(`--resume --out ${broken}`);
    expect(resumed.output).toContain(`goes on after step ${before.length}`);
    expect(await losses(broken)).toEqual(await losses(straight));
    expect(await testFigures(broken)).toEqual(await testFigures(straight));
  });

  it('leaves a run that goes on when killed at any moment', async () => {
    const killed = join(directory, 'killed');
    const options = `${SMALL} --steps 200 --every 40 --out ${killed}`;
    for (const [i, step] of [40, 80, 120].entries()) {
      const program = start(i === 0 ? options : `--resume --out ${killed}`);
      const end = ended(program);
      await checkpointOf(program, killed, step);
      await setTimeout(7 * i); // at another moment each time
      program.kill('SIGKILL');
      await end;
    }
    const { code } = await run(`--resume --out ${killed}`);
    expect(code).toBe(0);
    expect(await losses(killed)).toEqual(await losses(straight));
    expect(await testFigures(killed)).toEqual(await testFigures(straight));
  });

  it('writes what a run is seen by', async () => {
    const out = straight;
    const files = await readdir(out);
    for (const file of [
      'run.json',
      'metrics.jsonl',
      'curve.svg',
      'samples-40.png',
      'samples-200.png',
      'events',
    ]) {
      expect(files).toContain(file);
    }
    expect(await readFile(join(out, 'curve.svg'), 'utf8')).toContain('histogram');
    const [events] = await readdir(join(out, 'events'));
    expect(statSync(join(out, 'events', events as string)).size).toBeGreaterThan(5000);
    const { best } = JSON.parse(await readFile(join(out, 'checkpoints/checkpoints.json'), 'utf8'));
    expect((await readdir(join(out, 'checkpoints', best))).sort()).toEqual(['average', 'model', 'state.json']); // biome-ignore format: one line
  });

  it.each([
    ['with the last good checkpoint untouched', '1e4'],
    ['and says where there is no checkpoint', '1e38'],
  ])('stops at a loss that is not a number, %s', async (_, rate) => {
    const out = join(directory, `broken-loss-${rate}`);
    const options = SMALL.replace(' --average 0.9', '');
    const { code, output } = await run(
      `${options} --steps 50 --every 1 --learning-rate ${rate} --out ${out}`,
    );
    expect(output).toMatch(/step \d+ \(.*\): .*(not finite|NaN|Infinity)/);
    expect(code).toBe(1);
    const pointer = join(out, 'checkpoints/checkpoints.json');
    if (rate === '1e38') {
      expect(output).toContain('step 1 (there is no checkpoint yet): ');
      expect(existsSync(pointer)).toBe(false);
      return;
    }
    const pattern = /step (\d+) \(the last good checkpoint is of step (\d+)\)/;
    const [, failed, good] = pattern.exec(output) as RegExpExecArray;
    expect(Number(good)).toBe(Number(failed) - 1);
    expect(JSON.parse(readFileSync(pointer, 'utf8')).latest).toBe(`step-${good}`);
  });

  it('saves no weights that are not finite', async () => {
    await useBackend('cpu');
    const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 });
    await expect(checkWeights(model)).resolves.toBeUndefined();
    const weights = model.getWeights().map((weight) => tf.div(weight, 0));
    model.setWeights(weights);
    await expect(checkWeights(model)).rejects.toThrow('the weights are not finite');
    tf.dispose(weights);
    model.dispose();
  });

  it('goes on with more steps, also before anything was evaluated, by RMSProp', async () => {
    const options = `${SMALL} --every 100 --optimizer rmsprop`;
    const [at30, at60] = [join(directory, 'thirty'), join(directory, 'sixty')];
    await run(`${options} --steps 60 --out ${at60}`);
    await run(`${options} --steps 30 --out ${at30}`);
    expect((await run(`--resume --steps 60 --out ${at30}`)).code).toBe(0);
    expect(await losses(at30)).toEqual(await losses(at60));
    expect((await testFigures(at30)).at(-1)).toBe((await testFigures(at60)).at(-1));
    const { code, output } = await run(`--resume --steps 59 --out ${at30}`);
    expect(output).toContain("--steps: the run has done 60, got '59'");
    expect(code).toBe(1);
  });

  it('trains a gated model', async () => {
    const out = join(directory, 'gated');
    const { code, output } = await run(`${SMALL} --model gated --dropout 0.2 --steps 20 --out ${out}`);
    expect(output).toContain('test bits/dim:');
    expect(code).toBe(0);
    expect(await readFile(join(out, 'curve.svg'), 'utf8')).toContain('Gated PixelCNN on digits');
    const { model, condition } = await loadImageModel(out);
    const classes = model.layers.map((layer) => layer.getClassName());
    expect(classes).toEqual(expect.arrayContaining(['GatedActivation', 'Dropout']));
    expect(condition).toBeNull();
    model.dispose();
  });

  describe('of a model conditioned on classes', () => {
    const sizes = SMALL.replace('--samples 2', '--samples 12');
    const CONDITIONAL = `${sizes} --model gated --conditional --every 20`;
    let conditional: string;
    beforeAll(async () => {
      conditional = join(directory, 'conditional');
      expect((await run(`${CONDITIONAL} --steps 40 --out ${conditional}`)).code).toBe(0);
    });

    it('gives the same losses when stopped and resumed', async () => {
      const out = join(directory, 'conditional-broken');
      const program = start(`${CONDITIONAL} --steps 40 --out ${out}`);
      const end = ended(program);
      await checkpointOf(program, out, 20);
      program.kill('SIGKILL');
      await end;
      expect((await run(`--resume --out ${out}`)).output).toContain('goes on after step');
      expect(await losses(out)).toEqual(await losses(conditional));
      expect(await losses(out)).toHaveLength(40);
      expect(await testFigures(out)).toEqual(await testFigures(conditional));
    });

    it('draws its samples with a column for each class', async () => {
      const { width, height } = PNG.sync.read(await readFile(join(conditional, 'samples-40.png')));
      expect([(width - 3) / 27, (height - 3) / 27]).toEqual([10, 2]); // 8 pixels of side 3 and a gap of 3
    });

    it('is for sample.mjs and evaluate.mjs to use', async () => {
      const out = join(conditional, 'drawn.png');
      const drawn = await runScript('sample.mjs', ['--model', conditional, '--images', '2', '--out', out]);
      expect(drawn.code).toBe(0);
      expect(existsSync(out)).toBe(true);
      const flags = ['--model', conditional, '--data', 'digits', '--images', '20', '--classify'];
      const { code, stdout } = await runScript('evaluate.mjs', flags);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^accuracy +\d\.\d{3} {2}\(\d+ of 20 /m);
      const best = Math.min(...(await metrics(conditional)).flatMap(({ testBits }) => testBits ?? []));
      expect(Number(/^model +(\d\.\d{3})$/m.exec(stdout)?.[1])).toBeCloseTo(best, 2); // of the same 20 images
    });
  });

  it('refuses what it cannot do, in a line', async () => {
    const used = straight;
    const cases = [
      ['', '--data: wanted one of digits'],
      ['--data digits --kernel 4', "--kernel: wanted an odd number, got '4'"],
      ['--data cifar', '--data: wanted'],
      [`--data digits --out ${used}`, 'holds a run; --resume goes on with it'],
      ['--resume --out nowhere', '--resume: there is no run in nowhere'],
      [`--resume --out ${used} --batch 3`, '--batch: a resumed run keeps its own'],
      ['--data mnist', '--path'],
      [`--data digits --levels 32 --out ${directory}/x`, 'quantize'],
      ['--data digits --average 1', '--average: wanted a number below 1'],
      ['--data digits --model row', "--model: wanted pixelcnn, gated, got 'row'"],
      ['--data digits --conditional', '--conditional: comes with --model gated'],
      ['--data digits --model pixelcnn --conditional', '--conditional: comes with --model gated'],
      ['--data digits --dropout 0.1', '--dropout: comes with --model gated'],
      ['--data digits --model gated --dropout 1', '--dropout: wanted a number below 1'],
      [`--data emoji --model gated --conditional --out ${directory}/x`, 'emoji has no classes'],
      [`--resume --out ${used} --conditional`, '--conditional: a resumed run keeps its own'],
    ];
    for (const [args, message] of cases as [string, string][]) {
      const { code, output } = await run(args);
      expect(output).toContain(message);
      expect(output.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(1);
    }
  });
});
