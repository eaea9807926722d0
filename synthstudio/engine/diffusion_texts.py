"""What the denoiser is told of captions: computed anew while the text encoder learns, and kept once it has stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from synthstudio.engine.diffusion_models import Components
from synthstudio.engine.diffusion_passes import text_states, token_ids


class TextStates:
    """States of a fixed number of captions.

    Args:
        components: Tokenizer and text encoder.
        captions: All that will be asked for.
        is_frozen: Whether the text encoder stays as it is.
    """

    def __init__(self, components: Components, captions: Sequence[str], *, is_frozen: Callable[[], bool]) -> None:
        known = list(dict.fromkeys(captions))
        self._encoder = components.text_encoder
        self._ids = dict(zip(known, token_ids(components.tokenizer, known), strict=True))
        self._is_frozen = is_frozen
        self._kept: dict[str, Tensor] = {}

    def forget(self) -> None:
        """Compute all states anew: the weights are others for a while."""
        self._kept.clear()

    def find(self, captions: Sequence[str]) -> Tensor:
        """States of captions, `(N, T, K)`."""
        if not self._is_frozen():
            return self._encode(captions)
        missing = [each for each in dict.fromkeys(captions) if each not in self._kept]
        for each in missing:  # one by one: the same numbers whatever came together
            with torch.no_grad():
                self._kept[each] = self._encode([each])[0]
        return torch.stack([self._kept[each] for each in captions])

    def _encode(self, captions: Sequence[str]) -> Tensor:
        return text_states(self._encoder, torch.stack([self._ids[each] for each in captions]))
