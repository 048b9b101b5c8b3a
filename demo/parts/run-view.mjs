import { TRAINING_SAMPLES } from '../worker/protocol.mjs';
import { slider } from './controls.mjs';
import { h } from './dom.mjs';
import { NETWORKS, weightsOf } from './networks.mjs';
import { gallery } from './pictures.mjs';
import { isMotionReduced } from './replay.mjs';

/** Milliseconds between two pictures of a run that plays; and how many of these the first one stays. */
const FRAME = 250;
const BEGINS = 8;

/**
 * A run of training, step by step: what its networks draw, and their curves.
 *
 * @typedef {import('../worker/protocol.mjs').RunSettings & { curves: import('../worker/protocol.mjs').Curve[],
 *   frames: import('../worker/protocol.mjs').Samples[] }} Run
 */
export function runView() {
  /** @type {Run | null} */
  let run = null;
  /** @type {import('../worker/protocol.mjs').Samples | null} */
  let seen = null;
  let chart = null;
  const figures = [0, 1].map(() => {
    const pictures = gallery({ label: 'Samples', columns: () => 4 });
    const caption = h('figcaption.status');
    return { pictures, caption, element: h('figure', h('div.tray', pictures.element), caption) };
  });
  const steps = slider('Step', { min: 0, max: 0, step: 1, value: 0, say: (i) => run?.frames[i].step ?? 0 });
  const { input } = steps;
  input.addEventListener('input', draw);
  const place = h('div.chart-place');

  let timer = 0;
  for (const event of ['input', 'pointerdown']) input.addEventListener(event, () => clearInterval(timer));

  /** The pictures only where they are others: curves grow more often. */
  function draw() {
    const frame = run.frames[input.value];
    if (frame !== seen) drawPictures(frame);
    seen = frame;
    chart?.show(run, input.value === input.max ? Number.POSITIVE_INFINITY : frame.step);
  }

  function drawPictures({ step, levels }) {
    for (const [i, { pictures, caption, element }] of figures.entries()) {
      const network = run.networks[i];
      element.hidden = !network;
      if (!network) continue;
      pictures.show(levels[i], run);
      const name = NETWORKS[network];
      pictures.element.setAttribute('aria-label', `${name}: ${TRAINING_SAMPLES} samples at step ${step}`);
      caption.textContent = `${name}, ${weightsOf(network, run)} weights`;
    }
  }

  return {
    element: h(
      'div.run',
      h('div.run-samples', ...figures.map(({ element }) => element)),
      steps.element,
      place,
    ),
    /** Shows a run, at a frame; where none is given, at the last, or where the visitor looks at what came before. */
    show(shown, frame = null) {
      const last = shown.frames.length - 1;
      const isBefore = shown === run && input.value !== input.max;
      run = shown;
      clearInterval(timer);
      steps.setMax(last, frame ?? (isBefore ? input.value : last));
      draw();
    },
    /** Goes through the run while it is seen, unless the visitor does, or another one is shown. */
    play() {
      if (isMotionReduced()) return;
      let wait = BEGINS;
      timer = setInterval(() => {
        const { top, bottom } = input.getBoundingClientRect();
        if (top < 0 || bottom > innerHeight || wait-- > 0) return;
        steps.set(input.valueAsNumber + 1);
        draw();
        if (input.value === input.max) clearInterval(timer);
      }, FRAME);
    },
    async bringChart() {
      const { lossChart } = await import('./loss-chart.mjs');
      chart ??= lossChart(place, NETWORKS);
      if (run) draw();
    },
  };
}
