import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { Program } from '../../src/program/program';
import { NEVER, ONCE, ROW, stepsOf } from '../../src/program/steps';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

it('knows in which step each feature is known', () => {
  const kernel = (i: number, o: number) => tf.zeros([3, 3, i, o]);
  const program = new Program();
  const image = program.image(3); // channel c is known once c + 1 channels are drawn
  const a = program.conv(image, { kernel: kernel(3, 6), maskType: 'A', imageChannels: 3 });
  const b = program.conv(a, { kernel: kernel(6, 3), maskType: 'B', imageChannels: 3 });
  const leaking = program.conv(image, { kernel: kernel(3, 3), maskType: 'B', imageChannels: 3 });
  program.concat(b, program.relu(leaking));
  program.add(b, leaking);
  program.map(b, Math.sin);
  expect(stepsOf(program.nodes)).toEqual([
    [1, 2, 3], // image
    [0, 0, 1, 1, 2, 2], // a: group g sees the channels before g
    [0, 1, 2], // b: a group sees itself
    [1, 2, 3], // leaking: a channel sees itself
    [1, 2, 3], // its relu
    [0, 1, 2, 1, 2, 3], // concat
    [1, 2, 3], // add: the later of the two
    [0, 1, 2], // map
  ]);
});

it('knows what is the same at every pixel, and what is known for a whole row', () => {
  const kernel = (side: number, i: number, o: number) => tf.zeros([side, side, i, o]);
  const program = new Program();
  const image = program.image(2);
  const vector = program.condition(2, false);
  const projected = program.conv(vector, { kernel: tf.zeros([2, 2]), imageChannels: 1, maskType: 'B' });
  const map = program.condition(1, true);
  const first = program.conv(image, {
    kernel: kernel(3, 2, 4),
    imageChannels: 1,
    maskType: 'A',
    vertical: true,
  });
  const second = program.conv(first, {
    kernel: kernel(3, 4, 2),
    imageChannels: 1,
    maskType: 'B',
    vertical: true,
  });
  program.conv(image, { kernel: kernel(3, 2, 1), imageChannels: 1, maskType: 'B', vertical: true }); // sees what is to come
  program.conv(first, { kernel: kernel(3, 4, 1), imageChannels: 1, maskType: 'B' });
  program.add(program.gate(second, 1), map);
  program.add(second, projected);
  program.add(image, projected);
  program.concat(vector, map, image);
  program.conv(image, { kernel: kernel(1, 2, 2), imageChannels: 2, maskType: 'A' }); // its first output sees nothing
  expect(stepsOf(program.nodes)).toEqual([
    [1, 2], // image
    [ONCE, ONCE], // vector
    [ONCE, ONCE], // projected
    [ROW], // map
    [ROW, ROW, ROW, ROW], // first: rows above only
    [ROW, ROW], // second: also the row itself of what sees rows above only
    [NEVER],
    [ROW], // to the left and above
    [ROW], // gate
    [ROW], // gate and map
    [ROW, ROW], // the vector added at every pixel
    [1, 2],
    [ROW, ROW, ROW, 1, 2], // joined with what differs from pixel to pixel
    [ROW, 1],
  ]);
});
