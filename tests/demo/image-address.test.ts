import { describe, expect, it } from 'vitest';
import { textOfLevels } from '../../demo/parts/levels-text.mjs';
import { button, copied, eventually, pixels, says, sentJobs, useDemo } from './open-page';

/** Every job of a kind that the page has asked for. */
type Jobs = { kind: string; seed?: number; condition?: number; levels?: Record<number, number> }[];

describe('an address with an image, in the demo', () => {
  const demo = useDemo();
  const where = (id: string) => demo.panel(id).locator('.where').textContent();
  const alert = (id: string) => demo.panel(id).locator('.picker .alert');
  const jobs = async (kind: string) => ((await sentJobs(demo.page)) as Jobs).filter((job) => job.kind === kind);

  /** Presses the panel's button, and gives the link that is copied. */
  async function copyLink(id: string) {
    await button(demo.panel(id), 'Copy link').click();
    await demo.panel(id).getByText('The link is copied.').waitFor();
    return copied(demo.page);
  }

  /** Opens it as a friend would, in a page that is not there yet. */
  async function open(link: string) {
    await demo.page.goto('about:blank');
    await demo.page.goto(link);
  }

  it('shows a test image by its number, with the class that was chosen', async () => {
    await demo.open('likelihood');
    await eventually(() => where('likelihood')).toBe('6 of 50: a 5');
    await button(demo.panel('likelihood'), 'Next').click();
    await eventually(() => where('likelihood')).toBe('7 of 50: a 6');
    await demo.panel('likelihood').getByLabel('Class given to the model').selectOption('7');
    const link = await copyLink('likelihood');
    expect(link).toBe(`${demo.address}#likelihood?model=digits-28&class=7&image=7`);
    expect(demo.page.url()).toBe(link);

    await open(link);
    await eventually(() => where('likelihood')).toMatch('7 of 50');
    expect(await demo.panel('likelihood').getByLabel('Class given to the model').inputValue()).toBe('7');
    await demo.panel('likelihood').getByText('This is the class in the link.').waitFor();
    const asked = async () => (await jobs('likelihood')).map(({ condition }) => condition);
    await eventually(asked).toContain(7);
    expect(await asked()).not.toContain(6); // its label
    await button(demo.panel('likelihood'), 'Next').click();
    await eventually(() => where('likelihood')).toMatch('8 of 50');
  });

  it('says what is wrong with a link, and opens one to a syllable, of which there are no test images', async () => {
    const blank = textOfLevels(Array<number>(256).fill(0));
    for (const [query, words] of [
      ['model=nope', 'Ignored in the address: model'],
      ['model=syllables-16', 'This link lacks a picture, or its class.'],
      [`model=syllables-16&levels=${blank}`, 'This link lacks a picture, or its class.'],
    ] as const) {
      await demo.page.goto('about:blank');
      await demo.open('likelihood', query);
      await alert('likelihood').filter({ hasText: words }).waitFor();
    }
    await open(`${demo.address}#likelihood?model=syllables-16&class=10588&levels=${blank}`);
    await demo.panel('likelihood').getByText('for each of its 256 pixels').waitFor();
  });

  it('shows what was drawn, by its levels, until something else is chosen', async () => {
    const classifying = demo.panel('classifying');
    const grid = classifying.getByRole('application', { name: 'Image to classify' });
    await demo.open('classifying', 'model=digits-conditional&image=1'); // by an older link
    await eventually(() => where('classifying')).toBe('1 of 297');
    await button(classifying, 'Clear and draw').click();
    await grid.focus();
    await demo.page.keyboard.press('ArrowDown');
    await demo.page.keyboard.press('Space');
    expect(await where('classifying')).toBe('your picture');
    const link = await copyLink('classifying');
    // 8 pixels of paper, one of ink (16 is g), then 28 and 27 of paper: F is 8, Z 28, Y 27.
    expect(link).toBe(`${demo.address}#classifying?model=digits-conditional&levels=0Fg0Z0Y`);
    await button(classifying, 'Reset').click();
    await classifying.getByText('The link is copied.').waitFor({ state: 'hidden' });
    expect(await where('classifying')).toBe('1 of 297');

    await open(link);
    await eventually(() => where('classifying')).toBe('the picture in the link');
    await eventually(async () => (await jobs('classify')).length).toBeGreaterThan(0);
    const levels = Object.values((await jobs('classify')).at(0)?.levels ?? {});
    expect(levels).toEqual(Array.from({ length: 64 }, (_, i) => (i === 8 ? 16 : 0)));
    await button(classifying, 'Next').click();
    await eventually(() => where('classifying')).toBe('2 of 297');
  });

  it('fills the same gap in the same six ways', async () => {
    const completing = demo.panel('completing');
    const variants = completing.getByRole('img');
    await open(`${demo.address}#completing?model=digits-conditional&image=3`);
    await says(completing, 'Six ways');
    await button(completing, 'Rub out a band').click();
    await completing.getByLabel('Fit what lies below the gap?').selectOption('16');
    expect(await copyLink('completing')).toContain('seed=3'); // what comes next
    await button(completing, 'Fill in').click();
    await says(completing, 'Six ways');
    const before = await pixels(variants);
    const link = await copyLink('completing');
    // Rows 0 and 1 are kept, 2 and 3 are not, 4 to 7 are.
    const query = 'model=digits-conditional&class=4&image=3&gap=1N0N1Z1B&seed=3&particles=16';
    expect(link).toBe(`${demo.address}#completing?${query}`);

    await open(link);
    await says(completing, 'Six ways');
    expect((await jobs('sample')).find(({ seed }) => seed === 3)).toMatchObject({ lookAhead: 16 });
    expect(await pixels(variants)).toBe(before);
    // Another link, in the page that is open.
    await demo.page.evaluate(() => {
      location.hash = 'completing?model=digits-conditional&image=3&seed=9';
    });
    await completing.getByRole('img', { name: /seed 9$/ }).waitFor();
    expect(await pixels(variants)).not.toBe(before);
    await completing.getByRole('radio', { name: 'Characters' }).check(); // another model begins at once
    await completing.getByRole('img', { name: /seed 1\d$/ }).waitFor();
  });

  it('says what is wrong with an address, and goes on without', async () => {
    await open(`${demo.address}#completing?model=digits-conditional&gap=2Z0Z0G&seed=0&particles=3`);
    await eventually(() => alert('completing').textContent()).toBe(
      'Ignored in the address: gap (wanted 0 or 1 for each of 64 pixels, got “2Z0Z0G”); seed (wanted 1 to 999999999, got “0”); particles (wanted 0 or 16 or 64, got “3”).',
    );
    expect(await where('completing')).toMatch(/^1 of 297: a 0$/);
    await button(demo.panel('completing'), 'Next').click();
    await eventually(() => alert('completing').isVisible()).toBe(false);
  });
});
