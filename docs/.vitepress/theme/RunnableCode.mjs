import { defineComponent, h, ref } from 'vue';
import { inspect } from './inspect.mjs';

/** A block of code, and a button that runs it and shows below it what it logs. */
export default defineComponent({
  props: { id: { type: String, required: true } },
  setup({ id }, { slots }) {
    const output = ref('');
    const isRunning = ref(false);

    async function run() {
      const { log } = console;
      const lines = [];
      output.value = '';
      isRunning.value = true;
      console.log = (...values) => {
        lines.push(values.map(inspect).join(' '));
        output.value = lines.join('\n');
      };
      try {
        const { default: examples } = await import('virtual:examples');
        const { default: example } = await examples[id]();
        await example();
      } catch (error) {
        console.log(`${error.name}: ${error.message}`);
      } finally {
        console.log = log;
        isRunning.value = false;
      }
    }

    const label = () => (isRunning.value ? 'Running' : 'Run');
    return () =>
      h('div', { class: 'runnable' }, [
        slots.default?.(),
        h('button', { type: 'button', disabled: isRunning.value, onClick: run }, label()),
        h('pre', { role: 'status', hidden: output.value === '' }, output.value),
      ]);
  },
});
