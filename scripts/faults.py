"""Play every row of the fault table and print what came of it; `--write` puts the table into docs/reliability.md."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.bench.figures import write_between
from tests.e2e.fault_rows import ROWS, Row
from tests.e2e.fault_runs import Observed, differences, in_order, theatre

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
START_MARK = "<!-- faults: written by python -m scripts.faults --write, don't edit -->"
END_MARK = "<!-- end of faults -->"
HEAD = (
    "| fault | order | answered by | submitted | client gets | attempts, as told | next request |",
    "|---|---|---|---:|---|---|---|",
)
SHORT = {"stream_intercept": "stream", "helper_backend": "helper", "dom_scrape": "dom"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the rows."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    options = parser.parse_args(arguments)
    seen: dict[str, Observed] = {}
    wrong: list[str] = []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="studiogate-faults-") as folder, theatre(Path(folder)) as house:
        for row in in_order(ROWS):
            print(f"faults: {row.fault}", file=sys.stderr, flush=True)
            seen[row.fault] = house.play(row)
            wrong += [f"{row.fault}: {difference}" for difference in differences(row, seen[row.fault])]
    lines = [*HEAD, *(line(row, seen[row.fault]) for row in ROWS)]
    print("\n".join(lines))
    print(f"\n{len(ROWS)} faults in {time.perf_counter() - start:.0f} s.", file=sys.stderr)
    if wrong:
        sys.exit("\n".join(["Not as the rows say:", *wrong]))
    if options.write:
        PAGE.write_text(write_between(PAGE.read_text(), START_MARK, END_MARK, "\n".join(lines)))


def line(row: Row, seen: Observed) -> str:
    """Return a row of the table in Markdown."""
    cells = (
        row.fault,
        ", ".join(SHORT[name] for name in row.order),
        f"`{row.by}`" if row.by else "nobody",
        str(seen.submitted),
        _gets(seen),
        f"`{seen.attempts}`",
        f"{seen.next_status}, `{seen.next_backend}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _gets(seen: Observed) -> str:
    after = f", `Retry-After: {seen.retry_after}`" if seen.retry_after else ""
    if not seen.failure:
        return f"{seen.status}, the answer"
    if seen.status == 200:  # noqa: PLR2004 - HTTP's OK
        return f"200, part of the answer, then `{seen.failure}`"
    return f"{seen.status} `{seen.failure}`{after}"


if __name__ == "__main__":
    main()
