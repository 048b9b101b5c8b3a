import { readFile } from 'node:fs/promises';
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
      const { input, size } = model.nodes[gate.node] as unknown as { size: number; input: number };
      expect(total(taps)).toBeCloseTo(change(input, gate.place, gate.channel + half * size), 6);
    }
    expect(hops.at(-1)?.tap).toMatchObject({ place: pixel - 1, from: { node: 0 } });
  });
});

it.each(['digits-conditional', 'syllables-gated'] as const)('shows where %s has its largest and smallest numbers', async (name) => {
  const spots = JSON.parse(await readFile(new URL('../../demo/spots.json', import.meta.url), 'utf8'));
  const model = await shippedModel(name);
  const side = model.imageShape[1] as number;
  const [node, channels] = Object.entries(spots[name])[0] as [string, [number, number, string, string][]]; // the rows above: all that it sees is in a patch
  const numberOf = (patch: string, channel: number) => {
    const levelAt = (row: number, column: number) => (column < 7 ? Number.parseInt(patch[7 * row + column] ?? '0', 36) : 0);
    const image = Array.from({ length: side * side }, (_, i) => levelAt(Math.floor(i / side), i % side));
    return evaluator(model, image, numbersOf(model, 0)).at(Number(node), 4 * side + 3)[channel] as number;
  };
  for (const [channel, [most, least, ...texts]] of channels.entries()) {
    expect(most).toBeGreaterThan(least);
    const [largest, smallest] = texts.map((text) => (text.match(/.{35}/g) ?? []).reduce((sum, patch) => sum + numberOf(patch, channel), 0));
    expect(largest).toBeGreaterThan(smallest as number);
  }
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
  const figure = () => area().locator('.inside-figure');
  const title = () => area().locator('h3').textContent();
  let model: PortableModel;
  const chancesAt = (pixel: number, image: number[]) =>
    logProbsOf({ model, levels: image, condition: SHOWN.condition }, pixel + 1)[pixel]?.map(Math.exp) as number[];
  const flipped = (i: number) => levels.map((level, k) => (k === i ? kind.levels - 1 - level : level));
  /** The numbers of a text. */
  const numbersIn = (text: string | null) => (text?.replaceAll('−', '-').match(/-?\d+\.\d+/g) ?? []).map(Number);
  const near = (a = 0, b = 1) => expect(Math.abs(a - b)).toBeLessThan(0.0066);
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
    expect((await colourAt(grid(), 0.1 / width, 0.1 / height)).slice(0, 3)).toEqual([220, 217, 208]); // out of sight: --unseen
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
    await area().locator('summary:visible').click();
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
    const net = netAt({ model, levels, condition: SHOWN.condition }, SHOWN.pixel, SHOWN.pixel - 1);
    const { hops, channel } = trailOf(net, 1, 0);
    /** Were that pixel another; and as it is. */
    const numbersAt = ([node, place, channel]: number[] = []) =>
      [net.others, net.values].map((all) => all[node as number]?.[place as number]?.[channel as number] as number);
    const last = numbersAt(Object.values(hops[0]?.gate ?? {}));
    const [white, black] = [0, 1].map((level) => numbersAt([model.output, SHOWN.pixel, level])) as [number[], number[]];
    const [then, now] = last.map((x) => x.toFixed(2));
    for (const scene of ['chances', 'scores', 'block', 'detector', 'window']) {
      expect(await area().getByRole('radio', { name: scene }).isChecked()).toBe(true);
      const numbers = numbersIn(await title());
      for (const one of await area().locator('.sum').all()) {
        const terms = numbersIn((await one.locator('b').allTextContents()).join(' '));
        const shown = terms.slice(0, -1).reduce((sum, x) => sum + x, 0);
        expect(terms.at(-1)).toBeCloseTo(shown, 6); // as anybody may add it up
        expect(terms.at(-1)).toBeCloseTo(scene === 'scores' ? (numbers[1] as number) - (numbers[0] as number) : (numbers[0] as number), 6);
      }
      if (scene === 'scores') for (const k of [0, 1]) near(numbers[k], (black[k] as number) - (white[k] as number));
      if (scene === 'block') expect(await area().locator('.most').textContent()).toContain(`Detector ${channel + 1}:`);
      if (scene === 'detector') {
        for (const k of [0, 1]) near(numbers[k], last[k]);
        expect(await colourAt(grid(), 0.5 / width, 9.5 / height)).toEqual(await colourAt(grid(), 0.5 / width, 15.5 / height));
        await eventually(() => figure().locator('canvas[data-images="4"]').count()).toBe(2); // once they are loaded
        const order = (await figure().locator('td b').allTextContents()).flatMap(numbersIn);
        expect(order).toEqual([...order].sort((a, b) => b - a));
        expect(order).toEqual(expect.arrayContaining([Number(then), Number(now)]));
        const [found = 0, open = 0] = numbersIn(await area().locator('.product').textContent());
        expect(Math.abs(found * open - Number(now))).toBeLessThan(0.016); // of rounded numbers
      }
      if (scene === 'window') {
        expect((await area().locator('.inside-short').textContent())?.replaceAll('−', '-')).toMatch(
          `of block 1 adds up most with ink 1 to the left, and no ink 3 to the left. The framed pixel is black, so the detector gives ${now} instead of ${then}, which speaks for black. With others, black comes to over 99%, from 11%.`,
        );
        expect(await title()).toContain(`counts +${hops[0]?.tap?.weight.toFixed(2)}`);
        for (const { place, weight } of hops[0]?.taps.filter(({ weight }) => Math.abs(weight) > 0.05) ?? []) {
          const [x, y] = [(place % width) + 0.15, Math.floor(place / width) + 0.15];
          const [red = 0, , blue = 0] = await colourAt(grid(), x / width, y / height);
          expect(blue > red).toBe(weight > 0);
        }
      }
      await area().locator('.button.primary').press('Enter');
    }
    expect(await area().getByRole('radio', { name: 'chances' }).isChecked()).toBe(true);
    await panel().locator('summary').last().click();
    await eventually(() => panel().locator('.maps canvas').count()).toBe(7 * 16);
    expect(await panel().locator('.maps .followed').count()).toBe(hops.length);
  });

  it('says in one sentence what several detectors do, one because of another', async () => {
    const net = netAt({ model, levels, condition: SHOWN.condition }, 149, 149 - 2 * width); // what counts most there
    const { hops } = trailOf(net, 1, 0);
    const [next, first] = hops.map(({ gate: { node, place, channel } }) =>
      [net.values, net.others].map((all) => all[node]?.[place]?.[channel]?.toFixed(2).replace('-', '−')).join(' instead of '),
    );
    await demo.page.evaluate(() => location.assign('#inside?pixel=149&scene=window'));
    const said = `so the detector gives ${first}, and so detector 1 of block 2 gives ${next}, which speaks for `;
    await eventually(() => area().locator('.inside-short').textContent()).toContain(said);
  });

  it('offers to open the visitor’s digit, in fewer pixels', async () => {
    await demo.page.evaluate(() => location.assign('#likelihood?model=digits-28&image=6'));
    await demo.see('likelihood');
    await demo.bringIntoSight('inside');
    await button(panel(), 'Open your digit, in 8 by 8 pixels').click();
    await eventually(() => panel().locator('.told').textContent()).toBe('It is drawing a 5.');
    expect(await panel().locator('.shade').count()).toBe(17);
    await eventually(title).toMatch(/^Chance of (black|white|\d+% grey): \d/);
  });

  it('has a link to what is shown, and says what is wrong with one', async () => {
    await panel().getByRole('radio', { name: shadeOf(0) }).first().check({ force: true }); // biome-ignore format: one line
    await area().getByRole('radio', { name: 'detector' }).check({ force: true });
    await eventually(title).toContain('etector'); // once that is known
    const gate = await title();
    await button(panel(), 'Copy link').click();
    const { hash } = new URL(demo.page.url());
    expect(hash.replace(/levels=\w+/, '')).toBe(`#inside?model=syllables-16&class=9867&&pixel=${SHOWN.pixel}&level=0&scene=gate`);
    await demo.page.evaluate(() => location.assign('#inside?pixel=3&level=99'));
    await eventually(() => panel().locator('.alert').textContent()).toContain('Ignored in the address: level');
    await eventually(() => panel().locator('.shade b').allTextContents()).toEqual(chancesAt(3, levels).map(percent));
    await demo.page.evaluate((to) => location.assign(to), hash);
    await eventually(title).toBe(gate);
    expect(await panel().locator('.shades input').nth(0).isChecked()).toBe(true);
  });
});
