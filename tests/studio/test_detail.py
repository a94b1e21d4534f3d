"""How closely the files of a request are looked at."""

import pytest

from studiogate.attachments import AttachmentRef
from studiogate.models import Model
from studiogate.params import Params
from studiogate_studio.detail import media_resolution, note_detail


def refs(*details: str | None) -> tuple[AttachmentRef, ...]:
    """Return references for which a detail is asked, or none."""
    return tuple(
        AttachmentRef(source="", param=f"files[{number}]", detail=detail) for number, detail in enumerate(details)
    )


@pytest.mark.parametrize(
    ("details", "resolution"),
    [((), ""), ((None, "auto"), ""), (("low", None), "low"), (("low", "high", "auto"), "high"), (("high",), "high")],
)
def test_the_highest_detail_is_the_requests_media_resolution(details: tuple[str | None, ...], resolution: str) -> None:
    """A request has one for all its files; auto leaves it to the model, and so does a model that takes none."""
    assert media_resolution(refs(*details), None) == resolution
    assert media_resolution(refs(*details), Model(id="m", display_name="M", media_resolution=True)) == resolution
    assert media_resolution(refs(*details), Model(id="m", display_name="M")) == ""


@pytest.mark.parametrize(
    ("details", "able", "noted"),
    [
        (("low", "low"), True, {}),
        (("auto", None), False, {}),
        (("low", "high"), True, {"detail": "high for all files, as a request has one"}),
        (("high",), False, {"detail": "m takes no media resolution"}),
        (("high",), None, {}),
    ],
)
def test_what_of_a_detail_is_not_honoured_is_noted(
    details: tuple[str, ...], *, able: bool | None, noted: dict[str, str]
) -> None:
    """Where files differ, and where the model knows no resolution; of an unknown model nothing is said."""
    model = None if able is None else Model(id="m", display_name="M", media_resolution=able)

    assert note_detail(Params(), refs(*details), model).ignored == noted
