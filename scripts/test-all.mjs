/**
 * Runs every test everywhere, for as long as it takes: properties with a seed from the clock and ten times as
 * many cases, each backend in Node and in Chromium, ten minutes of random models, and mutants of one folder.
 * Prints the command of each step and, at the end, the commands of failed steps, which replay them.
 *
 * Usage: node scripts/test-all.mjs [folder of src/ for mutants], with everything that .ci/run installs.
 */
import { spawnSync } from 'node:child_process';

const { PROPERTY_SEED: seed = `${Date.now() % 2 ** 31}`, PROPERTY_TIMES: times = '10' } = process.env;
const [folder = 'src/runtime/core'] = process.argv.slice(2);
const often = `PROPERTY_SEED=${seed} PROPERTY_TIMES=${times}`;

/** The steps as typed commands, so that a failed one can be copied. CI=1 makes missing tools an error. */
const steps = [
  'npm run build',
  `CI=1 ${often} npm test`,
  `CI=1 ${often} TEST_ALL=1 npx vitest run --config vitest.everywhere.config.ts`,
  `PROPERTY_SEED=${seed} PROPERTY_MINUTES=10 npx vitest run tests/runtime/engine/random-models.test.ts`,
  'TEST_ALL=1 npm run check:package',
  `npm run mutants -- ${folder}`,
];

console.log(`The seed is ${seed}`);
const failed = steps.filter((step) => {
  console.log(`\n> ${step}`);
  return spawnSync(step, { shell: true, stdio: 'inherit' }).status !== 0;
});
console.log(failed.length === 0 ? '\nAll passed' : '\nFailed:');
for (const step of failed) console.log(`  ${step}`);
process.exitCode = failed.length === 0 ? 0 : 1;
