import { gatedPixelCNN, toPortable } from 'pixelcnn-layers';
import { type PortableModel, sample, stepper } from 'pixelcnn-layers/runtime';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MODELS } from '../../demo/catalogue.mjs';
import { SHOWN } from '../../demo/panels/inside.mjs';
import { levelsOfText } from '../../demo/parts/levels-text.mjs';
import { percent, shadeName } from '../../demo/parts/odds.mjs';
import { trailOf } from '../../demo/parts/trail.mjs';
import { evaluator, softmax } from '../../demo/worker/evaluator.mjs';
import { numbersOf } from '../../demo/worker/inside.mjs';
import { conditionOf } from '../../demo/worker/models.mjs';
import { useBackend } from '../../kit/runs/backend.mjs';
import { shippedModel } from '../support/models/shipped';
import { button, colourAt, eventually, pixels, useDemo } from './open-page';

/** `condition` is the number of a class, also of a syllable. */
type Case = { model: PortableModel; levels: number[]; condition?: number };

type Node = { size: number; input: number };

/** What the runtime says of each pixel, or of some. */
function logProbsOf({ model, levels, condition }: Case, count = levels.length) {
  const steps = stepper(model, conditionOf(model, condition));
  const all = levels.slice(0, count).map((level) => {
    const logProbs = [...steps.logProbs()];
    steps.put([level]);
    return logProbs;
  });
  steps.dispose();
  return all;
}

const upTo = (levels: number[], pixel: number) => levels.map((level, i) => (i < pixel ? level : Number.NaN));

