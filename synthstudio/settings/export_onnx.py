"""Settings of the export-onnx job."""

from typing import Literal

from pydantic import Field

from synthstudio.settings.base import JobSettings


class ExportOnnxSettings(JobSettings):
    """Write a trained classifier, detector or GAN as an ONNX file that other programs run without SynthStudio."""

    kind: Literal["export-onnx"] = "export-onnx"

    run: str = Field("", title="Training run", json_schema_extra={"tier": "basic"})
    """Id of the training of a classifier, a detector or a GAN; empty means the newest finished one."""

    out: str = Field("", title="File", json_schema_extra={"tier": "basic"})
    """File to write, with the ending .onnx; empty means model.onnx in the folder of this job. The model's card is
    written beside it."""

    tolerance: float = Field(
        1e-4, gt=0.0, le=0.1, title="Greatest difference", json_schema_extra={"tier": "advanced", "unit": "probability"}
    )
    """The file is kept only where its answers differ from those of the trained network by no more than this."""
