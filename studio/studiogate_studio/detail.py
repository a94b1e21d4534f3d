"""OpenAI's `detail` of a file, as AI Studio has it: one media resolution for all files of a request."""

from collections.abc import Sequence

from studiogate.attachments import AttachmentRef
from studiogate.models import Model
from studiogate.params import Params
from studiogate_studio.wire import MEDIA_RESOLUTIONS


def media_resolution(refs: Sequence[AttachmentRef], model: Model | None) -> str:
    """Return the highest resolution that any file asks for; empty where none does, or the model takes none.

    :param model: as AI Studio lists it; one that it doesn't list is given what was asked for.
    """
    if not _takes_one(model):
        return ""
    return max(_details(refs), key=MEDIA_RESOLUTIONS.__getitem__, default="")


def note_detail(params: Params, refs: Sequence[AttachmentRef], model: Model | None) -> Params:
    """Note what of the files' details can't be honoured: a model may take none, and a request has one for all."""
    details = _details(refs)
    if details and model is not None and not _takes_one(model):
        return params.note("detail", f"{model.id} takes no media resolution")
    if len(details) > 1:
        return params.note("detail", f"{media_resolution(refs, model)} for all files, as a request has one")
    return params


def _takes_one(model: Model | None) -> bool:
    return model is None or model.media_resolution


def _details(refs: Sequence[AttachmentRef]) -> set[str]:
    return {ref.detail for ref in refs if ref.detail in MEDIA_RESOLUTIONS}
