import { gatedPixelCNN, toPortable } from 'pixelcnn-layers';
import { type PortableModel, sample, stepper } from 'pixelcnn-layers/runtime';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MODELS } from '../../demo/catalogue.mjs';
import { SHOWN } from '../../demo/panels/inside.mjs';
import { layersOf } from '../../demo/parts/gated-layers.mjs';
import { tapsOf } from '../../demo/parts/layer-detail.mjs';
import { levelsOfText } from '../../demo/parts/levels-text.mjs';
import { percent, shadeName } from '../../demo/parts/odds.mjs';
import { evaluator, softmax } from '../../demo/worker/evaluator.mjs';
import { numbersOf } from '../../demo/worker/inside.mjs';
import { conditionOf } from '../../demo/worker/models.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { shippedModel } from '../support/models/shipped';
import { button, eventually, focusedAfterFrames, pixels, useDemo } from './open-page';

interface Case {
  model: PortableModel;
  levels: number[];
  /** The number of a class, also of a syllable. */
  condition?: number;
}

/** What the runtime says of each pixel. */
function logProbsOf({ model, levels, condition }: Case) {
  const steps = stepper(model, conditionOf(model, condition));
  const all = levels.map((level) => {
    const logProbs = [...steps.logProbs()];
    steps.put([level]);
    return logProbs;
  });
  steps.dispose();
  return all;
}

const before = (levels: number[], pixel: number) => levels.map((level, i) => (i < pixel ? level : Number.NaN));

/** All that a network computes at one pixel. */
function netAt({ model, levels, condition }: Case, pixel: number) {
  const { at } = evaluator(model, before(levels, pixel), numbersOf(model, condition));
  const values = model.nodes.map((_, node) => levels.map((_, place) => at(node, place)));
  return { ...model, values, pixel, width: model.imageShape[1] as number };
}

const cases: Record<string, Case> = {};

beforeAll(async () => {
  const digits = await shippedModel('digits-conditional');
  const { data } = await sample(digits, { condition: [3], seed: 1 });
  cases['17 levels and a class'] = { model: digits, levels: [...data], condition: 3 };
  const syllables = await shippedModel('syllables-gated');
  const drawn = await sample(syllables, { ...conditionOf(syllables, 10_588), seed: 1 });
  cases['a syllable and its parts'] = { model: syllables, levels: [...drawn.data], condition: 10_588 };
  await useBackend('cpu');
  const SIZES = { imageShape: [6, 5, 1] as [number, number, number], levels: 2, hiddenDim: 3, outDim: 4 };
  const model = gatedPixelCNN({ ...SIZES, numBlocks: 2, firstKernelSize: 5, seed: 1 });
  const levels = Array.from({ length: 30 }, (_, i) => Number(i % 3 === 0));
  cases['black and white'] = { model: await toPortable(model), levels };
  model.dispose();
});

describe.each(['17 levels and a class', 'a syllable and its parts', 'black and white'])('a network of %s that is looked into', (name) => {
  const shown = () => cases[name] as Case;

  it('says at every pixel what the runtime says, of the pixels before it only', () => {
    const { model, levels, condition } = shown();
    for (const [pixel, logProbs] of logProbsOf(shown()).entries()) {
      const { at } = evaluator(model, before(levels, pixel), numbersOf(model, condition));
      for (const [level, chance] of softmax(at(model.output, pixel)).entries())
        expect(Math.abs(Math.log(chance) - (logProbs[level] as number))).toBeLessThan(1e-5 * Math.max(1, -(logProbs[level] as number)));
      const isRowOver = (pixel + 1) % (model.imageShape[1] as number) === 0; // the next one may not see so far
      if (!isRowOver) expect(at(model.output, pixel + 1).every(Number.isNaN)).toBe(true);
    }
  });

  it('adds up: the taps of each convolution, and the bias', () => {
    const pixel = Math.floor(shown().levels.length / 2) + 1;
    const net = netAt(shown(), pixel);
    let count = 0;
    for (const { kind, node, size } of layersOf(net)) {
      if (!['vertical', 'horizontal', 'across', 'mix', 'logits'].includes(kind)) continue;
      const { bias } = net.nodes[node] as { bias: string | null };
      for (let channel = 0; channel < size; channel++) {
        const taps = tapsOf(net, node, channel).flat();
        const sum = taps.reduce((total, tap) => total + (tap.isSeen ? tap.product : 0), 0);
        const offset = bias === null ? 0 : (net.weights.get(bias)?.data[channel] as number);
        expect(sum + offset).toBeCloseTo(net.values[node]?.[pixel]?.[channel] as number, 9);
        count++;
      }
    }
    expect(count).toBeGreaterThan(30);
  });
});

