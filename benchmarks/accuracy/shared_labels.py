"""Labels of ../shared/data for the shipped model.

    python -m benchmarks.accuracy.shared_labels DATA OUT

Writes training.csv, validation.csv and test.csv: 15 % of the patients of iu_openi_256 are for the
test and 5 % for validation, by a hash of their id; everything else is trained on. Images of view
`other` are not used.
"""

import sys
from pathlib import Path

from benchmarks.accuracy.shared import labels


def main(data: Path, out: Path) -> None:
    """Write the three files."""
    out.mkdir(parents=True, exist_ok=True)
    rows = labels(data)
    for part, of_part in rows.groupby("part"):
        columns = ["path", "source", "patient_id", "view"]
        of_part[columns].to_csv(out / f"{part}.csv", index=False)
        print(f"{part}: {of_part.groupby(['source', 'view']).size().to_dict()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
