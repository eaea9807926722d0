"""Identifier types: an FOV id never passes for a class id under the type checker."""

from typing import NewType

SampleId = NewType("SampleId", int)
FovId = NewType("FovId", int)
ClassId = NewType("ClassId", int)
AnnotationId = NewType("AnnotationId", int)
SetName = NewType("SetName", str)
RunId = NewType("RunId", str)
GuideId = NewType("GuideId", int)
SuggestionId = NewType("SuggestionId", int)
