import { useData } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';
import RunnableCode from './RunnableCode.mjs';
import './contrast.css';
import './runnable.css';

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => app.component('RunnableCode', RunnableCode),
  setup() {
    // The first page has no <main> by itself.
    const { frontmatter } = useData();
    const mark = () => {
      const content = document.querySelector('#VPContent');
      if (frontmatter.value.layout === 'home') content?.setAttribute('role', 'main');
      else content?.removeAttribute('role');
    };
    onMounted(mark);
    watch(frontmatter, () => nextTick(mark));
  },
};