it('goes through the layers block by block, the vertical stack first', () => {
  const { model } = cases['black and white'] as Case;
  const block = (k: number, isFirst: boolean, isLast: boolean) => [
    `Block ${k}, Vertical stack, Convolution`,
    ...(isLast ? [] : [`Block ${k}, Vertical stack, Gate`]),
    ...['Convolution', 'From vertical', 'Gate', '1×1', ...(isFirst ? [] : ['Sum'])].map(
      (layer) => `Block ${k}, Horizontal stack, ${layer}`,
    ),
  ];
  expect(layersOf(model).map(({ title }) => title)).toEqual([
    'Picture, Input',
    ...block(1, true, false),
    ...block(2, false, false),
    ...block(3, false, true),
    ...['ReLU', '1×1', 'ReLU', '1×1', 'Logits', 'Softmax'].map((layer) => `Output, ${layer}`),
  ]);
});

it.each([
  ['clothes', /^A network with other outputs than a softmax of one channel cannot be looked into$|with \w+ cannot/],
  ['emoji-32', /^A network with other outputs than a softmax of one channel cannot be looked into$/],
])('refuses another kind of network by what it has: %s', async (name, message) => {
  const model = await shippedModel(name);
  expect(() => evaluator(model, new Array(28 * 28).fill(0), [0]).at(model.output, 0)).toThrow(message);
});

