import { afterEach, describe, expect, it } from 'vitest';
import { readTrainFlags } from '../../examples/lib/train-flags.mjs';
import {
  commandsOf,
  flagsOf,
  PUBLISHED,
  type Recipe,
  readRecipes,
  recipeOf,
} from '../../scripts/lib/recipes.mjs';

const recipes: Recipe[] = await readRecipes();

// Reading flags prepares the process for errors.
const listeners = process.listeners('uncaughtException');
afterEach(() => {
  for (const listener of process.listeners('uncaughtException')) {
    if (!listeners.includes(listener)) process.removeListener('uncaughtException', listener);
  }
});

describe('recipes of the runs in the docs', () => {
  const ofTrain = recipes.filter(({ program }) => program === 'train.mjs');

  it('has every run, each with a name of its own', () => {
    expect(recipes.length).toBeGreaterThan(80);
    expect(new Set(recipes.map(({ name }) => name)).size).toBe(recipes.length);
  });

  it.each(ofTrain)('gives $name flags that train.mjs reads as its settings', ({ settings }) => {
    const { palette: _, checksum: __, ...asked } = settings;
    expect(readTrainFlags(flagsOf(settings)).run).toMatchObject(asked);
  });

  it('continues a run that has begun, where it was begun', () => {
    const recipe = recipes.find(({ name }) => name === 'digits-1') as Recipe;
    const options = { out: 'runs/digits-1', path: 'data' };
    expect(commandsOf(recipe, { ...options, isBegun: true })).toEqual([
      ['train.mjs', ['--resume', '--path', 'data', '--out', 'runs/digits-1']],
    ]);
    expect(commandsOf(recipe, { ...options, isBegun: false })[0]?.[1]).toContain('--learning-rate');
  });

  it('ends a run of train.py in the figure of the file that it exports', () => {
    const settings = { program: 'pytorch/train.py', data: 'binarized-mnist', model: 'plus-plus', output: 'softmax', bfloat16: true }; // biome-ignore format: one line
    const lines = [{ step: 5, validationBits: 0.15, seconds: 9000, cpuSeconds: 7200 }, { best: 5, testNats: 81.298 }]; // biome-ignore format: one line
    const recipe = recipeOf({ name: 'a', settings, lines });
    expect(recipe).toMatchObject({ figure: '81.30 nats', hours: 2 });
    expect(commandsOf(recipe, { out: 'o', isBegun: false })).toEqual([
      ['pytorch/train.py', ['--data', 'binarized-mnist', '--model', 'plus-plus', '--output', 'softmax', '--bfloat16', '--out', 'o']],
      ['export.mjs', ['--model', 'o', '--out', 'o/a.pixelcnn']],
      ['evaluate.mjs', ['--model', 'o/a.pixelcnn', '--data', 'binarized-mnist']],
    ]); // biome-ignore format: a command a line
  });

  it('names what others published', () => {
    expect(PUBLISHED.map(({ network, figure }) => `${network} ${figure}`)).toContain('PixelCNN 81.30 nats');
  });
});
