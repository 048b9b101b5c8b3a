import { type ImageSet, imageSet, sliceImages } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';

const good: ImageSet = {
  data: Uint8Array.from({ length: 24 }, (_, i) => i % 5),
  shape: [4, 1, 3, 2],
  levels: 5,
  labels: Uint8Array.of(3, 1, 4, 1),
};

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

  it('names what does not fit', () => {
    const refuses = (change: object, message: string) => {
      const attempt = () => imageSet({ ...good, ...change });
      expect(attempt).toThrow(TypeError);
      expect(attempt).toThrow(message);
    };
    expect(() => imageSet(undefined as unknown as ImageSet)).toThrow(
      'imageSet: wanted an object of arguments',
    );
    refuses({ shape: [4, 3, 2] }, 'imageSet: shape: wanted four sizes [N,H,W,C], got [4, 3, 2]');
    refuses({ shape: undefined }, 'imageSet: shape: wanted four sizes [N,H,W,C], got undefined');
    refuses({ shape: [4, 0, 3, 2] }, 'imageSet: shape: wanted an integer of at least 1, got 0');
    refuses({ shape: [4, 1, 1.5, 4] }, 'imageSet: shape: wanted an integer of at least 1, got 1.5');
    refuses({ shape: [5, 1, 3, 2] }, 'imageSet: data: wanted 30 bytes, for shape [5,1,3,2], got 24');
    refuses({ data: [...good.data] }, 'imageSet: data: wanted a Uint8Array');
    refuses({ levels: 4 }, 'imageSet: data: wanted integer levels 0 to 3, got 4');
    refuses({ levels: 1 }, 'imageSet: levels: wanted an integer from 2 to 256, got 1');
    refuses({ levels: 257 }, 'imageSet: levels: wanted an integer from 2 to 256, got 257');
    refuses({ levels: 5.5 }, 'imageSet: levels: wanted an integer from 2 to 256, got 5.5');
    refuses({ labels: new Uint8Array(3) }, 'imageSet: labels: wanted 4 bytes, one an image, got 3');
    refuses({ labels: [0, 1, 2, 3] }, 'imageSet: labels: wanted a Uint8Array');
  });
});

describe('sliceImages', () => {
  it('gives views of the images and labels asked for', () => {
    const part = sliceImages(good, 1, 3);
    expect(part).toEqual({
      data: good.data.slice(6, 18),
      shape: [2, 1, 3, 2],
      levels: 5,
      labels: Uint8Array.of(1, 4),
    });
    expect(part.data.buffer).toBe(good.data.buffer);
    expect(part.labels?.buffer).toBe(good.labels?.buffer);
    expect(imageSet(sliceImages(part, 1))).toEqual(sliceImages(good, 2, 3));
    const { labels, ...unlabelled } = good;
    expect(labels).toBeDefined();
    expect('labels' in sliceImages(unlabelled, 0, 1)).toBe(false);
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
