import { imageSet } from 'pixelcnn-layers/data';
import { expect, it } from 'vitest';
import { classesOf } from '../../../kit/models/classes.mjs';

/** Images of these classes. */
const imagesOf = (...labels: number[]) =>
  imageSet({ data: new Uint8Array(labels.length), shape: [labels.length, 1, 1, 1], levels: 2, labels: Uint8Array.from(labels) });
const without = imageSet({ data: new Uint8Array(1), shape: [1, 1, 1, 1], levels: 2 });

it('classesOf counts the classes up to the highest of the training images', () => {
  expect(classesOf({ name: 'x', train: imagesOf(0, 4, 2), test: imagesOf(1, 4) })).toBe(5);
  expect(classesOf({ name: 'x', train: imagesOf(1, 1), test: without })).toBe(2);
});

it('classesOf refuses data without classes, and test images of others', () => {
  expect(() => classesOf({ name: 'x', train: without, test: without })).toThrow('x has no classes');
  const others = { name: 'x', train: imagesOf(0, 1), test: imagesOf(0, 5, 2) };
  expect(() => classesOf(others)).toThrow('x has test images of class 5, training images of classes up to 1');
});
