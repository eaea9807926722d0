"""Settings of the explain job."""

from typing import Literal, Self

from pydantic import Field, model_validator

from synthstudio.domain.records import Split
from synthstudio.settings.base import JobSettings

CamMethod = Literal["cam", "grad-cam", "grad-cam++", "layer-cam", "attention"]


class ExplainSettings(JobSettings):
    """Compute class activation maps of a trained classifier on whole FOVs, with their peaks."""

    kind: Literal["explain"] = "explain"

    run: str = Field("", title="Training run", json_schema_extra={"tier": "basic"})
    """Id of the training run; empty means the newest finished one."""

    split: Split = Field(Split.TEST, title="Split", json_schema_extra={"tier": "basic"})
    """Which FOVs to explain, unless single ones are named."""

    fovs: tuple[str, ...] = Field((), title="Fields of view", json_schema_extra={"tier": "basic"})
    """Names of the FOVs to explain; empty means all of the split."""

    method: CamMethod = Field("cam", title="Method", json_schema_extra={"tier": "basic"})
    """"cam": the network's own class maps. "grad-cam", "grad-cam++" and "layer-cam" weigh the features of a layer by
    the gradient of the answer; "layer-cam" keeps the place of each gradient, and so is the sharpest in early layers.
    "attention": for networks with attention (ViT), follows the evidence back through the attention of all blocks."""

    layer: str = Field("", title="Layer", json_schema_extra={"tier": "advanced"})
    """Layer whose features the gradient methods weigh, by its name in the network, such as "features.8"; empty means
    the last layer of features."""

    sanity_check: bool = Field(False, title="Compare with random weights", json_schema_extra={"tier": "advanced"})
    """Also compute the maps of the same network with random weights on the first FOVs, and tell how far the two are
    correlated (Adebayo et al. 2018). Near 0 is right: a map that stays the same does not show what was learned."""

    @model_validator(mode="after")
    def _layer_suits_method(self) -> Self:
        if self.layer and self.method in ("cam", "attention"):
            raise ValueError(f'a layer can be chosen for the gradient methods only, not for "{self.method}"')
        return self
