import { compress } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { shippedImages, shippedModel } from '../support/models/shipped';
import { button, downloadOf, eventually, useDemo } from './open-page';

describe('the file of a picture in the demo', () => {
  const demo = useDemo();
  const panel = () => demo.panel('likelihood');
  const headline = () => panel().locator('.headline').textContent();
  const result = () => panel().locator('.file-drop').getByRole('status').textContent();
  const alert = () => panel().locator('.file-drop').getByRole('alert');
  const choose = (name: string, bytes: Uint8Array) =>
    panel()
      .getByLabel('Choose a .pxc file')
      .setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
  const download = () => downloadOf(demo.page, () => button(panel(), 'Download the file').click());

  beforeEach(async () => {
    await demo.open('likelihood', 'model=digits-conditional&image=1');
    await panel().getByText('1 of 297: a 0').waitFor();
    await eventually(headline).toMatch(/^This picture: \d/);
  });

  it('makes the file that the library makes, beside a PNG and raw levels', async () => {
    const model = await shippedModel('digits-conditional');
    const data = (await shippedImages('digits')).slice(0, 64);
    const own = await compress(model, { data, shape: [1, 8, 8, 1] }, { condition: 0, storeCondition: true });
    const { name, bytes } = await download();
    expect(name).toBe('digits-conditional-1.pxc');
    expect([...bytes]).toEqual([...own]);
    expect(await panel().locator('.bar').first().textContent()).toBe(`our file (pale: header)${8 * own.length}`);
    expect(await panel().getByText('The model itself is not counted').isVisible()).toBe(true);
  });

  it('gives the same image back, value by value, also when another is shown by then', async () => {
    const { name, bytes } = await download();
    await choose(name, bytes);
    await eventually(result).toBe('The same picture: all 64 pixels equal those of the one downloaded.');
    const returned = panel().getByRole('img', { name: `Read from ${name}` });
    await returned.waitFor();
    // Eight pixels a side, each 16 wide, beside a gap of 13.
    const shown = await returned.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(13, 13, 128, 128);
      return Array.from({ length: 64 }, (_, i) => data[4 * (128 * (16 * Math.floor(i / 8) + 8) + 16 * (i % 8) + 8)]);
    });
    const data = (await shippedImages('digits')).slice(0, 64);
    expect(shown.map((grey) => Math.round((16 * (255 - (grey ?? 0))) / 231))).toEqual([...data]);
    await button(panel(), 'Next').click();
    await panel().getByText('2 of 297').waitFor();
    await choose(name, bytes);
    await eventually(result).toBe('The same picture: all 64 pixels equal those of the one downloaded.');
  });

  it('takes a file that is dropped, there or anywhere in the panel', async () => {
    const { name, bytes } = await download();
    const drop = (place: string) =>
      panel()
        .locator(place)
        .evaluate(
          (element, [name, bytes]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([Uint8Array.from(bytes)], name));
            element.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
          },
          [name, [...bytes]] as const,
        );
    for (const place of ['.drop', '.headline']) {
      await choose('other.pxc', new Uint8Array(3));
      await alert().waitFor();
      await drop(place);
      await eventually(result).toMatch(/^The same picture: all 64 pixels/);
      expect(await alert().isVisible()).toBe(false);
    }
    expect(await panel().locator('.picker').getByRole('alert').isVisible()).toBe(false);
  });

  it('refuses in words what is damaged, cut, of another model, or no such file', async () => {
    const { name, bytes } = await download();
    const refused = async (name: string, bytes: Uint8Array) => {
      await choose(name, bytes);
      await eventually(() => alert().isVisible()).toBe(true);
      expect(await result()).toBe('');
      expect(await panel().locator('.files .tray').isVisible()).toBe(false);
      return alert().textContent();
    };
    const damaged = Uint8Array.from(bytes);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 255;
    expect(await refused('bent.pxc', damaged)).toMatch(/^bent\.pxc is damaged, so nothing was unpacked\. \(/);
    await choose(name, bytes);
    await eventually(result).toMatch('The same picture');
    expect(await refused('cut.pxc', bytes.subarray(0, bytes.length - 3))).toMatch(/^cut\.pxc is damaged/);
    await choose(name, bytes);
    await eventually(result).toMatch('The same picture');
    expect(await refused('notes.txt', Buffer.from('no picture'))).toBe('notes.txt is not a file of compressed images.');
    await panel().getByLabel('Clothes').check();
    await panel().getByText('5 of 100: a coat').waitFor();
    await choose(name, bytes);
    await eventually(() => alert().textContent()).toBe(
      `${name} was made with another model than the one chosen above, or is damaged. Nothing was unpacked.`,
    );
  });

  it('stops unpacking a file of many images with Cancel, or for another file', async () => {
    const model = await shippedModel('digits-conditional');
    const images = await shippedImages('digits');
    const many = 2500;
    const data = Uint8Array.from({ length: many * 64 }, (_, i) => images[i % images.length] ?? 0);
    const shape = [many, 8, 8, 1];
    const large = await compress(model, { data, shape }, { condition: 0, storeCondition: true });
    const { name, bytes } = await download();
    const cancel = button(panel(), 'Cancel');
    expect(await cancel.isDisabled()).toBe(true);

    await choose('many.pxc', large);
    await cancel.press('Enter');
    await eventually(result).toBe('Cancelled.');
    expect(await cancel.isDisabled()).toBe(true);
    const focused = () => demo.page.evaluate(() => (document.activeElement as HTMLInputElement).type);
    expect(await focused()).toBe('file');
    expect(await panel().locator('.files .tray').isVisible()).toBe(false);

    await choose('many.pxc', large);
    await choose(name, bytes);
    await eventually(result).toBe('The same picture: all 64 pixels equal those of the one downloaded.');
    const answers = () => demo.page.evaluate(() => (globalThis as unknown as { answers: Record<string, unknown>[] }).answers);
    const numbers = (await answers()).flatMap(({ result }) => (result as { numImages?: number })?.numImages ?? []);
    expect(numbers).toEqual([1]);
  });

  it('does without a PNG where none can be made', async () => {
    demo.mayComplain = true;
    await demo.page.route('**/squoosh_oxipng*.wasm', (route) => route.fulfill({ status: 404 }));
    await demo.page.goto('about:blank');
    await demo.open('likelihood');
    await eventually(() => button(panel(), 'Download the file').isEnabled()).toBe(true);
    expect(await panel().locator('.bar').allTextContents()).toHaveLength(2);
  });
});
