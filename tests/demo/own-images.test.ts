import { PNG } from 'pngjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { button, eventually, says, sentJobs, useDemo } from './open-page';

describe('an image of the visitor in the demo', () => {
  const demo = useDemo({ isShared: true });
  const likelihood = () => demo.panel('likelihood');
  const picker = () => likelihood().locator('.picker');
  const grid = () => likelihood().getByRole('application', { name: 'Picture to measure' });
  /** What the editor says of its first row, from the left. */
  async function firstRow(count: number) {
    await grid().focus();
    const words: string[] = [];
    for (let column = 0; column < count; column++) {
      await demo.page.keyboard.press(column === 0 ? 'Home' : 'ArrowRight');
      words.push((await likelihood().locator('.editor .readout').textContent())?.split(': ')[1] ?? '');
    }
    return words;
  }
  const load = (file: { name: string; mimeType: string; buffer: Buffer }) => likelihood().getByLabel('Load an image').setInputFiles(file);
  const loadSvg = (attributes: string, content: string, name = 'half.svg', mimeType = 'image/svg+xml') =>
    load({ name, mimeType, buffer: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${content}</svg>`) });
  const levelsInWords = (...all: number[]) => all.map((level) => ['white', 'black'][level / 16] ?? `${6.25 * level}% grey`);
  const isLoaded = (side: number) => picker().getByText(`your image, in ${side} by ${side}`).waitFor();

  beforeEach(async () => {
    await demo.open('likelihood', 'model=digits-conditional&image=1');
    await picker().getByText('1 of 297').waitFor();
    await likelihood().getByText('each of its 64 pixels').waitFor();
  });

  it('is scaled to the model, and ink is dark', async () => {
    const before = await likelihood().locator('.headline').textContent();
    await load(png(32, 32, (x) => (x < 8 ? [0, 0, 0, 255] : x < 12 ? [139, 140, 140, 255] : [255, 255, 255, 255])));
    await isLoaded(8);
    const [black = '', black2, grey, paper] = await firstRow(4);
    expect([black, black2, grey, paper]).toEqual(levelsInWords(16, 16, 8, 0));
    await eventually(() => likelihood().locator('.headline').textContent()).not.toBe(before);
    expect(await button(likelihood(), 'Reset').isDisabled()).toBe(true);
    await button(likelihood(), 'Next').click();
    await picker().getByText('2 of 297').waitFor();
  });

  it('lies whole on white paper, also where it is transparent', async () => {
    await load(png(4, 2, (x) => [0, 0, 0, x === 0 ? 255 : 0]));
    await isLoaded(8);
    expect(await firstRow(1)).toEqual(levelsInWords(0)); // above the image, which is wide
    for (const _ of [1, 2]) await demo.page.keyboard.press('ArrowDown');
    expect(await firstRow(3)).toEqual(levelsInWords(16, 16, 0));
    for (const _ of [1, 2]) await demo.page.keyboard.press('ArrowUp'); // the cursor stays where it is
  });

  it('can be dropped and pasted', async () => {
    const { buffer } = png(8, 8, () => [0, 0, 0, 255]);
    const hand = (type: string, place: string) =>
      likelihood()
        .locator(place)
        .evaluate(
          (element, [type, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(bytes)], 'ink.png', { type: 'image/png' }));
            const event =
              type === 'drop'
                ? new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer })
                : new ClipboardEvent(type, { bubbles: true, clipboardData: transfer });
            element.dispatchEvent(event);
          },
          [type, [...buffer]] as const,
        );
    await hand('drop', '.map canvas');
    await isLoaded(8);
    expect(await firstRow(1)).toEqual(levelsInWords(16));
    await button(likelihood(), 'Next').click();
    await picker().getByText('2 of 297').waitFor();
    await hand('paste', '.editor canvas');
    await isLoaded(8);
    expect(await firstRow(1)).toEqual(levelsInWords(16));
  });

  it('is refused in words where it is none', async () => {
    await load({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
    const alert = picker().getByRole('alert'); // beside the button that took it
    await alert.waitFor();
    expect(await alert.textContent()).toBe('notes.txt is not an image that this browser can read.');
    expect(await picker().getByText('1 of 297').isVisible()).toBe(true);
    await load({ name: 'notes.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<p>no picture</p>') });
    await eventually(() => alert.textContent()).toBe('notes.svg is not an image that this browser can read.');
    const page = '<foreignObject width="2" height="2"><p xmlns="http://www.w3.org/1999/xhtml">a</p></foreignObject>';
    await loadSvg('viewBox="0 0 2 2"', page, 'page.svg');
    await eventually(() => alert.textContent()).toBe(
      'page.svg holds HTML (a foreignObject): this browser does not let a page read such a drawing.',
    );
    await load(png(8, 8, () => [255, 255, 255, 255]));
    await eventually(() => alert.isVisible()).toBe(false);
  });

  it('has the likeliest class, until another is chosen', async () => {
    const classes = likelihood().getByLabel('Class given to the model');
    await load(png(8, 8, (x) => (x === 3 || x === 4 ? [24, 24, 24, 255] : [255, 255, 255, 255])));
    await isLoaded(8);
    await picker().getByText('This class is the likeliest.').waitFor();
    expect(await classes.inputValue()).toBe('1');
    expect(await picker().locator('.aside').isVisible()).toBe(false); // light enough
    const measured = async () => (await sentJobs(demo.page)).filter(({ kind }) => kind === 'likelihood').map(({ condition }) => condition);
    await eventually(measured).toContain(1);
    await classes.selectOption('7');
    await picker().getByText('This is your choice.').waitFor();
    await eventually(measured).toContain(7);
  });

  it('can be inverted, and back, where it is mostly dark, with what was painted over it', async () => {
    await load(png(8, 8, (x) => (x === 0 ? [255, 255, 255, 255] : [24, 24, 24, 255])));
    await isLoaded(8);
    await picker().getByText('This image is mostly dark').waitFor();
    expect(await firstRow(2)).toEqual(levelsInWords(0, 16));
    await button(likelihood(), 'Invert').press('Enter');
    expect(await firstRow(2)).toEqual(levelsInWords(16, 0));
    await button(likelihood(), 'Undo').press('Enter');
    expect(await firstRow(2)).toEqual(levelsInWords(0, 16));
    await likelihood().getByLabel('light grey').check();
    await grid().focus();
    await demo.page.keyboard.press('Home');
    await demo.page.keyboard.press('Space');
    expect(await firstRow(2)).toEqual(levelsInWords(4, 16));
    await button(likelihood(), 'Invert').click();
    expect(await firstRow(2)).toEqual(levelsInWords(12, 0));
    await button(likelihood(), 'Reset').click();
    expect(await firstRow(2)).toEqual(levelsInWords(16, 0));
    await button(likelihood(), 'Next').click();
    await picker().getByText('2 of 297').waitFor();
    expect(await picker().locator('.aside').isVisible()).toBe(false);
  });

  it('may be SVG of any size, also of none, or that says nothing of it', async () => {
    const box = 'viewBox="0 0 2 2"';
    for (const size of [box, 'width="2" height="2"', `${box} width="1" height="1"`, `${box} width="Infinity" height="1e999"`]) {
      await loadSvg(size, '<rect width="1" height="2" fill="#181818"/>');
      await isLoaded(8);
      expect(await firstRow(5), size).toEqual(levelsInWords(16, 16, 16, 16, 0));
      await button(likelihood(), 'Next').click();
      await picker().getByText('of 297').waitFor();
    }
    await loadSvg('', '<rect width="300" height="150" fill="#181818"/>', 'wide.svg', '');
    await isLoaded(8);
    expect(await firstRow(1)).toEqual(levelsInWords(0)); // twice as wide as high: paper above
    for (const _ of [1, 2, 3]) await demo.page.keyboard.press('ArrowDown');
    expect(await firstRow(8)).toEqual(levelsInWords(...Array(8).fill(16)));
  });

  it('is completed as of the class that the model finds likeliest, although it is still asked', async () => {
    const completing = demo.panel('completing');
    await demo.bringIntoSight('completing');
    await completing.getByText('1 of 297: a 0').waitFor();
    await says(completing, 'Six ways');
    const letAnswer = await demo.hold('**/likelihood-*.js');
    const one = png(8, 8, (x) => (x === 3 || x === 4 ? [24, 24, 24, 255] : [255, 255, 255, 255]));
    await completing.getByLabel('Load an image').setInputFiles(one);
    await completing.getByText('Looking for the likeliest…').waitFor();
    await button(completing, 'Fill in').click();
    letAnswer();
    await says(completing, 'to go on');
    const [job] = (await sentJobs(demo.page)).filter(({ kind, numImages }) => kind === 'sample' && numImages === 6).slice(-1);
    expect(job).toMatchObject({ model: 'digits-conditional', classes: Array(6).fill(1) });
    expect(await completing.getByLabel('Class given to the model').inputValue()).toBe('1');
  });
});

/** An image file, its pixels by column and row. */
function png(width: number, height: number, colour: (x: number, y: number) => number[]) {
  const image = new PNG({ width, height });
  for (let i = 0; i < width * height; i++) image.data.set(colour(i % width, Math.floor(i / width)), 4 * i);
  return { name: 'picture.png', mimeType: 'image/png', buffer: PNG.sync.write(image) };
}
