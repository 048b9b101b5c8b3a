/**
 * What the page and its workers say to each other.
 *
 * The page sends a job with a number of its own; the worker answers with any number of reports, then once with a result or an error. Jobs of a worker
 * run one after the other. A job is cancelled by its number, also before it has begun; training that is cancelled ends with a result, all others with
 * an error named AbortError.
 *
 * @typedef {'webgpu' | 'webgl' | 'wasm' | 'cpu'} Backend
 * @typedef {'digits' | 'digits-conditional' | 'emoji'} ModelName
 * @typedef {'plain' | 'gated'} Network
 *
 * @typedef {{ id: number, backend: Backend | null, job: Job } | { id: number, cancel: true }} ToWorker
 * `backend`: null for a job that computes nothing
 * @typedef {{ id: number, report: object } | { id: number, result: object, tensors: number } | { id: number, error: Failure }} FromWorker
 * `tensors`: how many tfjs holds after the job
 * @typedef {{ name: string, message: string, isLost: boolean }} Failure
 * `isLost`: the worker could not start its backend and is of no more use
 *
 * @typedef {SampleJob | LikelihoodJob | TrainJob | DrawJob | SaveJob | LoadJob | ForgetJob | LookJob} Job
 *
 * @typedef {object} SampleJob draws images. Reports `{ done, levels }`, the last of them, of whole images, with `seconds` too; result
 * `{ levels, seconds, passSeconds }`
 * @property {'sample'} kind
 * @property {ModelName} model
 * @property {number} numImages
 * @property {number} seed
 * @property {number} [temperature]
 * @property {number} [topK]
 * @property {number[]} [classes] one an image, where the model takes them
 * @property {{ levels: Uint8Array, known: Uint8Array }} [given] of one image, the same for all; `known` is 1 for values to keep
 * @property {boolean} [isTimed] whether to time a whole forward pass of that many images too: `passSeconds`, else and where
 * that is cancelled null
 *
 * @typedef {object} LikelihoodJob bits of each value of one image. Result `{ bits, probabilities }`, [H*W*C] and [H*W*C*L]
 * @property {'likelihood'} kind
 * @property {ModelName} model
 * @property {Uint8Array} levels
 *
 * @typedef {object} TrainJob trains the worker's model, a new one where it has none. Reports and result are of {@link Progress}
 * @property {'train'} kind
 * @property {Network} network of a new model
 * @property {number} seconds
 *
 * @typedef {object} Progress what has come about since the last report
 * @property {number} step
 * @property {[number, number][]} training steps, and bits/dim of training images, an average over about the last 50 steps
 * @property {[number, number][]} test steps, and bits/dim of test images
 * @property {{ step: number, levels: Int32Array } | null} samples
 *
 * @typedef {{ kind: 'draw', seed: number }} DrawJob draws with the worker's model. Result `{ step, levels }`
 * @typedef {{ kind: 'save' }} SaveJob keeps the worker's model in IndexedDB. Result {@link Saved}
 * @typedef {{ kind: 'load' }} LoadJob takes the model kept there. Result {@link Saved} and `{ network, training, test }`, its curves
 * @typedef {{ kind: 'forget' }} ForgetJob drops the worker's model, not the kept one. Result `{}`
 * @typedef {{ kind: 'look' }} LookJob which model is kept. Result `{ saved: Saved | null }`
 * @typedef {{ step: number, date: string }} Saved
 */

/** How many images a training report's samples have. */
export const TRAINING_SAMPLES = 16;
