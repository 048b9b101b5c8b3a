"""The context model, entropy parameters and hyper-decoder of CompressAI's `mbt2018`, with random weights: writes them, random
latents and their log-likelihood, and times CompressAI's own coder.

Source: Minnen, Ballé, Toderici, "Joint Autoregressive and Hierarchical Priors for Learned Image Compression" (2018),
https://arxiv.org/abs/1809.02736. Needs the package `compressai`.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from compressai.models.google import JointAutoregressiveHierarchicalPriors
from safetensors.torch import save_file

READ = ("context_prediction.", "entropy_parameters.", "h_s.")


def make(channels: int, seed: int) -> JointAutoregressiveHierarchicalPriors:
    """Random weights; the biases of scales are such that some scales fall below the least, 0.11."""
    torch.manual_seed(seed)
    model = JointAutoregressiveHierarchicalPriors(channels, channels).eval()
    with torch.no_grad():
        model.context_prediction.weight.mul_(model.context_prediction.mask)
        model.entropy_parameters[4].bias[:channels] = 2 * torch.rand(channels)  # of scales
    return model


def log_likelihood(model, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """log p of each latent [1,M,H,W], given integers y [1,M,H,W] and side information z [1,M,H/4,W/4], in float64."""
    parameters = torch.cat((model.h_s(z), model.context_prediction(y)), dim=1)
    scales, means = model.entropy_parameters(parameters).chunk(2, 1)
    return model.gaussian_conditional._likelihood(y, scales, means).log()


def timed(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--size", type=int, nargs=2, default=[48, 32], help="height and width of the latents, multiples of 4")
    parser.add_argument("--channels", type=int, default=192, help="channels of latents and side information")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time", action="store_true", help="also times compress and decompress of CompressAI")
    args = parser.parse_args()
    height, width = args.size

    model = make(args.channels, args.seed)
    z = torch.randn(1, args.channels, height // 4, width // 4).mul(4).round()
    y = torch.randn(1, args.channels, height, width).round().clamp(-3, 3)
    with torch.no_grad():
        log_p = log_likelihood(model.double(), y.double(), z.double())
    model.float()
    args.out.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in model.state_dict().items() if name.startswith(READ)}
    save_file({**weights, "y": y, "z": z, "log_p": log_p}, args.out / "context-model.safetensors")
    result = {"nats": -float(log_p.sum())}
    if args.time:
        model.gaussian_conditional.update_scale_table([0.11 * (256 / 0.11) ** (i / 63) for i in range(64)], force=True)
        with torch.no_grad():
            params, hyper = timed(lambda: model.h_s(z))
            padded = torch.nn.functional.pad(y, (2, 2, 2, 2))
            string, encoding = timed(lambda: model._compress_ar(padded.clone(), params, height, width, 5, 2))
            empty = torch.zeros_like(padded)
            _, decoding = timed(lambda: model._decompress_ar(string, empty, params, height, width, 5, 2))
        result |= {"hyper": hyper, "compress": encoding, "decompress": decoding, "bytes": len(string)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
