"""Times a step of training without data of the code of Wu, Wang and Zhang (2019): python3 energy_step.py DIR PASSES.

DIR is a clone of https://github.com/wdphy16/stat-mech-van. Its sampling takes a whole pass for each spin, all alike, of which
this runs PASSES. Prints JSON: seconds of processor time of a pass and of the gradient, and the version of PyTorch.
"""

import json
import sys
import time

import torch

directory, passes = sys.argv[1], int(sys.argv[2])
sys.argv = [sys.argv[0], "--no_stdout", "--ham", "fm", "--lattice", "sqr", "--L", "16", "--beta", "0.44"]
sys.argv += ["--net_depth", "3", "--net_width", "64", "--half_kernel_size", "3", "--bias"]
sys.path.insert(0, f"{directory}/src_ising")

import ising  # noqa: E402
from args import args  # noqa: E402
from pixelcnn import PixelCNN  # noqa: E402

torch.set_num_threads(1)
torch.set_default_dtype(torch.float32)
args.device = torch.device("cpu")
args.epsilon = 1e-7
images = 1000
net = PixelCNN(**vars(args))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
sample = torch.randint(2, [images, 1, args.L, args.L]).float() * 2 - 1


def sampling_pass():
    """As in their PixelCNN.sample."""
    with torch.no_grad():
        net.forward(sample)


def gradient():
    """As in their main.py."""
    optimizer.zero_grad()
    log_prob = net.log_prob(sample)
    with torch.no_grad():
        loss = log_prob + args.beta * ising.energy(sample, args.ham, args.lattice, args.boundary)
    torch.mean((loss - loss.mean()) * log_prob).backward()
    optimizer.step()


def seconds(task, times):
    task()
    start = time.process_time()
    for _ in range(times):
        task()
    return (time.process_time() - start) / times


print(json.dumps({"pass": seconds(sampling_pass, passes), "gradient": seconds(gradient, 2), "version": torch.__version__}))