describe('looking inside in the demo', () => {
  const demo = useDemo();
  const kind = MODELS['syllables-16'] as unknown as { levels: number; shape: [number, number, number] };
  const [height, width] = kind.shape;
  const levels = levelsOfText(SHOWN.picture, { levels: kind.levels, size: height * width }) as number[];
  const shadeOf = (level: number) => shadeName(level, kind);
  const panel = () => demo.panel('inside');
  const grid = () => panel().getByRole('application');
  const words = () => panel().locator('.inside-words');
  const most = () => panel().locator('.inside-most');
  const shade = (level: number) =>
    panel()
      .getByRole('radio', { name: shadeOf(level), exact: false })
      .first();
  const layer = (name: string) => panel().getByRole('button', { name, exact: true });
  const next = () => button(panel(), 'Next');
  let model: PortableModel;
  const chancesAt = (pixel: number, image: number[]) => {
    const condition = SHOWN.condition === undefined ? {} : { condition: SHOWN.condition };
    return (logProbsOf({ model, levels: image, ...condition })[pixel] as number[]).map(Math.exp);
  };
  const flipped = (i: number) => levels.map((level, k) => (k === i ? kind.levels - 1 - level : level));
  /** The numbers of a text. */
  const numbersIn = (text: string | null) => (text?.replaceAll('−', '-').match(/-?\d+\.\d+/g) ?? []).map(Number);
  const near = (a: number | undefined, b: number | undefined, terms = 1) =>
    expect(Math.abs((a as number) - (b as number))).toBeLessThan(0.0006 * (terms + 1));

  beforeAll(async () => {
    model = await shippedModel(SHOWN.model);
  });
  beforeEach(async () => {
    await demo.open('inside');
    await most().filter({ hasText: '.' }).waitFor();
  });

  it('shows the chances of the runtime, and how much of the chosen one each pixel makes', async () => {
    const chances = chancesAt(SHOWN.pixel, levels);
    expect(await panel().locator('.shade b').allTextContents()).toEqual(chances.map(percent));
    const likeliest = chances.indexOf(Math.max(...chances));
    for (const level of [likeliest, (likeliest + 1) % kind.levels]) {
      if (level !== likeliest) await panel().locator('.shades input').nth(level).hover();
      expect(await panel().locator('.shades input').nth(level).isChecked()).toBe(true);
      const effects = levels
        .slice(0, SHOWN.pixel)
        .map((_, i) => (chances[level] as number) - (chancesAt(SHOWN.pixel, flipped(i))[level] as number));
      const sizes = effects.map(Math.abs);
      const i = sizes.indexOf(Math.max(...sizes));
      const then = (chances[level] as number) - (effects[i] as number);
      expect(await most().textContent()).toContain(
        `it is ${shadeOf(levels[i] as number)}. If it were ${shadeOf(kind.levels - 1 - (levels[i] as number))}, the chance of ${shadeOf(level)} would ${(effects[i] as number) > 0 ? 'fall' : 'rise'} from ${percent(chances[level] as number)} to ${percent(then)}.`,
      );
    }
  });

  it('moves to another pixel by the pointer and by keys, and tells of each pixel what it does', async () => {
    const box = (await grid().boundingBox()) as { width: number; height: number };
    const first = await pixels(grid());
    const pixel = SHOWN.pixel - width + 1; // above it, on the right
    const at = { x: (((pixel % width) + 0.5) * box.width) / width, y: ((Math.floor(pixel / width) + 0.5) * box.height) / height };
    await grid().click({ position: at });
    await eventually(() => panel().locator('.shade b').allTextContents()).toEqual(chancesAt(pixel, levels).map(percent));
    await grid().focus();
    await demo.page.keyboard.press('ArrowLeft');
    const readout = () => panel().locator('.readout').textContent();
    await eventually(readout).toMatch(/^Row \d+, column \d+: .+ would (fall|rise|stay) .+%\.$/);
    await demo.page.keyboard.press('ArrowDown');
    expect(await readout()).toMatch(/: not drawn yet$/);
    await demo.page.keyboard.press('Space');
    await eventually(readout).toMatch(/: the network decides about it$/);
    await eventually(() => panel().locator('.shade b').allTextContents()).toEqual(chancesAt(SHOWN.pixel, levels).map(percent));
    await demo.page.keyboard.press('Tab'); // its cursor goes
    await eventually(() => pixels(grid())).toBe(first);
  });

  it('opens a layer at the map that is clicked, and goes back to it', async () => {
    await layer('Block 2, Vertical stack, Convolution').locator('canvas').nth(5).click();
    expect(await words().locator('h3').textContent()).toBe('Block 2, Vertical stack, Convolution');
    expect(await panel().locator('.result small').textContent()).toBe('channel 5');
    expect(await focusedAfterFrames(demo.page)).toBe('Next');
    const tap = panel().locator('.taps').first().locator('td').nth(7);
    expect(await tap.locator('s').count()).toBe(1); // below its own row
    await panel().locator('.detail .term canvas').first().click(); // the number before it
    expect(await words().locator('h3').textContent()).toBe('Block 1, Vertical stack, Gate');
    await button(panel(), 'Overview').click();
    expect(await words().locator('h3').textContent()).toBe('The whole network');
    expect(await demo.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Block 1, Vertical stack, Gate');
  });

  it('goes by keys from layer to layer, and opens the channel with the largest number', async () => {
    await layer('Picture, Input').focus();
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowRight']) await demo.page.keyboard.press(key);
    await demo.page.keyboard.press('Enter');
    expect(await words().locator('h3').textContent()).toBe('Block 1, Vertical stack, Gate');
    const value = numbersIn(await panel().locator('.result b').textContent())[0] as number;
    const slider = panel().getByRole('slider', { name: 'Channel' });
    for (let o = 0; o <= Number(await slider.getAttribute('max')); o++) {
      await slider.fill(String(o));
      const [other = Number.NaN] = numbersIn(await panel().locator('.result b').textContent());
      expect(Math.abs(other)).toBeLessThanOrEqual(Math.abs(value));
    }
  });

  it('goes through all layers, with the numbers that the network computes', async () => {
    const chances = chancesAt(SHOWN.pixel, levels);
    const net = netAt({ model, levels, ...(SHOWN.condition !== undefined && { condition: SHOWN.condition }) }, SHOWN.pixel);
    for (const { title, kind: what, node } of layersOf(model)) {
      await next().press('Enter');
      expect(await words().locator('h3').textContent()).toBe(title);
      const [result] = numbersIn(await panel().locator('.result b').textContent());
      const channel = Number((await panel().locator('.result small').textContent())?.match(/\d+/)?.[0] ?? 0);
      if (what === 'softmax') {
        const shares = await panel().locator('.logits td:last-child').allTextContents();
        expect(shares).toHaveLength(kind.levels);
        for (const [level, chance] of chances.entries()) near(Number(shares[level]), chance);
      } else if (what !== 'image') near(net.values[node]?.[SHOWN.pixel]?.[channel], result);
      if (await panel().locator('.taps').count()) {
        const [weights, values, products] = await Promise.all(
          [0, 1, 2].map(async (i) =>
            numbersIn((await panel().locator('.taps').nth(i).locator('td:not(.masked)').allTextContents()).join(' ')),
          ),
        );
        for (const [i, product] of (products as number[]).entries())
          near((weights?.[i] as number) * (values?.[i] as number), product, Math.abs(values?.[i] as number) + 1);
      }
    }
    expect(await next().isDisabled()).toBe(true);
    await button(panel(), 'Previous').click();
    expect(await words().locator('h3').textContent()).toBe('Output, Logits');
  });

  it('has a link to what is shown, and says what is wrong with one', async () => {
    await shade(0).check({ force: true });
    await layer('Block 1, Vertical stack, Gate').locator('canvas').nth(1).click();
    await button(panel(), 'Copy link').click();
    const { hash } = new URL(demo.page.url());
    expect(hash).toBe(`#inside?pixel=${SHOWN.pixel}&level=0&step=2&channel=1`);
    await demo.page.evaluate(() => location.assign('#inside?pixel=3&level=99'));
    await eventually(() => panel().locator('.alert').textContent()).toContain('Ignored in the address: level');
    await eventually(() => panel().locator('.shade b').allTextContents()).toEqual(chancesAt(3, levels).map(percent));
    await demo.page.evaluate((to) => location.assign(to), hash);
    await eventually(() => words().locator('h3').textContent()).toBe('Block 1, Vertical stack, Gate');
    expect(await panel().locator('.result small').textContent()).toBe('channel 1');
    expect(await panel().locator('.shades input').nth(0).isChecked()).toBe(true);
  });
});
