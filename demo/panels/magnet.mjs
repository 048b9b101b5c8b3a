import { CRITICAL, magnetizationsOf } from '../../kit/models/ising.mjs';
import { button, slider } from '../parts/controls.mjs';
import { curveChart } from '../parts/curve-chart.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { gallery } from '../parts/pictures.mjs';
import { freshSeed } from '../parts/random.mjs';
import { isMotionReduced, replay } from '../parts/replay.mjs';
import { taskRunner } from '../parts/task.mjs';
import { whenCalm } from '../parts/when-calm.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/** Of the networks: one for each temperature. */
export const TEMPERATURES = [1.5, 1.8, 2.1, 2.27, 2.5, 2.8, 3.3, 4];
const SIZE = 10;
/** Spins as pictures: down is yellow, up is blue. */
const KIND = { shape: [SIZE, SIZE, 1], levels: 2, palette: Uint8Array.of(244, 196, 66, 58, 75, 214) };
const IMAGES = 64;
const HOTTEST = TEMPERATURES.length - 1;
/** Milliseconds that each temperature is seen while it cools. */
const COOLS = 700;
const AXIS = { from: 1.4, to: 4.1, ticks: [1.5, 2, 2.5, 3, 3.5, 4] };
/** The exact means of |magnetization| from one end of the axis to the other, at every tenth: exactMagnetization of the kit. */
export const EXACT = [0.991, 0.987, 0.98, 0.97, 0.957, 0.938, 0.911, 0.871, 0.811, 0.729, 0.633, 0.538, 0.457, 0.393, 0.344, 0.306, 0.278, 0.255, 0.237, 0.222, 0.21, 0.2, 0.191, 0.184, 0.177, 0.171, 0.166, 0.162]; // biome-ignore format: one line

/**
 * A magnet: spins at a temperature, by networks that know nothing but their energy.
 *
 * @param {HTMLElement} root
 */
export function mountMagnet(root) {
  const client = workerClient();
  const task = taskRunner({ onChange() {} });
  const draw = whenCalm(task, drawNow);
  const pictures = gallery({ label: 'Nothing is drawn yet', columns: () => 8 });
  const choice = slider('Temperature', {
    ...{ min: 0, max: HOTTEST, step: 1, value: HOTTEST },
    say: (i) => String(TEMPERATURES[i]),
  });
  choice.input.addEventListener('input', drawOne);
  let seed = 1;
  let isCooling = false;
  const cool = button(
    'Cool it down',
    () => {
      isCooling = true;
      choice.set(HOTTEST);
      draw();
    },
    'button.primary',
  );
  const others = button('Draw others', () => {
    seed = freshSeed();
    drawOne();
  });
  const chart = curveChart({
    x: AXIS,
    rule: 1 / CRITICAL,
    label:
      'How far they line up: nearly 1 where it is cold, and less and less above the critical temperature.',
    y: { from: 0, to: 1, ticks: [0, 0.5, 1] },
    curve: EXACT,
  });
  /** What the chart shows, by temperature. */
  const found = new Map();
  root.append(
    h(
      'div.work.even',
      h(
        'div.stage',
        choice.element,
        h('div.buttons', cool, others),
        h('div.tray', pictures.element),
        task.element,
      ),
      h(
        'div.stage',
        h(
          'figure.curve',
          h('figcaption', 'How far they line up: 1 is all, 0 is half and half'),
          chart.element,
          root.querySelector('.hint'),
        ),
      ),
    ),
  );
  pictures.show(new Uint8Array(IMAGES * SIZE ** 2), KIND, () => false);
  whenNear(root, draw);

  function drawOne() {
    isCooling = false;
    draw();
  }

  async function drawNow(signal) {
    await drawAt(choice.input.valueAsNumber, signal);
    for (let i = HOTTEST - 1; i >= 0 && isCooling && !signal.aborted; i--) {
      choice.set(i);
      await drawAt(i, signal);
    }
  }

  async function drawAt(i, signal) {
    const temperature = TEMPERATURES[i];
    task.say('');
    task.tick('Drawing…');
    const job = { kind: 'magnet', temperature, numImages: IMAGES, seed };
    const { levels } = await client.run(job, { signal });
    const all = magnetizationsOf(levels, IMAGES);
    const { mean, error } = meanOf(all.map(Math.abs));
    found.set(temperature, { x: temperature, y: mean, error });
    chart.show([...found.values()], temperature);
    pictures.element.setAttribute(
      'aria-label',
      `${IMAGES} squares of ${SIZE} by ${SIZE} spins at temperature ${temperature}`,
    );
    if (isCooling || isMotionReduced()) pictures.show(levels, KIND);
    else await replay(pictures, levels, KIND, { signal });
    task.say(`Drew ${IMAGES} squares at ${temperature}. How far they line up: ${mean.toFixed(2)}.`);
    if (isCooling && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, COOLS));
  }
}

/** A mean and its standard error. */
export function meanOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}
