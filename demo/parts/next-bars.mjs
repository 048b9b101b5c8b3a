import { h } from './dom.mjs';
import { percent, RARE, shadeName } from './odds.mjs';
import { pageLook } from './pictures.mjs';

/**
 * How likely each shade of the next pixel is: a bar each, which is a button that chooses it. Arrow keys go from bar to bar.
 *
 * @param {{ onChoose: (level: number) => void }} options
 */
export function nextBars({ onChoose }) {
  const element = h('div.next-bars', {
    role: 'group',
    'aria-label': 'The next pixel: how likely is each shade? Choose one.',
    onkeydown: move,
  });
  /** @type {HTMLButtonElement[]} */
  let bars = [];
  let isOff = false;
  /** @type {import('./pictures.mjs').Kind} */
  let kind = { shape: [1, 1, 1], levels: 0 };

  /** A bar for each level of a kind of image. */
  function setKind(next) {
    if (next === kind) return;
    kind = next;
    const { levels } = kind;
    const look = pageLook(kind);
    bars = Array.from({ length: levels }, (_, level) => {
      const swatch = h('span.next-shade');
      swatch.style.background = `rgb(${look([level], 0)})`;
      return h(
        'button.next-bar',
        { type: 'button', tabIndex: level === 0 ? 0 : -1, onclick: () => isOff || onChoose(level) },
        h('span.next-room', h('span.next-column', h('span.next-chance'))),
        swatch,
      );
    });
    element.style.setProperty('--columns', Math.ceil(levels / 2)); // where there are two rows
    element.classList.toggle('few', levels === 2);
    element.replaceChildren(...bars);
  }

  /** @param {ArrayLike<number>} chances of each level of the kind */
  function show(chances) {
    const most = Math.max(...chances);
    const likeliest = chances.indexOf(most);
    for (const [level, bar] of bars.entries()) {
      const chance = chances[level];
      const name = shadeName(level, kind);
      bar.setAttribute('aria-label', `${name}, ${percent(chance)}`);
      bar.title = name;
      bar.style.setProperty('--height', chance / (kind.levels === 2 ? 1 : most));
      bar.classList.toggle('likeliest', level === likeliest);
      bar.classList.toggle('rare', chance < RARE);
      bar.classList.remove('hit');
      bar.querySelector('.next-chance').textContent = percent(chance);
    }
    if (!element.contains(document.activeElement)) setStop(likeliest);
  }

  /** The bar that the Tab key finds. */
  function setStop(level) {
    for (const [i, bar] of bars.entries()) bar.tabIndex = i === level ? 0 : -1;
  }

  function move(event) {
    const at = bars.indexOf(document.activeElement);
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowDown: at - 1,
      ArrowUp: at + 1,
      Home: 0,
      End: bars.length - 1,
    }[event.key];
    if (at < 0 || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const level = Math.min(bars.length - 1, Math.max(0, to));
    setStop(level);
    bars[level].focus();
  }

  return {
    element,
    setKind,
    show,
    /** Gives the keyboard to the bar that the Tab key finds. */
    focus: () => bars.find(({ tabIndex }) => tabIndex === 0)?.focus({ preventScroll: true }),
    /** Marks the one that the die fell on. */
    hit: (level) => bars[level].classList.add('hit'),
    /** Bars that choose nothing for now stay in focus. */
    disable(isNow) {
      isOff = isNow;
      element.setAttribute('aria-disabled', String(isNow));
    },
  };
}
