import pytest

from scripts.bench.figures import Budget, Figure, figure_of, percentile, table, write_between


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.95, 10), (0.1, 1), (1.0, 10), (0.0, 1)])
def test_a_percentile_is_a_sample_by_nearest_rank(share: float, expected: float) -> None:
    """Nothing is interpolated, and the order of the samples doesn't matter."""
    samples = [10.0, 9, 8, 7, 6, 5, 4, 3, 2, 1]

    assert percentile(samples, share) == expected


def test_no_samples_have_no_percentile() -> None:
    """A measurement that measured nothing fails instead of looking fast."""
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("budget", "value", "kept"),
    [
        (Budget(limit=50), 50, True),
        (Budget(limit=50), 50.1, False),
        (Budget(limit=50, at_least=True), 50, True),
        (Budget(limit=50, at_least=True), 49.9, False),
        (None, 1e9, True),
    ],
)
def test_a_budget_includes_its_limit(budget: Budget | None, value: float, *, kept: bool) -> None:
    """The limit itself is allowed, in both directions; without a budget anything is."""
    assert Figure(name="it", value=value, unit="ms", budget=budget).kept is kept


def test_samples_in_seconds_are_shown_in_the_unit_of_their_budget() -> None:
    """Seconds become milliseconds before they meet a budget in milliseconds."""
    figure = figure_of("it", [0.010, 0.020, 0.030], "ms", "3 runs", budget=Budget(limit=25))

    assert (figure.value, figure.p95, figure.kept) == (20, 30, True)


def test_the_table_shows_budgets_beside_figures() -> None:
    """One row each; what misses its budget stands out."""
    figures = [
        Figure(name="fast", value=12.34, unit="ms", p95=45.6, runs="50 calls", budget=Budget(limit=60)),
        Figure(name="slow", value=1234.5, unit="MB/s", budget=Budget(limit=2000, at_least=True)),
        Figure(name="nothing", value=0, unit="kB"),
    ]

    assert table(figures).splitlines()[2:] == [
        "| fast | 12.3 ms | 45.6 ms | ≤ 60 ms | kept | 50 calls |",
        "| slow | 1234 MB/s |  | ≥ 2000 MB/s | **missed** |  |",
        "| nothing | 0 kB |  |  |  |  |",
    ]


def test_what_stands_between_the_markers_is_replaced() -> None:
    """Everything around them stays, and so do they."""
    page = "before\n<a>\nold\n<b>\nafter\n"

    assert write_between(page, "<a>", "<b>", "new") == "before\n<a>\nnew\n<b>\nafter\n"


@pytest.mark.parametrize("page", ["<a> only", "only <b>", "<b> before <a>", ""])
def test_a_page_without_both_markers_is_left_alone(page: str) -> None:
    """It isn't guessed where the table belongs."""
    with pytest.raises(ValueError, match="markers"):
        write_between(page, "<a>", "<b>", "new")
