import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { ProvidedContext } from 'vitest';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { chromiumArguments, chromiumPath } from './tests/support/chromium.mjs';
import { PATIENCE } from './tests/support/patience.mjs';

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));

/** Tests of what needs Node: its file system, its processes, the compiler of the kernels. */
const nodeOnly = [
  'tests/node/**',
  'tests/examples/**',
  'tests/bench/**',
  'tests/kernels/assembly/**',
  'tests/*docs*.test.ts',
  'tests/architecture.test.ts',
  'tests/own-kernels-in-bundles.test.ts',
];

/** Tests of the examples: they run programs, and take as long as all others. */
const examplesOnly = 'tests/examples/**';

/** Tests of the page: in Chromium, from Node. */
const demoOnly = 'tests/examples/demo*.test.ts';

/** Tests that start programs on WebGPU in Node. */
const dawnOnly = 'tests/node-webgpu/**';

/** Tests of tfjs-node itself, and of programs that run on it. */
const tfjsNodeOnly = 'tests/node-tensorflow/**/*.test.ts';

/** What computes by tfjs: the engine and its kind are the same on any backend. */
const onTfjsNode = [
  'tests/backends.test.ts',
  'tests/{ops,layers,models,tensors,causality,training,weights}/**/*.test.ts',
  'tests/{sampling/sample,engine/evaluator,data/image-batches,examples/vq/codebook}.test.ts',
  tfjsNodeOnly,
];

/** Enough for WebGPU in Node, since all run on WebGPU in Chromium: both are the same Dawn. */
const onDawn = ['tests/backends.test.ts', 'tests/ops/**', dawnOnly];

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

/** A place to run is left out loudly, and not at all where everything must run. */
function missing(what: string, install: string): TestProjectInlineConfiguration[] {
  const message = `${what}: its tests DO NOT RUN. Install it: ${install}`;
  if (process.env['CI']) throw new Error(message);
  console.warn(`\n${'!'.repeat(100)}\n!! ${message}\n${'!'.repeat(100)}\n`);
  return [];
}

/** How thoroughly properties are tried; see tests/support/runs.ts. */
const environment = process.env;
const properties: ProvidedContext['properties'] = {
  seed: environment['PROPERTY_SEED'] === undefined ? null : Number(environment['PROPERTY_SEED']),
  times: Number(environment['PROPERTY_TIMES'] ?? 1),
  minutes: Number(environment['PROPERTY_MINUTES'] ?? 0),
};

/** Where Node computes by tfjs, and how. */
const inNode: Partial<ProvidedContext> = { backends: ['cpu', 'wasm', 'wasm, composed'] };

const projects: TestProjectInlineConfiguration[] = [
  {
    extends: true,
    test: {
      name: 'node',
      include: ['tests/**/*.test.ts'],
      exclude: [examplesOnly, dawnOnly, tfjsNodeOnly],
      provide: inNode,
    },
  },
  {
    extends: true,
    test: { name: 'examples', include: [`${examplesOnly}/*.test.ts`], exclude: [demoOnly], provide: inNode },
  },
  ...(hasDawn()
    ? [
        {
          extends: true,
          test: {
            name: 'node-webgpu',
            include: onDawn,
            provide: { backends: ['webgpu'] },
            setupFiles: ['tests/support/dawn.ts'],
          },
        } satisfies TestProjectInlineConfiguration,
      ]
    : missing('WebGPU in Node', 'apt-get install chromium libvulkan1')),
  ...(existsSync(source('../.tfjs-node/built.json'))
    ? [
        {
          extends: true,
          test: {
            name: 'node-tensorflow',
            include: onTfjsNode,
            provide: { backends: ['tensorflow'] },
            env: { TF_CPP_MIN_LOG_LEVEL: '2' }, // else TensorFlow tells in each file what this machine can
          },
        } satisfies TestProjectInlineConfiguration,
      ]
    : missing('tfjs-node', 'npm run build:tfjs-node')),
  ...(chromiumPath
    ? [
        {
          extends: true,
          test: {
            name: 'demo',
            include: [demoOnly],
            globalSetup: 'tests/support/built-demo.ts',
            retry: 1, // a browser that other work holds up for too long is no fault of the page
          },
        } satisfies TestProjectInlineConfiguration,
        {
          extends: true,
          test: {
            name: 'browser',
            include: ['tests/**/*.test.ts'],
            exclude: [...nodeOnly, dawnOnly, tfjsNodeOnly],
            provide: { backends: ['cpu', 'wasm', 'webgl', 'webgpu'] },
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({
                launchOptions: { executablePath: chromiumPath, args: chromiumArguments },
              }),
              instances: [{ browser: 'chromium' }],
            },
          },
        } satisfies TestProjectInlineConfiguration,
      ]
    : missing('Chromium', 'apt-get install chromium')),
];

export default defineConfig({
  resolve: {
    // Tests and the examples in the docs import the library as its users do.
    alias: [
      { find: /^pixelcnn-layers\/node$/, replacement: source('node/index.ts') },
      { find: /^pixelcnn-layers\/data$/, replacement: source('data/index.ts') },
      { find: /^pixelcnn-layers\/weights$/, replacement: source('weights/index.ts') },
      { find: /^pixelcnn-layers\/runtime$/, replacement: source('runtime.ts') },
      { find: /^pixelcnn-layers\/worker$/, replacement: source('worker.ts') },
      { find: /^pixelcnn-layers$/, replacement: source('index.ts') },
    ],
  },
  test: {
    provide: { properties },
    testTimeout: 5 * PATIENCE + 60_000 * properties.minutes,
    hookTimeout: 5 * PATIENCE,
    expect: { poll: { timeout: PATIENCE } },
    reporters: ['default', 'json'],
    outputFile: { json: 'coverage/tests.json' }, // test:browsers has a file of its own
    projects,
    coverage: {
      reportsDirectory: 'coverage/lines', // beside the counts, since it is emptied first
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/kernels/assembly/**', 'src/kernels/modules.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 95 },
    },
  },
});
