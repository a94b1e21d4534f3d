import pytest

from studiogate_studio.elements import ALWAYS, Element, Inventory, State, load_inventory
from studiogate_studio.selectors import load_selectors

SELECTORS = load_selectors().candidates
INVENTORY = load_inventory()


def test_every_element_says_what_it_is_for_and_when_it_is_there() -> None:
    """Add to elements.toml, whose head says how, what is missing here; and remove what is gone."""
    assert set(SELECTORS) == set(INVENTORY.elements)


@pytest.mark.parametrize(("name", "element"), INVENTORY.elements.items(), ids=str)
def test_an_element_names_what_there_is(name: str, element: Element) -> None:
    """Its state, and the elements that do as well."""
    assert element.when in INVENTORY.states
    assert set(element.instead) <= set(SELECTORS) - {name}
    assert element.purpose


@pytest.mark.parametrize(("name", "state"), INVENTORY.states.items(), ids=str)
def test_a_state_can_be_brought_about(name: str, state: State) -> None:
    """The elements to click exist, and what comes first leads back to a new chat."""
    clicked = {each for each in (state.click, state.back) if each is not None}
    before = {name}
    while name != ALWAYS:
        name = INVENTORY.states[name].within
        assert name not in before or name == ALWAYS
        before.add(name)

    assert clicked <= set(SELECTORS)
    assert state.seen


def test_an_inventory_tells_what_a_state_shows_and_leads_to() -> None:
    """In the file's order."""
    inventory = Inventory(
        states={
            "always": State(seen="in a new chat"),
            "menu": State(seen="while the menu is open", click="button"),
            "failed": State(seen="after a failure"),
        },
        elements={
            "button": Element(purpose="Menus", when="always"),
            "item": Element(purpose="Menus", when="menu"),
            "toast": Element(purpose="Failures", when="failed"),
        },
    )

    assert inventory.shown("menu") == ("item",)
    assert inventory.within("always") == ("menu",)
