import { defineComponent, h, nextTick, onMounted, ref } from 'vue';
import { inspect } from './inspect.mjs';

/** A block of code, and a button that runs it and shows below it what it logs, and the pictures that it makes. */
export default defineComponent({
  props: { id: { type: String, required: true } },
  setup({ id }, { slots }) {
    const output = ref('');
    const sheets = ref([]);
    const isRunning = ref(false);
    const button = ref(null);
    const canvases = ref(null);

    async function run() {
      const { log } = console;
      const lines = [];
      output.value = '';
      sheets.value = [];
      isRunning.value = true;
      console.log = (...values) => {
        lines.push(values.map(inspect).join(' '));
        output.value = lines.join('\n');
      };
      try {
        const { default: examples } = await import('virtual:examples');
        const { default: example } = await examples[id]();
        await example(show);
      } catch (error) {
        console.log(`${error.name}: ${error.message}`);
      } finally {
        console.log = log;
        isRunning.value = false;
      }
    }

    /** Shows a picture, or one that is promised. */
    async function show(promised) {
      const { data, width, height } = await promised;
      sheets.value = [...sheets.value, { width, height }];
      await nextTick();
      canvases.value.lastElementChild.getContext('2d').putImageData(new ImageData(data, width, height), 0, 0);
    }

    onMounted(() => {
      if ('isPressed' in button.value.dataset) run(); // before the page's scripts had loaded
    });

    const label = () => (isRunning.value ? 'Running' : 'Run');
    const canvasOf = ({ width, height }) =>
      h('canvas', {
        width,
        height,
        role: 'img',
        'aria-label': 'What the example drew',
        style: { width: `${SCALE * width}px` },
      });
    return () =>
      h('div', { class: 'runnable' }, [
        slots.default?.(),
        h('button', { ref: button, type: 'button', disabled: isRunning.value, onClick: run }, label()),
        h('pre', { role: 'status', hidden: output.value === '' }, output.value),
        h('div', { ref: canvases, hidden: sheets.value.length === 0 }, sheets.value.map(canvasOf)),
      ]);
  },
});

/** Side of a pixel. */
const SCALE = 4;
