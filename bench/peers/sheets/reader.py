"""The original's line reader in PyTorch, from its published description; every width is taken from the checkpoint."""

from pathlib import Path

import torch
from torch import nn

# Index of each convolution in the checkpoint's Sequential; its norm follows it.
CONVOLUTIONS = (0, 4, 9, 12, 16, 19, 24)
ORIGINAL_CHANNELS = (64, 128, 256, 256, 512, 512, 512)
ORIGINAL_HIDDEN = 256


class LineReader(nn.Module):
    """[N, 1, 32, W] -> logits [W / 4, N, classes]; class 0 is the blank."""

    def __init__(self, channels: tuple[int, ...], hidden: int, classes: int) -> None:
        super().__init__()

        def block(inputs: int, outputs: int, kernel: int | tuple[int, int] = 3, padding: int = 1) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

        one, two, three, four, five, six, seven = channels
        self.cnn = nn.Sequential(
            *block(1, one), nn.MaxPool2d(2, 2),
            *block(one, two), nn.MaxPool2d(2, 2), nn.Dropout2d(0.1),
            *block(two, three),
            *block(three, four), nn.MaxPool2d((2, 1)),
            *block(four, five),
            *block(five, six), nn.MaxPool2d((2, 1)), nn.Dropout2d(0.1),
            *block(six, seven, (2, 1), 0),
        )  # fmt: skip
        self.rnn = nn.LSTM(seven, hidden, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.fc(self.rnn(self.cnn(images).squeeze(2).permute(2, 0, 1))[0])


def load_reader(path: Path) -> LineReader:
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("model_state_dict", state)
    channels = tuple(state[f"cnn.{index}.weight"].shape[0] for index in CONVOLUTIONS)
    reader = LineReader(channels, state["rnn.weight_hh_l0"].shape[1], state["fc.weight"].shape[0])
    reader.load_state_dict(state)
    return reader.float().eval()
