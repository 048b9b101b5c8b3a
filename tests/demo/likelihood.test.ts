import { logProb } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { shippedImages, shippedModel } from '../support/models/shipped';
import { button, colourAt, eventually, useDemo } from './open-page';

/** How many bits the sixth digit, a five, takes. */
async function bitsOfFive() {
  const data = (await shippedImages('digits-28')).slice(5 * 784, 6 * 784);
  const [nats = 0] = await logProb(await shippedModel('digits-28'), { data, shape: [1, 28, 28, 1] }, { condition: 5 });
  return -nats / Math.LN2;
}

describe('how likely in the demo', () => {
  const demo = useDemo({ isShared: true });
  const likelihood = () => demo.panel('likelihood');
  const map = () => likelihood().getByRole('application', { name: 'Bits of each pixel' });
  const readout = () => likelihood().locator('.map .readout').textContent();
  const headline = async () => (await likelihood().locator('.headline, .detail').allTextContents()).join(' ');
  const bitsOf = (text: string | null) => Number(text?.match(/(\d+\.\d+) bits/)?.[1]);
  const whole = async () => Number((await headline()).match(/This picture: ([\d,]+) bits/)?.[1]?.replace(',', ''));

  beforeEach(async () => {
    await demo.open('likelihood', 'model=digits-conditional&image=1'); // quick, and few to walk through
    await eventually(headline).toMatch('each of its 64 pixels');
  });

  it('says how many bits the image takes, beside a uniform guess and a PNG', async () => {
    await eventually(headline).toMatch(
      /^This picture: \d+ bits That is \d\.\d\d for each of its 64 pixels\. Pictures it has never seen take \d\.\d\d on average\. Blind guessing takes 4\.09\.$/,
    );
    const bars = async () => (await likelihood().locator('.bar').allTextContents()).join('');
    await eventually(bars).toMatch(/^our file \(pale: header\)\d+the smallest PNG\d+blind guessing262$/);
  });

  it('tells the bits of each pixel, and what was expected at one: the most surprising, or the one pointed at', async () => {
    const title = () => likelihood().locator('.levels h3').textContent();
    const words = () => likelihood().locator('.levels').getByRole('img').first().getAttribute('aria-label');
    const place = (text: string | null) => (/row (\d), column (\d)/i.exec(text ?? '') ?? []).slice(1).map((text) => Number(text) - 1); // said from 1
    const [row = 0, column = 0] = place(await title()) ?? [];
    const note = likelihood().locator('.levels .hint');
    expect(await note.textContent()).toBe('This pixel surprises it most, and is marked on the map of bits.');
    // A ring of white and ink, a square's tenth wide, of which there are eight a side.
    const ring = (y: number, x: number) => colourAt(map(), (x + 0.02) / 8, (y + 0.5) / 8);
    expect(await ring(row, column)).not.toEqual(await ring(row, column + 1 < 8 ? column + 1 : 0));
    const inside = await colourAt(map(), (column + 0.5) / 8, (row + 0.5) / 8);
    expect(await ring(row, column)).not.toEqual(inside);
    const shades = likelihood().locator('.level-shades');
    const colours = await shades.evaluate((strip) => strip.style.background.match(/rgb\([^)]*\)/g));
    expect(new Set(colours).size).toBe(17);
    await map().focus();
    const bits: number[][] = [];
    for (let y = 0; y < 8; y++) {
      await demo.page.keyboard.press('Home');
      bits.push([]);
      for (let x = 0; x < 8; x++) {
        bits.at(-1)?.push(bitsOf(await readout()));
        expect(place(await title())).toEqual([y, x]);
        await demo.page.keyboard.press('ArrowRight');
      }
      await demo.page.keyboard.press('ArrowDown');
    }
    expect(await note.textContent()).toBe('It is marked on the map of bits.');
    const most = bits[row]?.[column] ?? 0;
    expect(most).toBe(Math.max(...bits.flat()));
    const sum = bits.flat().reduce((total, each) => total + each, 0);
    expect(Math.abs(sum - (await whole()))).toBeLessThan(1);
    expect(Math.abs(sum / 64 - Number((await headline()).match(/is (\d\.\d\d) for each/)?.[1]))).toBeLessThan(0.02);
    expect(await likelihood().getByText('blind guessing 4.1').isVisible()).toBe(true);

    const editor = likelihood().getByRole('application', { name: 'Picture to measure' });
    await editor.focus();
    await demo.page.keyboard.press('Home');
    for (let y = 0; y < row; y++) await demo.page.keyboard.press('ArrowDown');
    for (let x = 0; x < column; x++) await demo.page.keyboard.press('ArrowRight');
    expect(place(await title())).toEqual([row, column]);
    const said = /^▼ What came: ([\w% ]+)\. The network gave it ([\d.]+)%, so it takes ([\d.]+) bits\. The likeliest was .+: \d+%\./;
    const [, level, percent, cost] = (await words())?.match(said) ?? [];
    expect(Number(cost)).toBeCloseTo(most, 2);
    expect(await likelihood().locator('.editor .readout').textContent()).toContain(`: ${level}`);
    expect(Math.abs(Number(percent) - 100 * 2 ** -most)).toBeLessThan(0.1);
  });

  it('says that a blank image is likelier, and shows it', async () => {
    const moral = likelihood().locator('.moral');
    const before = await whole();
    await moral.filter({ hasText: 'this one' }).waitFor();
    const blank = Number((await moral.textContent())?.match(/takes (\d+) bits/)?.[1]);
    expect(await moral.textContent()).toContain(`and this one ${before}. Likely`);
    expect(blank).toBeLessThan(before);
    await demo.see('completing');
    await demo.panel('completing').getByRole('application').focus(); // and so stays in sight
    const press = (id: string, name: string) => button(demo.panel(id), name).evaluate((one: HTMLButtonElement) => one.click());
    await press('likelihood', 'Try a blank page');
    await eventually(whole).toBe(blank);
    expect(await moral.textContent()).toMatch(/^A blank picture takes only/);
    expect(await demo.panel('completing').locator('.where').textContent()).toBe('1 of 297: a 0'); // nothing is there to complete
    for (const [id, name] of [['completing', 'Fill in'], ['likelihood', 'Next']] as const) await press(id, name); // biome-ignore format: one line
    await demo.panel('completing').locator('.where', { hasText: '2 of 297' }).waitFor(); // also where it was busy
    await demo.page.goto('about:blank');
  });

  it('measures again what is drawn by hand, and by another class', async () => {
    const before = await whole();
    await button(likelihood(), 'Try a blank page').click();
    await eventually(async () => (await whole()) < before).toBe(true);
    const blank = await whole();
    await likelihood().getByRole('application', { name: 'Picture to measure' }).focus();
    await demo.page.keyboard.press('Space');
    await eventually(whole).toBeGreaterThan(blank);
    await button(likelihood(), 'Reset').click();
    await eventually(whole).toBe(before);
    expect(await button(likelihood(), 'Reset').isDisabled()).toBe(true);
    await likelihood().getByLabel('Class given to the model').selectOption('1');
    await eventually(whole).toBeGreaterThan(before); // a 0 surprises, to whom a 1 is told
  });

  it('begins with a digit of MNIST, and offers those of 8 by 8 only where a link asks for them', async () => {
    const sources = likelihood().locator('.sources label');
    const isOffered = (name: string) => sources.filter({ hasText: new RegExp(`^${name}$`) }).isVisible();
    expect(await isOffered('Small digits')).toBe(true);
    await demo.page.goto('about:blank');
    await demo.open('likelihood');
    await eventually(headline).toMatch('each of its 784 pixels');
    expect(await likelihood().locator('.where').textContent()).toBe('6 of 50: a 5');
    expect(await whole()).toBe(Math.round(await bitsOfFive()));
    expect(await isOffered('Digits')).toBe(true);
    expect(await isOffered('Small digits')).toBe(false);
  });
});
