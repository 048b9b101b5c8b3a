import DefaultTheme from 'vitepress/theme';
import RunnableCode from './RunnableCode.mjs';
import './runnable.css';

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => app.component('RunnableCode', RunnableCode),
};
