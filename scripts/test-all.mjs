/**
 * Runs every test everywhere, for as long as it takes: properties with a seed from the clock and ten times as
 * many cases, each backend in Node and in Chromium, ten minutes of random models, and mutants of one folder.
 * Prints the command of each step and, at the end, the commands of failed steps, which replay them.
 *
 * Usage: node scripts/test-all.mjs [folder of src/ for mutants], with everything that .ci/run installs, and
 * apt-get install wine wine64 libc6-ppc64el-cross libstdc++6-ppc64el-cross
 */
import { spawnSync } from 'node:child_process';

const { PROPERTY_SEED: seed = `${Date.now() % 2 ** 31}`, PROPERTY_TIMES: times = '10' } = process.env;
const [folder = 'src/runtime/core'] = process.argv.slice(2);
const often = { PROPERTY_SEED: seed, PROPERTY_TIMES: times };

/** The steps: commands, and what is set in their environment. CI=1 makes missing tools an error. */
const steps = [
  ['npm run build'],
  ['npm test', { CI: 1, ...often }],
  ['npx vitest run --config vitest.everywhere.config.ts', { CI: 1, ...often, TEST_ALL: 1 }],
  [
    'npx vitest run tests/runtime/engine/random-models.test.ts',
    { PROPERTY_SEED: seed, PROPERTY_MINUTES: 10 },
  ],
  ['npm run check:package', { CI: 1, TEST_ALL: 1 }],
  [`npm run mutants -- ${folder}`],
];

/** A step as a POSIX shell takes it, so that a failed one can be copied. */
const typed = ([command, set = {}]) =>
  [...Object.entries(set).map(([name, value]) => `${name}=${value}`), command].join(' ');

console.log(`The seed is ${seed}`);
const failed = steps.filter((step) => {
  console.log(`\n> ${typed(step)}`);
  const [command, set] = step;
  const env = { ...process.env, ...set };
  return spawnSync(command, { shell: true, stdio: 'inherit', env }).status !== 0;
});
console.log(failed.length === 0 ? '\nAll passed' : '\nFailed:');
for (const step of failed) console.log(`  ${typed(step)}`);
process.exitCode = failed.length === 0 ? 0 : 1;
