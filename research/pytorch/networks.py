"""All networks, by the names and arguments that they have in the library."""
import re

from image_gpt import ImageGPT
from pixelcnn import GatedPixelCNN, PixelCNN, PixelCNNPlusPlus
from pixelsnail import PixelSNAIL

FACTORIES = {
    'pixelCNN': PixelCNN,
    'gatedPixelCNN': GatedPixelCNN,
    'pixelCNNPlusPlus': PixelCNNPlusPlus,
    'pixelSNAIL': PixelSNAIL,
    'imageGPT': ImageGPT,
}


def make(name, args):
    """What a factory of the library makes: make('gatedPixelCNN', {'imageShape': [28, 28, 1], 'hiddenDim': 16, ...})."""
    return FACTORIES[name](**in_python(args))


def in_python(args):
    """Arguments, and what is in them, under Python's names: hidden_dim for hiddenDim."""
    if not isinstance(args, dict):
        return args
    return {re.sub('[A-Z]', lambda found: '_' + found[0].lower(), name): in_python(value) for name, value in args.items()}
