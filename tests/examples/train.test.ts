import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { logProb, pixelCNN } from 'pixelcnn-layers';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readDataset } from '../../kit/data/datasets.mjs';
import { checkWeights } from '../../kit/models/evaluation.mjs';
import { loadImageModel } from '../../kit/models/saved-model.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { useBackend } from '../support/backends';
import { temporaryFolder } from '../support/node/temporary-folder';
import { PATIENCE } from '../support/patience.mjs';
import { type Ended, itRefuses, runScript, runWell, startScript, stopped } from './run-script';

const SMALL =
  '--data digits --blocks 1 --hidden 4 --out-dim 4 --first-kernel 3 --batch 4 --eval-images 20 --samples 2 --average 0.9 --clip 1';

interface Line {
  step: number;
  bits?: number;
  testBits?: number;
  validationBits?: number;
}

const directory = temporaryFolder();
/** A run that nothing stopped. */
let straight: string;
let whole: { code: number | null; output: string };
beforeAll(async () => {
  await useBackend('cpu');
  straight = join(directory, 'straight');
  whole = await run(`${SMALL} --steps 100 --every 20 --out ${straight}`);
});

const wordsOf = (args: string) => args.split(' ').filter(Boolean);
const outputOf = ({ code, stdout, stderr }: Ended) => ({ code, output: stdout + stderr });

/** Runs to the end; what it printed. */
const run = async (args: string) => outputOf(await runScript('train.mjs', wordsOf(args)));

/** Runs in a process of its own, which is stopped once it is time; what it printed. */
const runUntil = async (args: string, isTime: () => boolean, signal?: 'SIGINT') =>
  outputOf(await stopped(startScript('train.mjs', wordsOf(args)), isTime, signal));

