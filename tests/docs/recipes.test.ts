import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { readTrainFlags } from '../../kit/runs/train-flags.mjs';
import { commandsOf, flagsOf, type Recipe, readRecipes, recipeOf } from '../../scripts/lib/recipes.mjs';

const recipes: Recipe[] = await readRecipes();

// Reading flags prepares the process for errors.
const listeners = process.listeners('uncaughtException');
afterEach(() => {
  for (const listener of process.listeners('uncaughtException')) {
    if (!listeners.includes(listener)) process.removeListener('uncaughtException', listener);
  }
});

it('has the block of the guide in the runs that train it', async () => {
  const [block, guide] = await Promise.all(
    ['kit/models/conv-next-block.mjs', 'docs/guides/make-a-layer.md'].map((file) => readFile(file, 'utf8')),
  );
  expect(guide).toContain(block?.slice(block.indexOf('const chain')));
});

describe('recipes of the runs in the docs', () => {
  const ofTrain = recipes.filter(({ program }) => program === 'train.mjs');

  it('has every run, each with a name of its own', () => {
    expect(recipes.length).toBeGreaterThan(80);
    expect(new Set(recipes.map(({ name }) => name)).size).toBe(recipes.length);
  });

  it.each(ofTrain)('gives $name flags that train.mjs reads as its settings', ({ settings }) => {
    const { palette: _, checksum: __, ...asked } = settings;
    expect(readTrainFlags(flagsOf(settings, 'train.mjs')).run).toMatchObject(asked);
  });

  it('continues a run that has begun, where it was begun', () => {
    const recipe = recipes.find(({ name }) => name === 'digits-1') as Recipe;
    const options = { out: 'runs/digits-1', path: 'data' };
    const resumed = ['--resume', '--path', 'data', '--out', 'runs/digits-1'];
    expect(commandsOf(recipe, { ...options, isBegun: true })).toEqual([['train.mjs', resumed]]);
    expect(commandsOf(recipe, { ...options, isBegun: false })[0]?.[1]).toContain('--learning-rate');
    const spins = recipes.find(({ program }) => program === 'ising.mjs') as Recipe;
    const flags = (isBegun: boolean) => commandsOf(spins, { out: 'o', isBegun })[0]?.[1];
    expect(flags(true)).toEqual([...(flags(false) ?? []), '--resume']);
  });

  it('ends a run of train.py in the figure of the file that it exports', () => {
    const settings = { program: 'pytorch/train.py', data: 'binarized-mnist', model: 'plus-plus', output: 'softmax', bfloat16: true };
    const evaluation = { validationBits: 0.15, seconds: 9000, cpuSeconds: 7200 };
    const evaluations = [
      { ...evaluation, step: 4, cpuSeconds: 3600 },
      { ...evaluation, step: 5 },
    ];
    const recipe = recipeOf({ name: 'a', settings, lines: [...evaluations, { best: 5, testNats: 81.31 }, { testNats: 81.298 }] });
    expect(recipe).toMatchObject({ figure: '81.30 nats', hours: 2 });
    const evaluated = [
      ['convert.mjs', ['--model', 'o', '--to', 'o/a.pixelcnn', '--precision', 'float16']],
      ['evaluate.mjs', ['--model', 'o/a.pixelcnn', '--data', 'binarized-mnist', '--path', 'd']],
    ];
    const options = { out: 'o', path: 'd', isBegun: false };
    expect(commandsOf(recipe, options)).toEqual([
      ['pytorch/train.py', ['--data', 'binarized-mnist', '--model', 'plus-plus', '--output', 'softmax', '--bfloat16', '--path', 'd', '--out', 'o']],
      ...evaluated,
    ]); // biome-ignore format: a command a line
    expect(commandsOf({ ...recipe, program: 'train.mjs' }, options).slice(1)).toEqual(evaluated);
  });

  it('gives train.py all settings of a PixelSNAIL, which is called otherwise there', () => {
    const settings = { data: 'digits', model: 'pixelsnail', filters: 16, blocks: 2, resBlocks: 1, input: 'oneHot' };
    const flags = '--data digits --model pixelsnail --filters 16 --blocks 2 --res-blocks 1 --input oneHot';
    expect(flagsOf(settings, 'pytorch/train.py').join(' ')).toBe(flags);
  });

  it('names a run without a figure', () => {
    const run = { name: 'a', settings: { data: 'digits' }, lines: [{ step: 5, seconds: 1 }] };
    expect(() => recipeOf(run)).toThrow('docs/results/runs/a.jsonl: wanted a figure of the test images at its end');
  });
});
