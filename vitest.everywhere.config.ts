import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { chromiumPath, gpuArguments } from './tests/support/browsers/chromium.mjs';
import { Retries } from './tests/support/retries.ts';
import quick, { reporters } from './vitest.config.ts';

// What `npm test` leaves out: other backends, browsers, and whatever starts processes, workers, compilers or bundlers.

/** `npm run test:all` sets it: also what is the same wherever it runs, such as the engine, on each backend and in pages. */
const isAll = process.env['TEST_ALL'] !== undefined;

const isRepetition = !isAll;

/** What computes by tfjs. */
const onTensors = [
  'tests/backends.test.ts',
  'tests/{ops,layers,models,portable,inference,causality,training}/**/*.test.ts',
  'tests/{runtime/sampling/sample,data/image-batches,weights/{compare-activations,load-weights}}.test.ts',
];

/** What compares the engine, which is the same everywhere, with a model's whole passes, which are slow but on wasm. */
const engineBesideTensors = ['tests/runtime/engine/{evaluator,random-models}.test.ts'];
const onOtherBackends = isAll
  ? { include: [...onTensors, ...engineBesideTensors] }
  : { include: onTensors, exclude: engineBesideTensors };

/** Tests of what needs Node: its file system and its processes. */
const ofNode = [
  'tests/{demo,examples,kit,research,node,bench,docs,node-webgpu,node-tensorflow}/**',
  'tests/programs/!(pool-threads|trainer-threads).test.ts',
  'tests/{runtime/program/load,models/load-model}.test.ts', // which serve files
];

/** What says whether the programs of a GPU are right: each operation once, and networks of them that train and sample. */
const onGpus = ['tests/{backends,ops/every-operation,inference/full-passes}.test.ts'];

/** Of the programs, what is different in a page: workers. */
const inPages = 'tests/programs/{pool,trainer}-threads.test.ts';

/** The page's tests, which all need it built. */
const ofPage = 'tests/{demo/*,examples/site}.test.ts';

/** Of the page, what `npm run test:all` alone runs: times, which other work upsets, and the site, whose build takes minutes. */
const leftOut = ['tests/demo/measured.test.ts', 'tests/examples/site.test.ts'];

/** Other work may hold a browser up for too long; nothing else is tried again. How often it happened is printed. */
const retry = 1;

/**
 * Without a GPU, Dawn needs a Vulkan device in software. Chromium's SwiftShader is one; the Mesa of some distributions
 * is too old for Dawn.
 */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (!existsSync('/dev/dri') && existsSync(swiftShader)) process.env['VK_ICD_FILENAMES'] ??= swiftShader;

/** Whether Dawn finds a Vulkan device, or Metal or Direct3D: asked in a process of its own, since it may crash. */
function hasDawn(): boolean {
  const program =
    "import('webgpu').then(({ create }) => create([]).requestAdapter()).then((a) => process.exit(a ? 0 : 1))";
  return spawnSync(process.execPath, ['-e', program], { stdio: 'ignore' }).status === 0;
}

const hasTfjsNode = () => existsSync(fileURLToPath(new URL('.tfjs-node/built.json', import.meta.url)));

type Project = NonNullable<TestProjectInlineConfiguration['test']>;

/** What the machine has. Vitest reads this file again for each project, in one process: it is found out and told once. */
const ofAllReadings = globalThis as { placesToRun?: Map<string, boolean> };
ofAllReadings.placesToRun ??= new Map();
const found = ofAllReadings.placesToRun;

/** A place to run is left out loudly, and not at all where everything must run. */
function where(what: string, isThere: () => boolean, install: string, ...projects: Project[]): Project[] {
  const isFirst = !found.has(what);
  if (isFirst) found.set(what, isThere());
  if (found.get(what)) return projects;
  const message = `${what}: its tests DO NOT RUN. Install it: ${install}`;
  if (process.env['CI']) throw new Error(message);
  if (isFirst) console.warn(`\n${'!'.repeat(100)}\n!! ${message}\n${'!'.repeat(100)}\n`);
  return [];
}

const projects: Project[] = [
  {
    name: 'cpu',
    ...onOtherBackends,
    exclude: [...(onOtherBackends.exclude ?? []), 'tests/ops/**'], // which are among the quick
    provide: { isRepetition, backends: ['cpu', 'wasm, composed'] },
  },
  {
    name: 'programs',
    include: ['tests/{examples,research,programs}/*.test.ts'],
    exclude: [ofPage],
    isolate: true,
    provide: { isRepetition, backends: ['wasm'] },
  },
  ...where('WebGPU in Node', hasDawn, 'apt-get install chromium-headless-shell libvulkan1', {
    name: 'node-webgpu',
    include: ['tests/node-webgpu/**/*.test.ts'], // the rest is in Chromium, of the same Dawn
  }),
  ...where('tfjs-node', hasTfjsNode, 'npm run build:tfjs-node', {
    name: 'node-tensorflow',
    ...onOtherBackends,
    include: [...onOtherBackends.include, 'tests/node-tensorflow/**/*.test.ts'],
    env: { TF_CPP_MIN_LOG_LEVEL: '2' }, // else TensorFlow tells in each file what this machine can
    provide: { isRepetition, backends: ['tensorflow'] },
  }),
  ...where(
    'Chromium',
    () => chromiumPath !== undefined,
    'apt-get install chromium-headless-shell',
    {
      name: 'browser',
      include: isAll ? ['tests/**/*.test.ts', inPages] : [...onGpus, inPages],
      exclude: isAll ? ofNode : engineBesideTensors,
      retry,
      provide: {
        isRepetition,
        backends: isAll ? ['cpu', 'wasm', 'webgl', 'webgpu'] : ['webgl', 'webgpu'],
      },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
            args: gpuArguments,
          },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
    {
      name: 'page',
      include: [ofPage],
      exclude: isAll ? [] : leftOut,
      globalSetup: 'tests/support/browsers/shared-page.ts',
      retry,
    },
  ),
];

export default defineConfig({
  ...quick,
  test: {
    ...quick.test,
    reporters: [...reporters, new Retries()],
    outputFile: { json: 'coverage/tests-everywhere.json' },
    projects: projects.map((test): TestProjectInlineConfiguration => ({ extends: true, test })),
  },
});
