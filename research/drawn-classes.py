"""Asks a classifier, trained here on the images of a data set, of which class drawn images are:

    node examples/sample.mjs --model models/digits-28.pixelcnn --images 100 --seed 5 --out out/digits.npy
    python3 research/drawn-classes.py --data mnist --path DIR --levels 16 out/digits.npy
"""
import argparse
import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pytorch'))
from data import read_dataset  # noqa: E402

parser = argparse.ArgumentParser(description='Trains a classifier, and says how many drawn images it takes for the class they were drawn as.')
parser.add_argument('drawn', nargs='+', help='.npy files of levels: as many images of each class, class after class')
parser.add_argument('--data', required=True, choices=['digits', 'fashion-mnist', 'mnist'], help='what it learns from')
parser.add_argument('--path', help='where the data are')
parser.add_argument('--levels', type=int, help='how many levels the drawn images have')
parser.add_argument('--epochs', type=int, default=2)
flags = parser.parse_args()

torch.manual_seed(0)
train, test = read_dataset(flags.data, flags.path, flags.levels)
height, width = train.levels.shape[1:3]
scaled = lambda levels: torch.from_numpy(levels.astype(np.float32) / (train.num_levels - 1)).reshape(-1, 1, height, width)  # [N,1,H,W]
convolution = lambda inputs, outputs: [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
features = 64 * (height // 4) * (width // 4)
net = nn.Sequential(*convolution(1, 32), *convolution(32, 64), nn.Flatten(), nn.Dropout(0.3), nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, 10))
adam = torch.optim.Adam(net.parameters(), 1e-3)
for _ in range(flags.epochs):
    for chosen in torch.randperm(len(train.levels)).split(50):
        loss = nn.functional.cross_entropy(net(scaled(train.levels[chosen])), torch.from_numpy(train.classes[chosen]).long())
        adam.zero_grad()
        loss.backward()
        adam.step()

net.eval()
with torch.no_grad():
    taken_for = lambda levels: np.concatenate([net(scaled(part)).argmax(1).numpy() for part in np.array_split(levels, max(1, len(levels) // 500))])
    print(f'test images: {np.mean(taken_for(test.levels) == test.classes):.1%} right')
    for file in flags.drawn:
        drawn = np.load(file)
        right = taken_for(drawn) == np.repeat(np.arange(10), len(drawn) // 10)
        print(f"{file}: {right.mean():.1%} right, by class {' '.join(f'{share:.0%}' for share in right.reshape(10, -1).mean(1))}")
