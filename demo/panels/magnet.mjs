import {
  CRITICAL,
  endlessMagnetization,
  exactLogZ,
  freeEnergyOf,
  magnetizationsOf,
} from '../../kit/models/ising.mjs';
import { button, slider } from '../parts/controls.mjs';
import { curveChart, minus } from '../parts/curve-chart.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { gallery } from '../parts/pictures.mjs';
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
const FIRST = TEMPERATURES.indexOf(2.27);
const AXIS = { from: 1.4, to: 4.1, ticks: [1.5, 2, 2.5, 3, 3.5, 4] };

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
    ...{ min: 0, max: TEMPERATURES.length - 1, step: 1, value: FIRST },
    say: (i) => String(TEMPERATURES[i]),
  });
  choice.input.addEventListener('input', draw);
  let seed = 1;
  const others = button('Draw others', () => {
    seed = Math.floor(1e9 * Math.random());
    draw();
  });
  const bars = histogram();
  const options = { x: AXIS, rule: 1 / CRITICAL };
  const energies = curveChart({
    ...options,
    label: 'Free energy of each spin: it falls from −2 to −3.2 as it gets warmer.',
    y: { from: -3.3, to: -1.9, ticks: [-3, -2.5, -2] },
    curve: exactly,
  });
  const magnetizations = curveChart({
    ...options,
    label: 'Magnetization: nearly 1 where it is cold, 0 from the critical temperature on.',
    y: { from: 0, to: 1, ticks: [0, 0.5, 1] },
    curve: (temperature) => endlessMagnetization(1 / temperature),
  });
  const [energyWords, magnetizationWords] = [h('p.words'), h('p.words')];
  /** By temperature, what the charts show. */
  const found = { energies: new Map(), magnetizations: new Map() };
  const [colours, energyHint, magnetizationHint] = root.querySelectorAll('.hint');
  root.append(
    h(
      'div.work.even',
      h(
        'div.stage',
        h('div.tray', pictures.element),
        colours,
        choice.element,
        h('div.buttons', others),
        task.element,
      ),
      h(
        'div.stage',
        h(
          'figure.curve',
          h('figcaption', 'Free energy of each spin'),
          energies.element,
          energyWords,
          energyHint,
        ),
        h(
          'figure.curve',
          h('figcaption', 'Magnetization, up or down'),
          magnetizations.element,
          magnetizationWords,
          magnetizationHint,
        ),
        bars.element,
      ),
    ),
  );
  pictures.show(new Uint8Array(IMAGES * SIZE ** 2), KIND, () => false);
  bars.show([]);
  whenNear(root, draw);

  async function drawNow(signal) {
    const temperature = TEMPERATURES[choice.input.valueAsNumber];
    const job = { kind: 'magnet', temperature, numImages: IMAGES, seed };
    task.say('');
    task.tick('Drawing…');
    let shown;
    const onReport = ({ levels }) => {
      shown = show(levels, temperature, signal);
    };
    const { logZ, standardError } = await client.run(job, { signal, onReport });
    const y = freeEnergyOf(logZ, SIZE, 1 / temperature);
    const error = freeEnergyOf(-standardError, SIZE, 1 / temperature);
    found.energies.set(temperature, { x: temperature, y, error });
    energies.show([...found.energies.values()], temperature);
    energyWords.textContent = `≈ ${withError(y, error)}, exact ${minus(exactly(temperature), digitsOf(error))}`;
    await shown;
    task.say(`Drew ${IMAGES} squares at temperature ${temperature}.`);
  }

  async function show(levels, temperature, signal) {
    const all = magnetizationsOf(levels, IMAGES);
    const { mean, error } = meanOf(all.map(Math.abs));
    found.magnetizations.set(temperature, { x: temperature, y: mean, error });
    magnetizations.show([...found.magnetizations.values()], temperature);
    magnetizationWords.textContent = `${withError(mean, error)}, the mean of these ${IMAGES} squares`;
    bars.show(all);
    pictures.element.setAttribute(
      'aria-label',
      `${IMAGES} squares of ${SIZE} by ${SIZE} spins at temperature ${temperature}`,
    );
    if (isMotionReduced()) pictures.show(levels, KIND);
    else await replay(pictures, levels, KIND, { signal });
  }
}

/** The exact free energy of each spin. */
const exactly = (temperature) => freeEnergyOf(exactLogZ(SIZE, 1 / temperature), SIZE, 1 / temperature);

/** So many digits after the point that an error shows two of its own; none where it is 0. */
const digitsOf = (error) => error && Math.min(7, 1 - Math.floor(Math.log10(error)));

/** A number, as far as its error leaves it known. */
export function withError(value, error) {
  const digits = digitsOf(error);
  return `${minus(value, digits)} ± ${error.toFixed(digits)}`;
}

/** A mean and its standard error. */
export function meanOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/** How many magnetizations are near -1, -0.9 and so on to 1, [21]. */
export function countsOf(magnetizations) {
  const counts = new Array(21).fill(0);
  for (const one of magnetizations) counts[Math.round(10 * (one + 1))]++;
  return counts;
}

/** How many images have which magnetization. */
function histogram() {
  const row = h('div.level-row', { role: 'img' });
  const element = h(
    'figure.magnetizations',
    row,
    h(
      'div.ends',
      { 'aria-hidden': 'true' },
      ...['all down', 'half', 'all up'].map((text) => h('span', text)),
    ),
    h('figcaption', 'How many squares have each magnetization'),
  );
  function show(magnetizations) {
    const counts = countsOf(magnetizations);
    const most = Math.max(1, ...counts);
    row.replaceChildren(
      ...counts.map((count) => {
        const bar = h('i');
        bar.style.setProperty('--height', count / most);
        return bar;
      }),
    );
    const [down, up] = [counts.slice(0, 10), counts.slice(11)].map((side) => side.reduce((a, b) => a + b));
    row.setAttribute('aria-label', `${down} point down, ${up} up, ${counts[10]} are about half and half`);
  }
  return { element, show };
}
