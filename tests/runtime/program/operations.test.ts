import { describe, expect, it } from 'vitest';
import { lowerings } from '../../../src/runtime/engine/operations';
import { ProgramBuilder } from '../../../src/runtime/program/builder';
import type { Operation } from '../../../src/runtime/program/operation';
import { operations } from '../../../src/runtime/program/operations';
import type { ProgramNode } from '../../../src/runtime/program/program';
import { readsOf } from '../../../src/runtime/program/readiness';
import { weightOf } from '../../support/models/program';

/** A node of each operation, after the image, of 8 features at least where that can be. */
function oneOfEach(): ProgramNode[] {
  const program = new ProgramBuilder();
  const { ops } = program;
  const image = program.image(2);
  const vector = program.condition(0, 1, false);
  program.condition(1, 8, true);
  const window = { kernelSize: [2, 3], anchor: [1, 1], present: 'B', imageChannels: 2, stride: 1, transposed: false } as const; // biome-ignore format: one window
  const x = ops.conv(image, weightOf([2, 3, 2, 8]), weightOf([8]), window);
  ops.pointwise('elu', x);
  for (const fn of ['add', 'multiply', 'maximum', 'minimum'] as const) ops.combine(fn, x, x);
  ops.concat(x, image);
  ops.slice(x, 2, 3);
  ops.shift(x, 1, 2);
  ops.upsample(x, 2, 3);
  ops.position(x);
  ops.concatElu(x);
  for (const kind of ['tanh', 'linear'] as const) ops.gate(x, 2, undefined, kind);
  ops.attend(x, x, x, 2);
  ops.attend(image, image, x, 2, { own: true });
  ops.rasterShift(x, weightOf([8]));
  ops.embedPlaces(x, weightOf([3, 4, 8]));
  ops.lstm(x, weightOf([2, 1, 2, 8]), 'fromLeft', 1);
  ops.affine(x, { scale: weightOf([8]) });
  for (const norm of ['layer', 'rms'] as const) ops.normalize(x, { epsilon: 1, groups: 2, norm });
  for (const fn of ['softmax', 'logSoftmax'] as const) ops.softmax(fn, x, 2);
  ops.oneHot(vector, 5);
  ops.oneHotLevels(image, 3);
  ops.embedLevels(image, weightOf([3, 4]));
  return program.nodes;
}

describe('the table of operations', () => {
  const nodes = oneOfEach();

  it('has each under its own name, and the engine carries out all that can be evaluated with the image', () => {
    for (const [name, operation] of Object.entries(operations)) expect(operation.name).toBe(name);
    const beforeImage = ['upsample', 'position'];
    const names = Object.keys(operations).filter((name) => !beforeImage.includes(name));
    expect(Object.keys(lowerings).sort()).toEqual(names.sort());
    expect([...new Set(nodes.map(({ op }) => op))].sort()).toEqual(Object.keys(operations).sort());
  });

  it('has operations that declare what each of their features is computed from', () => {
    for (const node of nodes) {
      if (['image', 'condition', 'position', 'upsample'].includes(node.op)) continue;
      const sizes = ('inputs' in node ? node.inputs : 'input' in node ? [node.input] : []).map((operand) => nodes[operand]?.size as number); // biome-ignore format: one list
      const computed = new Set<number>();
      for (const { features, operand, of, isOneByOne } of readsOf(node, sizes)) {
        for (let feature = features[0]; feature < features[1]; feature++) computed.add(feature);
        const size = operand === 'own' ? node.size : (sizes[operand] as number);
        expect(of[0]).toBeGreaterThanOrEqual(0);
        expect(of[1]).toBeLessThanOrEqual(size);
        if (isOneByOne) expect(of[1] - of[0]).toBe(features[1] - features[0]);
      }
      expect([node.op, computed.size]).toEqual([node.op, node.size]);
    }
  });

  it('has fields that check themselves', () => {
    for (const operation of Object.values(operations) as Operation[]) {
      for (const [name, field] of Object.entries(operation.fields) as [string, { check: (what: string, given: unknown) => unknown }][]) // biome-ignore format: one loop
        expect(() => field.check(`${operation.name}: ${name}`, undefined)).toThrow(`${operation.name}: ${name}: wanted`);
    }
  });
});
