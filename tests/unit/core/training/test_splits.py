"""Which of the real images a limited training may learn from."""

from __future__ import annotations

from synthstudio.core.training.splits import limit_fovs
from synthstudio.domain.ids import FovId, SampleId
from synthstudio.domain.records import AnnotationState, FieldOfView, Split, Storage


def make_fovs(n_samples: int, per_sample: int) -> list[FieldOfView]:
    return [
        FieldOfView(
            id=FovId(sample * per_sample + number),
            sample_id=SampleId(sample),
            sample_name=f"s{sample}",
            split=Split.TRAIN,
            name=f"{sample}-{number}.png",
            path="",
            storage=Storage.REFERENCE,
            sha256="",
            width=10,
            height=10,
            um_per_px=None,
            tone=None,
            state=AnnotationState.EXHAUSTIVE,
        )
        for sample in range(n_samples)
        for number in range(per_sample)
    ]


def test_that_a_limit_takes_whole_samples_and_never_none() -> None:
    fovs = make_fovs(20, 3)
    few = limit_fovs(fovs, share=0.1, seed=4)
    assert len(few) == 6
    assert len({fov.sample_id for fov in few}) == 2
    assert len(limit_fovs(fovs, share=0.001, seed=4)) == 3
    assert limit_fovs(fovs, share=1.0, seed=4) == fovs


def test_that_a_wider_limit_keeps_what_a_narrower_one_took_and_seeds_differ() -> None:
    fovs = make_fovs(30, 2)
    shares = [{fov.id for fov in limit_fovs(fovs, share=share, seed=1)} for share in (0.1, 0.3, 0.8)]
    assert shares[0] < shares[1] < shares[2]
    assert {fov.id for fov in limit_fovs(fovs, share=0.1, seed=2)} != shares[0]
