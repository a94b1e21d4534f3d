from scripts.bench.growth import Reading, growth_table, slope_kb


def _reading(requests: int, gateway: float) -> Reading:
    return Reading(requests=requests, gateway=gateway, driver=80.4, chromium=350.6)


def test_the_slope_is_that_of_the_last_half() -> None:
    """What a gateway takes while it warms up is no growth, nor is what comes and goes."""
    warming = [_reading(number, 100 + number / 10) for number in range(0, 50, 10)]
    level = [_reading(number, 105 + (number % 20) / 10) for number in range(50, 101, 10)]
    rising = [_reading(number, 105 + (number - 50) * 0.07) for number in range(50, 101, 10)]

    assert abs(slope_kb([*warming, *level])) < 20
    assert round(slope_kb([*warming, *rising]), 6) == 70
    assert slope_kb([_reading(0, 100)]) == 0


def test_the_table_shows_each_share_of_the_requests() -> None:
    """Where none was read after just so many, the next one is shown."""
    readings = [_reading(number, 100 + number) for number in (0, 4, 8, 12)]

    assert growth_table(readings, (0.25, 1.0)).splitlines() == [
        "| MB after so many requests | 0 | 4 | 12 |",
        "| --- | ---: | ---: | ---: |",
        "| gateway | 100.0 | 104.0 | 112.0 |",
        "| Playwright's driver | 80 | 80 | 80 |",
        "| Chromium | 351 | 351 | 351 |",
    ]
