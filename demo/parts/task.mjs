import { button } from './controls.mjs';
import { focusNear, h, keepFocus } from './dom.mjs';

/**
 * What a panel says of its work: how it stands, and what went wrong. Runs one task at a time.
 *
 * @param {{ onChange: () => void }} options `onChange` is called when a task begins or ends, to enable and disable controls
 */
export function taskRunner({ onChange }) {
  const status = h('span', { role: 'status' });
  const ticker = h('span'); // changes too often to be read out
  const alert = h('p.alert', { role: 'alert', hidden: true });
  /** @type {AbortController | null} */
  let controller = null;
  let present = Promise.resolve();
  let lastAsked = 0;
  const say = (text) => {
    if (status.textContent !== text) status.textContent = text; // said once
    tick('');
  };
  const tick = (text) => {
    ticker.textContent = text;
  };
  /** @param {(() => void) | null} [again] what a button beside it tries again */
  const fail = (text, again = null) => {
    alert.replaceChildren(text, ...(again === null ? [] : [' ', button('Try again', again)]));
    alert.hidden = text === '';
  };
  /**
   * @param {(signal: AbortSignal) => Promise<void>} task
   * @returns {Promise<void>} also where the task fails: that is said
   */
  function run(task) {
    if (controller !== null) return Promise.resolve();
    present = carryOut(task);
    return present;
  }

  /** Ends the present task, and then runs this one, unless yet another is asked for meanwhile. */
  async function restart(task) {
    const asked = ++lastAsked;
    const wasBusy = controller !== null;
    controller?.abort();
    await present;
    if (asked !== lastAsked) return;
    if (wasBusy) say('');
    await run(task);
  }

  async function carryOut(task) {
    controller = new AbortController();
    const starter = document.activeElement;
    fail('');
    onChange();
    const isStarterOff = starter.disabled;
    try {
      await task(controller.signal);
    } catch (error) {
      if (error.name === 'AbortError') say('Cancelled.');
      else {
        say('');
        fail(`This did not work: ${error.message}`, () => run(task));
      }
    } finally {
      controller = null;
      keepFocus(onChange); // Cancel has it where that ended the task
      if (isStarterOff && document.activeElement === document.body) focusNear(starter);
    }
  }

  return {
    element: h('div.report', h('p.status', status, ' ', ticker), alert),
    /** How it stands: is read out. */
    say,
    /** How far it has come, after that. */
    tick,
    fail,
    get isBusy() {
      return controller !== null;
    },
    cancel: () => controller?.abort(),
    run,
    restart,
  };
}
