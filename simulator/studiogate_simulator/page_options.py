"""How the next page that is loaded looks and behaves, where builds of the real one differ."""

from typing import Final

from attrs import field, frozen, validators

FILE_INPUTS: Final = ("box", "menu", "chooser")
"""Where the file input is: hidden in the prompt box (2026), in the menu's item while that is open (2025), or nowhere,
so that only a file chooser opens."""


def _check_place(_: object, __: object, value: str) -> None:
    if value not in FILE_INPUTS:
        raise ValueError(f"file_input must be one of {', '.join(FILE_INPUTS)}, not {value!r}")


@frozen(kw_only=True)
class PageOptions:
    """Options of a page, fixed when it is loaded."""

    file_input: str = field(default="box", validator=_check_place)
    """Where the file input is, one of `FILE_INPUTS`."""
    upload_label: str = "Upload files"
    """What the menu's item is called; "Upload a file" and "Upload File" were seen too."""
    multiple: bool = True
    """Whether several files can be chosen at once."""
    inline_bytes: int = field(default=8 * 2**20, validator=validators.ge(0))
    """A temporary chat sends files up to this size inside the request; larger ones, and all of other chats, go to
    Drive."""
