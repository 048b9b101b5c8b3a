import { lineChart } from './chart.mjs';

const MOST_POINTS = 400; // of the training line, about: more cannot be told apart

/**
 * Bits per dimension by step, as SVG, from the lines of a `metrics.jsonl`.
 *
 * @param {object} args
 * @param {string} args.title
 * @param {{ step: number, trainBits: number, testBits?: number }[]} args.metrics lines with `testBits` are marked on the test line
 * @param {{ name: string, y: number }[]} [args.rules]
 * @returns {Promise<string>}
 */
export function trainingCurve({ title, metrics, rules = [] }) {
  const every = Math.ceil(metrics.length / MOST_POINTS);
  const isKept = (_, i) => (i + 1) % every === 0 || i === metrics.length - 1;
  const train = metrics.filter(isKept).map(({ step, trainBits }) => ({ x: step, y: trainBits }));
  const test = metrics
    .filter(({ testBits }) => testBits !== undefined)
    .map(({ step, testBits }) => ({ x: step, y: testBits }));
  const lines = [
    { name: 'training (smoothed)', points: train },
    { name: 'test', points: test, hasMarks: true },
  ];
  return lineChart({
    title,
    xTitle: 'step',
    yTitle: 'bits per dimension',
    lines: lines.filter(({ points }) => points.length > 0),
    rules,
  });
}
