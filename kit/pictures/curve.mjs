import { lineChart } from './chart.mjs';

const MAX_POINTS = 400; // about, of the training line; more are indistinguishable

/**
 * A chart of bits per dimension by step, as SVG, from the lines of a `metrics.jsonl`.
 *
 * @param {object} args
 * @param {string} args.title
 * @param {{ step: number, trainBits: number, testBits?: number, validationBits?: number }[]} args.metrics lines of evaluations are marked on
 * a line of their own
 * @param {{ name: string, y: number }[]} [args.rules]
 * @returns {string}
 */
export function trainingCurve({ title, metrics, rules = [] }) {
  const every = Math.ceil(metrics.length / MAX_POINTS);
  const isKept = (_, i) => (i + 1) % every === 0 || i === metrics.length - 1;
  const train = metrics.filter(isKept).map(({ step, trainBits }) => ({ x: step, y: trainBits }));
  const evaluations = (key) =>
    metrics.filter((line) => line[key] !== undefined).map((line) => ({ x: line.step, y: line[key] }));
  const lines = [
    { name: 'training (smoothed)', points: train },
    { name: 'validation', points: evaluations('validationBits'), hasMarks: true },
    { name: 'test', points: evaluations('testBits'), hasMarks: true },
  ];
  return lineChart({
    title,
    xTitle: 'step',
    yTitle: 'bits per dimension',
    lines: lines.filter(({ points }) => points.length > 0),
    rules,
  });
}