async function metrics(out: string): Promise<Line[]> {
  const lines = (await readFile(join(out, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** Each step that has such a figure, and the figure. */
const figuresOf = async (out: string, name: 'bits' | 'testBits') =>
  (await metrics(out)).flatMap(({ step, [name]: figure }) => (figure === undefined ? [] : [`${step} ${figure}`]));
const losses = (out: string) => figuresOf(out, 'bits');
const testFigures = (out: string) => figuresOf(out, 'testBits');

/** Whether a run has finished a checkpoint of a step, or a later one. */
const hasCheckpoint = (out: string, step: number) => () => {
  const pointer = join(out, 'checkpoints/checkpoints.json');
  const latest = existsSync(pointer) ? JSON.parse(readFileSync(pointer, 'utf8')).latest : 'step-0';
  return Number(latest.split('-')[1]) >= step;
};

describe('train.mjs', () => {
  it('gives the same losses when stopped by Ctrl-C and resumed, bit for bit', async () => {
    const broken = join(directory, 'broken');
    expect(whole.output).toContain('test bits/dim:');
    expect(whole.code).toBe(0);
    const { code, output } = await runUntil(`${SMALL} --steps 100 --every 20 --out ${broken}`, hasCheckpoint(broken, 40), 'SIGINT');
    expect(output).toMatch(/stopped after step \d+; --resume/);
    expect(code).toBe(0);
    const before = await losses(broken);
    expect(before.length).toBeLessThan(100);
    const resumed = await run(`--resume --out ${broken}`);
    expect(resumed.output).toContain(`continues after step ${before.length}`);
    expect(await losses(broken)).toEqual(await losses(straight));
    expect(await testFigures(broken)).toEqual(await testFigures(straight));
  });

  it('leaves a run that goes on when killed at any moment', async () => {
    const killed = join(directory, 'killed');
    // While it draws its samples, and while it writes a checkpoint.
    await runUntil(`${SMALL} --steps 100 --every 20 --out ${killed}`, () => existsSync(join(killed, 'samples-40.png')));
    await runUntil(`--resume --out ${killed}`, () => existsSync(join(killed, 'checkpoints/step-60')));
    const left = ['metrics.jsonl.77.tmp', 'samples-40.png.77.tmp'];
    for (const name of [...left, 'notes.txt.77.tmp']) await writeFile(join(killed, name), '');
    const { code } = await run(`--resume --out ${killed}`);
    expect(code).toBe(0);
    const files = await readdir(killed);
    expect(files.filter((name) => /tmp|lock/.test(name))).toEqual(['notes.txt.77.tmp']); // that is not of a run
    expect(await losses(killed)).toEqual(await losses(straight));
    expect(await testFigures(killed)).toEqual(await testFigures(straight));
  });

  it('is the only one to write a directory', async () => {
    const busy = join(directory, 'busy');
    const flags = wordsOf(`${SMALL} --steps 1000000 --every 20 --out ${busy}`);
    const { program: first, ended } = startScript('train.mjs', flags);
    await vi.waitUntil(hasCheckpoint(busy, 20), { timeout: PATIENCE, interval: 5 });
    const refusal = `--out: ${busy} is in use: process ${first.pid} has been writing there since `;
    for (const args of [`--resume --out ${busy}`, `${SMALL} --out ${busy}`]) {
      const { code, output } = await run(args);
      expect(output).toContain(refusal);
      expect(output.slice(refusal.length)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\n$/);
      expect(code).toBe(1);
    }
    expect(first.exitCode).toBeNull();
    first.kill('SIGKILL');
    await ended;
  });

  it('writes what a run is seen by', async () => {
    const out = straight;
    const files = await readdir(out);
    for (const file of ['run.json', 'metrics.jsonl', 'curve.svg', 'samples-20.png', 'samples-100.png', 'samples.png', 'events']) {
      expect(files).toContain(file);
    }
    expect(files.filter((name) => /tmp|lock/.test(name))).toEqual([]);
    expect(await readFile(join(out, 'curve.svg'), 'utf8')).toContain('histogram');
    const [events] = await readdir(join(out, 'events'));
    expect(statSync(join(out, 'events', events as string)).size).toBeGreaterThan(5000);
    const { best } = JSON.parse(await readFile(join(out, 'checkpoints/checkpoints.json'), 'utf8'));
    expect((await readdir(join(out, 'checkpoints', best))).sort()).toEqual(['average', 'model', 'state.json']);
  });

  it('ends with the figure and the samples of its best model, and says that the test images chose it', async () => {
    const figures = (await testFigures(straight)).map((figure) => figure.split(' ').map(Number));
    const best = Math.min(...figures.map(([, bits]) => bits as number));
    const [step] = figures.find(([, bits]) => bits === best) as [number];
    expect(whole.output).toContain(`test bits/dim: ${best.toFixed(3)} by the model of step ${step}, the best on these images;`);
    expect(whole.output).toContain('so new ones may cost more: --validation N');
    const [last, ofBest] = await Promise.all(['samples.png', `samples-${step}.png`].map((name) => readFile(join(straight, name))));
    expect(last?.equals(ofBest as Buffer)).toBe(true);
  });

  it('stops at a loss that is not a number, with the last good checkpoint untouched', async () => {
    const out = join(directory, 'broken-loss');
    const options = SMALL.replace(' --average 0.9', '');
    const at = (args: string) => run(`${args} --out ${out}`);
    const early = await at(`${options} --steps 50 --every 1 --learning-rate 1e38`);
    expect(early.output).toMatch(/^step \d+ \(there is no checkpoint yet\): .*(not finite|NaN|Infinity)/m);
    expect(early.code).toBe(1);
    expect(existsSync(join(out, 'checkpoints/checkpoints.json'))).toBe(false);
    await rm(out, { recursive: true });
    expect((await at(`${options} --steps 20 --every 10`)).code).toBe(0);
    const settings = join(out, 'run.json');
    const kept = JSON.parse(await readFile(settings, 'utf8'));
    await writeFile(settings, JSON.stringify({ ...kept, learningRate: 1e38 }));
    const pointer = () => readFile(join(out, 'checkpoints/checkpoints.json'), 'utf8');
    const before = await pointer();
    const late = await at('--resume --steps 50');
    expect(late.output).toMatch(/^step \d+ \(the last good checkpoint is of step 20\): .*(not finite|NaN|Infinity)/m);
    expect(late.code).toBe(1);
    expect(await pointer()).toBe(before);
    expect(before).toContain('"latest":"step-20"');
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

  describe('with --patience', () => {
    /** A rate at which figures go up and down. */
    const RESTLESS = `${SMALL} --average 0.1 --learning-rate 0.3 --steps 40 --every 2 --seed 5`;
    const validations = async (out: string) =>
      (await metrics(out)).flatMap(({ step, validationBits }) => (validationBits === undefined ? [] : [{ step, validationBits }]));

    it('ends after so many evaluations without a better one, also when it was stopped in between', async () => {
      const [patient, early, broken] = ['patient', 'early', 'broken-early'].map((name) => join(directory, name));
      expect((await run(`${RESTLESS} --validation 150 --out ${patient}`)).code).toBe(0);
      const figures = await validations(patient as string);
      expect(figures).toHaveLength(20);
      const bits = figures.map(({ validationBits }) => validationBits);
      const best = (until: number) => bits.indexOf(Math.min(...bits.slice(0, until)));
      const end = bits.findIndex((_, i) => i - best(i + 1) === 3); // the third in a row that is no better
      expect([best(11), best(12)]).toEqual([8, 11]); // two were no better, and then one was
      expect(end).toBeGreaterThan(12);
      const wanted = figures.slice(0, end + 1);
      const { code, output } = await run(`${RESTLESS} --patience 3 --out ${early}`); // a tenth of 1500 images
      expect(code).toBe(0);
      expect(await validations(early as string)).toEqual(wanted);
      expect(output).toContain(`step ${wanted.at(-1)?.step}: no better for 3 evaluations`);
      expect(output).toContain('1350 training, 150 validation and 297 test images [8,8,1]');
      const chosen = wanted[best(end + 1)]?.step;
      expect(output).toContain(` by the model of step ${chosen}, the best on the validation images;`);
      expect(output).not.toContain('--validation');
      expect(await readFile(join(early as string, 'curve.svg'), 'utf8')).toContain('>validation<');
      const step = wanted[end - 1]?.step as number; // it has waited for two
      await run(`${RESTLESS.replace('--steps 40', `--steps ${step}`)} --patience 3 --out ${broken}`);
      expect((await run(`--resume --steps 40 --out ${broken}`)).code).toBe(0);
      expect(await validations(broken as string)).toEqual(wanted);
    });

    it('measures the best model on the test images at the end', async () => {
      const out = join(directory, 'early');
      const again = await run(`--resume --out ${out}`); // it has ended, and says the same
      const { stdout } = await runScript('evaluate.mjs', ['--model', out, '--data', 'digits']); // of all, whatever --eval-images says
      const figure = /^model +(\d\.\d{3})$/m.exec(stdout)?.[1];
      expect(again.output).toContain(`test bits/dim: ${figure} by the model of step`);
    });

    it('goes on with more of it', async () => {
      const out = join(directory, 'early');
      const before = (await validations(out)).length;
      expect((await run(`--resume --patience 4 --out ${out}`)).code).toBe(0);
      expect((await validations(out)).length).toBeGreaterThan(before);
    });
  });

  it('chooses by the validation images of a set that has its own', async () => {
    const [path, out] = [join(directory, 'bits'), join(directory, 'of-bits')];
    await mkdir(path);
    for (const [part, count] of [['train', 5], ['valid', 3], ['test', 4]] as const) {
      await writeFile(join(path, `${part}.bits`), Uint8Array.from({ length: 98 * count }, (_, i) => (i * i) % 251));
    } // biome-ignore format: a part a line
    const flags = `${SMALL.replace('--data digits', `--data binarized-mnist --path ${path}`)} --steps 2 --every 1`;
    const { code, output } = await run(`${flags} --out ${out}`);
    expect(output).toContain('5 training, 3 validation and 4 test images [28,28,1], 2 levels');
    expect(code).toBe(0);
    const { validation } = await readDataset('binarized-mnist', { path });
    const { model } = await loadImageModel(out);
    const levels = tf.tensor4d(Array.from(validation?.data ?? []), [3, 28, 28, 1], 'int32');
    const nats = Array.from(await (await logProb(model, levels)).data());
    const figures = (await metrics(out)).flatMap(({ validationBits = [] }) => validationBits);
    expect(-nats.reduce((sum, one) => sum + one, 0) / (3 * 784 * Math.LN2)).toBeCloseTo(Math.min(...figures), 4);
    model.dispose();
    const held = await run(`${flags} --validation 1 --out ${out}-held`);
    expect(held.output).toContain('--validation: binarized-mnist has 3 validation images of its own');
  });

  it('trains on codes of more than 256, and goes on with no others', async () => {
    const file = join(directory, 'codes.npy');
    const out = join(directory, 'codes');
    const codes = Uint16Array.from({ length: 20 * 16 }, (_, i) => (37 * i) % 300);
    await writeFile(file, npyOf(codes, [20, 4, 4]));
    const sizes = SMALL.replace('--data digits', `--data npy --path ${file}`);
    const { code, output } = await run(`${sizes} --levels 512 --validation 2 --steps 4 --out ${out}`);
    expect(output).toContain('16 training, 2 validation and 2 test images [4,4,1], 512 levels');
    expect(code).toBe(0);
    const { model, levels } = await loadImageModel(out);
    expect(levels).toBe(512);
    model.dispose();
    expect(codes[8]).toBe(296);
    codes[8] = 297; // both are beyond a byte
    await writeFile(file, npyOf(codes, [20, 4, 4]));
    const other = await run(`--resume --steps 5 --out ${out}`);
    expect(other).toEqual({ code: 1, output: '--resume: npy differs from the data that the run began with\n' });
  });

  it('reads and gives levels as it is told, also when it goes on', async () => {
    const out = join(directory, 'encoded');
    expect((await run(`${SMALL} --input embedding:3 --output mixture:2 --steps 10 --every 10 --out ${out}`)).code).toBe(0);
    expect((await run(`--resume --steps 20 --out ${out}`)).output).toContain('continues after step 10');
    const { model, levels } = await loadImageModel(out);
    expect(model.layers.map((layer) => layer.getClassName())).toEqual(expect.arrayContaining(['LevelEmbedding', 'LogisticMixture']));
    expect(model.outputs[0]?.shape).toEqual([null, 8, 8, 6]); // 2 components: a logit, a mean and a log scale each
    expect(levels).toBe(17);
    model.dispose();
    const { stdout } = await runWell('evaluate.mjs', ['--model', out, '--data', 'digits', '--images', '20']);
    const best = Math.min(...(await metrics(out)).flatMap(({ testBits }) => testBits ?? []));
    expect(stdout).toMatch(new RegExp(`^model +${best.toFixed(3)}$`, 'm'));
  });

  describe('of a model conditioned on classes', () => {
    const sizes = SMALL.replace('--samples 2', '--samples 12');
    const CONDITIONAL = `${sizes} --model gated --conditional --dropout 0.2 --every 20`;
    let conditional: string;
    beforeAll(async () => {
      conditional = join(directory, 'conditional');
      expect((await run(`${CONDITIONAL} --steps 40 --out ${conditional}`)).code).toBe(0);
    });

    it('gives the same losses when stopped and resumed, also with another number of workers', async () => {
      const out = join(directory, 'conditional-broken');
      await run(`${CONDITIONAL} --steps 20 --workers 2 --out ${out}`);
      const { output } = await run(`--resume --steps 40 --workers 3 --out ${out}`);
      expect(output).toContain('wasm, 3 workers\ncontinues after step 20');
      expect(await losses(out)).toEqual(await losses(conditional));
      expect(await losses(out)).toHaveLength(40);
      expect(await testFigures(out)).toEqual(await testFigures(conditional));
    });

    it('draws its samples with a column for each class, and is named in its curve', async () => {
      expect(await readFile(join(conditional, 'curve.svg'), 'utf8')).toContain('Gated PixelCNN on digits');
      const { width, height } = PNG.sync.read(await readFile(join(conditional, 'samples-40.png')));
      expect([(width - 3) / 27, (height - 3) / 27]).toEqual([10, 2]); // 8 pixels of side 3 and a gap of 3
    });
  });

  const GPT = '--conditional --width 8 --heads 2 --layers 1 --norm rms --activation quickGelu';
  it.each([
    ['row-lstm', SMALL, 'PixelRNN (Row LSTM)'],
    ['diagonal-bi-lstm', SMALL, 'PixelRNN (Diagonal BiLSTM)'],
    ['conv-next', SMALL, 'PixelCNN (ConvNeXt blocks)'],
    ['gpt', `--data digits ${GPT} --batch 4 --eval-images 20 --samples 2`, 'Image GPT'],
  ])('gives the same losses when stopped and resumed, of %s, which evaluate.mjs measures', async (name, sizes, title) => {
    const [out, whole] = [join(directory, name), join(directory, `${name}-whole`)];
    const flags = `${sizes} --model ${name} --dropout 0.1 --every 5`;
    expect((await run(`${flags} --steps 5 --out ${out}`)).code).toBe(0);
    expect((await run(`--resume --steps 10 --out ${out}`)).output).toContain('continues after step 5');
    const { code, output } = await run(`${flags} --steps 10 --out ${whole}`);
    expect(code).toBe(0);
    expect(output).not.toContain('whole forward pass'); // samples are drawn incrementally
    expect(await losses(out)).toEqual(await losses(whole));
    expect(existsSync(join(out, 'samples-10.png'))).toBe(true);
    expect(await readFile(join(out, 'curve.svg'), 'utf8')).toContain(`${title} on digits`);
    const { stdout } = await runScript('evaluate.mjs', ['--model', out, '--data', 'digits', '--images', '20']);
    const best = Math.min(...(await metrics(out)).flatMap(({ testBits }) => testBits ?? []));
    expect(Number(/^model +(\d\.\d{3})$/m.exec(stdout)?.[1])).toBeCloseTo(best, 2);
  });

  describe('refuses', () => {
    const refusals: [flags: string, answer: string][] = [
      ['--data digits --out USED', 'holds a run; --resume continues it'],
      ['--resume --out nowhere', '--resume: there is no run in nowhere'],
      ['--data digits --levels 32 --out FRESH', 'quantize'],
      [
        '--data digits --model row',
        "--model: wanted pixelcnn, row-lstm, diagonal-bi-lstm, conv-next, gated, plus-plus, snail, gpt, got 'row'",
      ],
      ['--data digits --conditional', "--conditional: comes with --model gated, plus-plus, snail, gpt, got 'pixelcnn'"],
      ['--data digits --orientations 8', '--orientations: comes with --model gated, plus-plus, snail, gpt'],
      ['--data npy --path UNLABELLED --model gated --orientations 8 --out FRESH', '--orientations 8: wanted square images, got 2x3'],
      ['--data digits --model gpt --output mixture:2', '--output: comes with --model pixelcnn'],
      ['--data digits --model gpt --width 6', "--width: wanted a multiple of heads (4), got '6'"],
      ['--data emoji --model gpt --out FRESH', '--model gpt: wanted images of one channel, emoji has RGB ones; --palette makes'],
      ['--data digits --dropout 1', '--dropout: wanted a number below 1'],
      ['--data emoji --model gated --conditional --out FRESH', 'emoji has no classes'],
      ['--data npy --path UNLABELLED --model gated --conditional --out FRESH', 'npy has no classes: wanted train-labels.npy and'],
      ['--data digits --backend cpu --workers 2 --out FRESH', "--workers: comes with --backend wasm, got 'cpu'"],
      ['--data digits --validation 1500 --out FRESH', "--validation: digits has 1500 training images, got '1500'"],
      ['--data digits --out USED/run.json', '--out: wanted a directory, USED/run.json is a file'],
      ['--data digits --out USED/run.json/x', '--out: ENOTDIR'],
      ['--resume --out USED --patience 4', '--patience: the run was started without --patience or --validation'],
    ];
    const [fresh, unlabelled] = [join(directory, 'deep', 'fresh'), join(directory, 'unlabelled.npy')];
    beforeAll(() => writeFile(unlabelled, npyOf(new Uint8Array(10 * 6), [10, 2, 3])));
    const examples = refusals.map(([flags, answer]) => [answer, ['train.mjs', ...flags.split(' ').filter(Boolean)]] as const);
    itRefuses(examples, () => ({ USED: straight, FRESH: fresh, UNLABELLED: unlabelled }));

    it('and leaves nothing behind', async () => {
      for (const path of [join(directory, 'deep'), 'nowhere', 'runs']) expect(existsSync(path)).toBe(false);
      expect(await readdir(join(straight, 'events'))).toHaveLength(1);
    });
  });
});