/** All that a network computes at one pixel; and with an earlier one changed. */
function netAt({ model, levels, condition }: Case, pixel: number, cause: number) {
  const flipped = levels.map((level, i) => (i === cause ? model.levels - 1 - level : level));
  const [values, others] = [levels, flipped].map((levels) => {
    const { at } = evaluator(model, upTo(levels, pixel), numbersOf(model, condition));
    return model.nodes.map((_, node) => levels.map((_, place) => at(node, place)));
  }) as [number[][][], number[][][]];
  return { ...model, values, others, pixel, width: model.imageShape[1] as number };
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
      const { at } = evaluator(model, upTo(levels, pixel), numbersOf(model, condition));
      for (const [level, chance] of softmax(at(model.output, pixel)).entries())
        expect(Math.abs(Math.log(chance) - (logProbs[level] as number))).toBeLessThan(1e-5 * Math.max(1, -(logProbs[level] as number)));
      const isRowOver = (pixel + 1) % (model.imageShape[1] as number) === 0; // the next one may not see so far
      if (!isRowOver) expect(at(model.output, pixel + 1).every(Number.isNaN)).toBe(true);
    }
  });

  it('adds up: blocks to the change of a lead, windows to that of a gate, as far as the pixel that changes', () => {
    const { model, levels } = shown();
    const pixel = Math.floor(levels.length / 2) + 1;
    const net = netAt(shown(), pixel, pixel - 1);
    const change = (node: number, place: number, channel: number) =>
      [net.values, net.others].reduce((sum, all, i) => sum + (i === 0 ? 1 : -1) * (all[node]?.[place]?.[channel] as number), 0);
    const total = (parts: { amount: number }[]) => parts.reduce((sum, { amount }) => sum + amount, 0);
    const { blocks, hops } = trailOf(net, 0, 1);
    expect(total(blocks)).toBeCloseTo(change(model.output, pixel, 0) - change(model.output, pixel, 1), 5);
    for (const { gate, half, taps } of hops) {
      const { input, size } = model.nodes[gate.node] as unknown as Node;
      expect(total(taps)).toBeCloseTo(change(input, gate.place, gate.channel + half * size), 6);
    }
    expect(hops.at(-1)?.tap).toMatchObject({ place: pixel - 1, from: { node: 0 } });
  });
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
  const most = () => panel().locator('.inside-most');
  const area = () => panel().locator('.inside-scene');
  const figure = () => area().locator('.inside-figure').textContent();
  const title = () => area().locator('h3').textContent();
  let model: PortableModel;
  const chancesAt = (pixel: number, image: number[]) =>
    logProbsOf({ model, levels: image, condition: SHOWN.condition }, pixel + 1)[pixel]?.map(Math.exp) as number[];
  const flipped = (i: number) => levels.map((level, k) => (k === i ? kind.levels - 1 - level : level));
  /** The numbers of a text. */
  const numbersIn = (text: string | null) => (text?.replaceAll('−', '-').match(/-?\d+\.\d+/g) ?? []).map(Number);
  const near = (a: number | undefined, b: number | undefined, terms = 1) =>
    expect(Math.abs((a as number) - (b as number))).toBeLessThan(0.0006 * (terms + 1));
  beforeAll(async () => {
    model = await shippedModel('syllables-gated');
  });
  beforeEach(async () => {
    await demo.open('inside');
    await most().filter({ hasText: '.' }).waitFor();
  });

  it('shows the chances of the runtime, and how much of the chosen one each pixel makes', async () => {
    const chances = chancesAt(SHOWN.pixel, levels);
    expect(await panel().locator('.shade b').allTextContents()).toEqual(chances.map(percent));
    const likeliest = chances.indexOf(Math.max(...chances));
    const others = levels.slice(0, SHOWN.pixel).map((_, i) => chancesAt(SHOWN.pixel, flipped(i)));
    for (const level of [likeliest, (likeliest + 1) % kind.levels]) {
      if (level !== likeliest) await panel().locator('.shades input').nth(level).hover();
      expect(await panel().locator('.shades input').nth(level).isChecked()).toBe(true);
      const effects = others.map((other) => (chances[level] as number) - (other[level] as number));
      const i = effects.findIndex((effect) => Math.abs(effect) === Math.max(...effects.map(Math.abs)));
      const then = (chances[level] as number) - (effects[i] as number);
      expect(await most().textContent()).toContain(
        `which is ${shadeOf(levels[i] as number)}. If it were ${shadeOf(kind.levels - 1 - (levels[i] as number))}, the chance of ${shadeOf(level)} would ${(effects[i] as number) > 0 ? 'fall' : 'rise'} from ${percent(chances[level] as number)} to ${percent(then)}.`,
      );
    }
    await area().locator('summary').click();
    await area().getByRole('slider', { name: 'Temperature' }).fill('2');
    const roots = chances.map(Math.sqrt);
    const evened = roots.map((root) => percent(root / roots.reduce((sum, x) => sum + x)));
    expect(await panel().locator('.shade b').allTextContents()).toEqual(evened);
  });

  it('moves to another pixel by the pointer and by keys, and tells of each pixel what it does', async () => {
    const box = (await grid().boundingBox()) as { width: number; height: number };
    const first = await pixels(grid());
    const pixel = SHOWN.pixel - width + 1; // above it, on the right
    const at = { x: (((pixel % width) + 0.5) * box.width) / width, y: ((Math.floor(pixel / width) + 0.5) * box.height) / height };
    await panel().locator('summary').last().click(); // the maps, of a pixel whose cause is not known yet
    await grid().click({ position: at });
    await eventually(() => panel().locator('.shade b').allTextContents()).toEqual(chancesAt(pixel, levels).map(percent));
    await grid().press('ArrowLeft');
    const readout = () => panel().locator('.readout').textContent();
    await eventually(readout).toMatch(/^Row \d+, column \d+: .+ would (fall|rise|stay) .+%\.$/);
    await demo.page.keyboard.press('ArrowDown');
    expect(await readout()).toMatch(/: not drawn yet$/);
    await demo.page.keyboard.press('Space');
    await eventually(readout).toMatch(/: the pixel being decided$/);
    await eventually(() => panel().locator('.shade b').allTextContents()).toEqual(chancesAt(SHOWN.pixel, levels).map(percent));
    await demo.page.keyboard.press('Tab'); // its cursor goes
    await eventually(() => pixels(grid())).toBe(first);
  });

  it('goes from the answer back to the picture, with the numbers that the network computes, and shows where in small maps', async () => {
    const level = 1;
    const net = netAt({ model, levels, condition: SHOWN.condition }, SHOWN.pixel, SHOWN.pixel - 2 * width);
    const { hops, channel } = trailOf(net, level, 1 - level);
    const ends = [hops[0], hops.at(-1)];
    for (const [i, scene] of ['chances', 'scores', 'block', 'gate', 'window', 'gate', 'window'].entries()) {
      expect(await area().getByRole('radio', { name: scene }).isChecked()).toBe(true);
      const numbers = numbersIn(await title());
      for (const one of await area().locator('.sum').all()) {
        const terms = numbersIn((await one.locator('b').allTextContents()).join(' '));
        const shown = terms.slice(0, -1).reduce((sum, x) => sum + x, 0);
        expect(terms.at(-1)).toBeCloseTo(shown, 6); // as anybody may add it up
        expect(terms.at(-1)).toBeCloseTo(scene === 'scores' ? (numbers[1] as number) - (numbers[0] as number) : (numbers[0] as number), 6);
      }
      const both = [net.others, net.values];
      const leads = both
        .map((all) => all[model.output]?.[SHOWN.pixel] as number[])
        .map((logits) => (logits[1] as number) - (logits[0] as number));
      if (scene === 'scores') for (const k of [0, 1]) near(numbers[k], leads[k], 10);
      if (scene === 'block') expect(await area().locator('.most').textContent()).toContain(`Channel ${channel + 1}:`);
      const { gate, taps } = ends[Number(i > 4)] ?? {};
      if (scene === 'gate' && gate) for (const k of [0, 1]) near(numbers[k], both[k]?.[gate.node]?.[gate.place]?.[gate.channel], 10);
      if (scene === 'gate')
        expect(await colourAt(grid(), 0.5 / width, 8.5 / height)).toEqual(await colourAt(grid(), 0.5 / width, 15.5 / height));
      if (i === 5) expect(await figure()).toMatch(/^The way back: channel \d+ of block 4 → .*channel \d+ of block 1/);
      if (i === 6) {
        expect(await most().textContent()).toMatch(/a detector in the network gives a smaller number, which speaks for black\.$/);
        const [then = 0, now = 0] = both.map((all) => all[gate?.node as number]?.[gate?.place as number]?.[gate?.channel as number]);
        const way = `this detector gives a ${now > then ? 'larger' : 'smaller'} number, and so the last one on the way gives a smaller number, which speaks for black`;
        expect(await area().locator('.inside-short').textContent()).toMatch(
          `pixel is black. So ${way}. With others like it, black comes to 99%, from 34%.`,
        );
        const places = await area().locator('.taps td').evaluateAll((all) => all.map((td) => (td.matches('.here') ? '!' : td.textContent === '?' ? '?' : '.')).join('')); // biome-ignore format: one line
        expect(places.indexOf('?') - places.indexOf('!')).toBe(2 * 7); // the pixel that was asked about, two rows below the one that counts
      }
      if (scene === 'window') expect(await area().locator('.taps td:not(.masked)').count()).toBe(taps?.length);
      await area()
        .getByRole('button', { name: /Why|Restart/ })
        .press('Enter');
    }
    expect(await area().getByRole('radio', { name: 'chances' }).isChecked()).toBe(true);
    await panel().locator('summary').last().click();
    await eventually(() => panel().locator('.maps canvas').count()).toBe(7 * 16);
    expect(await panel().locator('.maps .followed').count()).toBe(hops.length);
  });

  it('follows the visitor’s picture, a digit in fewer pixels', async () => {
    await demo.page.evaluate(() => location.assign('#likelihood?model=digits-28&image=6'));
    await demo.see('likelihood');
    await demo.bringIntoSight('inside');
    await eventually(() => panel().locator('.told').textContent()).toBe('It is drawing a 5.');
    expect(await panel().locator('.shade').count()).toBe(17);
    await eventually(title).toMatch(/^(black|white|\d+% grey): \d/);
  });

  it('has a link to what is shown, and says what is wrong with one', async () => {
    await panel().getByRole('radio', { name: shadeOf(0) }).first().check({ force: true }); // biome-ignore format: one line
    await area().getByRole('radio', { name: 'gate' }).check({ force: true });
    await eventually(title).toContain('channel'); // once that is known
    const gate = await title();
    await button(panel(), 'Copy link').click();
    const { hash } = new URL(demo.page.url());
    expect(hash).toMatch(new RegExp(`^#inside\\?model=syllables-16&class=10588&levels=\\w+&pixel=${SHOWN.pixel}&level=0&scene=gate$`));
    await demo.page.evaluate(() => location.assign('#inside?pixel=3&level=99'));
    await eventually(() => panel().locator('.alert').textContent()).toContain('Ignored in the address: level');
    await eventually(() => panel().locator('.shade b').allTextContents()).toEqual(chancesAt(3, levels).map(percent));
    await demo.page.evaluate((to) => location.assign(to), hash);
    await eventually(title).toBe(gate);
    expect(await panel().locator('.shades input').nth(0).isChecked()).toBe(true);
  });
});
