"""The processes that share one training, as `accelerate launch` and `torchrun` tell each of them. Without torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from synthstudio.domain.errors import UserError


@dataclass(frozen=True, slots=True)
class Processes:
    """Which one of how many this process is.

    The first is the main one: it alone writes files and tells of what happens.
    """

    index: int = 0
    count: int = 1

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Processes:
        """Read RANK and WORLD_SIZE; one process where they are not both there."""
        if "RANK" not in environment or "WORLD_SIZE" not in environment:
            return cls()
        try:
            return cls(int(environment["RANK"]), int(environment["WORLD_SIZE"]))
        except ValueError as error:
            raise UserError(
                f"RANK and WORLD_SIZE in the environment are no numbers: {error}.", "Start with accelerate launch."
            ) from error

    @property
    def is_main(self) -> bool:
        return self.index == 0

    def rows(self, batch_size: int) -> range:
        """The part of a batch that is this process's to make, one after the other in order of their index.

        Raises:
            UserError: The batch cannot be divided evenly.
        """
        if batch_size % self.count:
            raise UserError(
                f"A batch of {batch_size} images cannot be divided among {self.count} processes.",
                f"Choose a batch that is a multiple of {self.count}.",
            )
        part = batch_size // self.count
        return range(self.index * part, (self.index + 1) * part)


ALONE = Processes()
