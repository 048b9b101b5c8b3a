import { backend, env, getBackend } from '@tensorflow/tfjs-core';

/** What is used of a WebGPU device. */
interface DeviceLimits {
  device: { limits: { maxBufferSize: number; maxStorageBufferBindingSize: number } };
}

/** Bytes that one tensor may have on the current backend: what a buffer or a texture of the GPU holds. */
function largestTensor(): number {
  switch (getBackend()) {
    case 'webgpu': {
      const { limits } = (backend() as unknown as DeviceLimits).device;
      return Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    }
    case 'webgl': // one number a texel, since not all of tfjs's programs pack four into it
      return 4 * env().getNumber('WEBGL_MAX_TEXTURE_SIZE') ** 2;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/**
 * Throws where a tensor [N,H,W,F] is more than the GPU holds in one piece, and says what batch fits. WebGPU
 * itself would not throw, but go on with zeros.
 *
 * @throws RangeError
 */
export function checkBatchFits([n, h, w, features]: readonly [number, number, number, number]): void {
  const bytesPerImage = 4 * h * w * features;
  const limit = largestTensor();
  if (limit === Number.POSITIVE_INFINITY || n * bytesPerImage <= limit) return;
  const tensor = `one tensor [${n},${h},${w},${features}] has ${n * bytesPerImage} bytes, ${limit} is the limit`;
  const fitting = Math.floor(limit / bytesPerImage);
  const advice = fitting > 0 ? `at most ${fitting} images fit` : 'not even one image fits';
  throw new RangeError(`A batch of ${n} images is too large for ${getBackend()} here: ${tensor}; ${advice}`);
}
