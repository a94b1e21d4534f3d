import base64

from studiogate_simulator.visits import Visits


def header_of(visit_id: str) -> str:
    """Write the header as a page does."""
    return "v1_" + base64.b64encode(visit_id.encode()).decode()


def test_generation() -> None:
    """A page's visit id tells its generation; each page has its own."""
    visits = Visits()
    older, newer = visits.open("g1"), visits.open("g3")

    assert [visits.generation(header_of(each)) for each in (older, newer)] == ["g1", "g3"]


def test_unknown() -> None:
    """What is no visit id, or nobody's, tells nothing."""
    visits = Visits()

    assert [visits.generation(header) for header in ("", "v1_!", header_of("someone"), "v1_/w==")] == [None] * 4


def test_the_oldest_is_forgotten() -> None:
    """Pages of long ago are forgotten."""
    visits = Visits()
    first = visits.open("g1")
    last = [visits.open("g2") for _ in range(1000)][-1]

    assert (visits.generation(header_of(first)), visits.generation(header_of(last))) == (None, "g2")
