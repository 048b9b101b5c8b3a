import { describe, expect, it } from 'vitest';
import { epochOrder } from '../../src/data/epoch-order';

describe('epochOrder', () => {
  it('has every image once, the same again for the same seed and epoch, another for others', () => {
    const orders = [1, 2].flatMap((seed) => [0, 1, 2].map((epoch) => epochOrder(50, seed, epoch)));
    for (const order of orders) {
      expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    }
    expect(new Set(orders.map(String)).size).toBe(orders.length);
    expect(epochOrder(50, 2, 1)).toEqual(orders[4]);
    expect(epochOrder(1, 0, 0)).toEqual(Uint32Array.of(0));
  });

  it('stays the same from release to release, since training goes on by it', () => {
    expect(Array.from(epochOrder(8, 7, 3))).toEqual([2, 6, 7, 3, 5, 0, 1, 4]);
  });

  it('gives every order alike', () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 12_000; epoch++) {
      const order = epochOrder(4, 5, epoch).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // 24 orders, 500 expected of each: chi-square with 23 degrees of freedom exceeds 49.7 once in a thousand seeds
    expect(counts.size).toBe(24);
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
    expect(chiSquare).toBeLessThan(49.7);
  });
});
