import { type ImageSet, imageSet, sliceImages } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../support/errors';

const labels = Uint8Array.of(3, 1, 4, 1);
const good: ImageSet = { data: Uint8Array.from({ length: 24 }, (_, i) => i % 5), shape: [4, 1, 3, 2], levels: 5, labels };

describe('imageSet', () => {
  it('takes what fits, without copying', () => {
    const images = imageSet(good);
    expect(images).toEqual(good);
    expect(images.data).toBe(good.data);
    expect(images.labels).toBe(good.labels);
    const { labels, ...unlabelled } = good;
    expect(labels).toBeDefined();
    expect(imageSet(unlabelled)).toEqual(unlabelled);
    expect(imageSet({ data: Uint8Array.of(255), shape: [1, 1, 1, 1], levels: 256 }).levels).toBe(256);
  });

  it('takes 16-bit integers beyond 256 levels', () => {
    const refused = (value: number, levels: number) => () => imageSet({ data: Uint16Array.of(0, value), shape: [1, 1, 2, 1], levels });
    for (const levels of [257, 300, 65535]) {
      const data = Uint16Array.of(0, levels - 1);
      const images: ImageSet<Uint16Array> = imageSet({ data, shape: [1, 1, 2, 1], levels });
      expect(images).toEqual({ data, shape: [1, 1, 2, 1], levels });
      expect(images.data).toBe(data);
      const message = `imageSet: data: wanted integer levels 0 to ${levels - 1}, got ${levels}`;
      expect(refused(levels, levels)).toThrow(message);
    }
    const all = imageSet({ data: Uint16Array.of(0, 65535), shape: [1, 1, 2, 1], levels: 65536 });
    expect(all.levels).toBe(65536);
  });

  it('names what does not fit', () => {
    const refuses = (change: object, message: string) =>
      expect(() => imageSet({ ...good, ...change })).toThrow(errorOf(TypeError, message));
    expect(() => imageSet(undefined as unknown as ImageSet)).toThrow('imageSet: wanted an object of arguments');
    refuses({ shape: [4, 3, 2] }, 'imageSet: shape: wanted four sizes [N,H,W,C], got [4, 3, 2]');
    refuses({ shape: undefined }, 'imageSet: shape: wanted four sizes [N,H,W,C], got undefined');
    refuses({ shape: [4, 0, 3, 2] }, 'imageSet: shape: wanted an integer of at least 1, got 0');
    refuses({ shape: [4, 1, 1.5, 4] }, 'imageSet: shape: wanted an integer of at least 1, got 1.5');
    refuses({ shape: [5, 1, 3, 2] }, 'imageSet: data: wanted 30 levels, for shape [5,1,3,2], got 24');
    refuses({ data: [...good.data] }, 'imageSet: data: wanted a Uint8Array, for 5 levels, got [0, 1, 2, 3, 4, 0, 1, 2, … (24)]');
    refuses({ data: Uint16Array.from(good.data) }, 'imageSet: data: wanted a Uint8Array, for 5 levels, got Uint16Array');
    refuses({ levels: 257 }, 'imageSet: data: wanted a Uint16Array, for 257 levels, got Uint8Array');
    refuses({ levels: 4 }, 'imageSet: data: wanted integer levels 0 to 3, got 4');
    refuses({ levels: 1 }, 'imageSet: levels: wanted an integer from 2 to 65536, got 1');
    refuses({ levels: 65537 }, 'imageSet: levels: wanted an integer from 2 to 65536, got 65537');
    refuses({ levels: 5.5 }, 'imageSet: levels: wanted an integer from 2 to 65536, got 5.5');
    refuses({ labels: new Uint8Array(3) }, 'imageSet: labels: wanted 4 classes, got 3');
    refuses({ labels: [0, 1, 2, 3] }, 'imageSet: labels: wanted a Uint8Array or a Uint16Array');
    refuses({ labels: new Float32Array(4) }, 'imageSet: labels: wanted a Uint8Array or a Uint16Array');
  });
});

describe('sliceImages', () => {
  it('returns views of the requested images and labels', () => {
    const part = sliceImages(good, 1, 3);
    expect(part).toEqual({ data: good.data.slice(6, 18), shape: [2, 1, 3, 2], levels: 5, labels: Uint8Array.of(1, 4) });
    expect(part.data.buffer).toBe(good.data.buffer);
    expect(part.labels?.buffer).toBe(good.labels?.buffer);
    expect(imageSet(sliceImages(part, 1))).toEqual(sliceImages(good, 2, 3));
    const { labels, ...unlabelled } = good;
    expect(labels).toBeDefined();
    expect('labels' in sliceImages(unlabelled, 0, 1)).toBe(false);
  });

  it('returns views of 16-bit levels and labels too', () => {
    const [data, labels] = [Uint16Array.of(1, 299, 3, 4, 5, 6), Uint16Array.of(999, 256, 65_535)];
    const codes = imageSet({ data, shape: [3, 1, 2, 1], levels: 300, labels });
    expect(codes.labels).toBe(labels);
    const part: ImageSet<Uint16Array> = sliceImages(codes, 1);
    expect(part).toEqual({ data: data.slice(2), shape: [2, 1, 2, 1], levels: 300, labels: labels.slice(1) });
    expect(part.data.buffer).toBe(data.buffer);
  });

  it('refuses places beyond the set, and slices of no image', () => {
    const [start, end] = ['sliceImages: start: wanted an integer', 'sliceImages: end: wanted an integer'];
    expect(() => sliceImages(good, -1, 2)).toThrow(`${start} from 0 to 3, got -1`);
    expect(() => sliceImages(good, 4)).toThrow(`${start} from 0 to 3, got 4`);
    expect(() => sliceImages(good, 2, 2)).toThrow(`${end} from 3 to 4, got 2`);
    expect(() => sliceImages(good, 2, 5)).toThrow(`${end} from 3 to 4, got 5`);
    expect(() => sliceImages(null as unknown as ImageSet, 0)).toThrow('sliceImages: images: wanted');
  });
});
