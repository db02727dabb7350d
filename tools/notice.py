"""What the packaged archive contains, and under which licence: python tools/notice.py FOLDER.

FOLDER holds what pip installed for the archive. Prints the archive's NOTICE; fails where a package
is under the GPL, or does not say what it is under, as the archive is handed on.
"""

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

OURS = "cxrspark"
CARD = Path(OURS) / "model" / "default" / "model.json"
HEAD = """cxrspark, under the Apache License 2.0 (LICENSE in its .dist-info folder).

The trained model in {card}: {licence}.

Beside cxrspark this archive holds these packages, unchanged; each one's .dist-info folder has its
licence as far as the package brings it.
"""
LIBRARIES = """
Their wheels bring these libraries. libgomp, libgfortran and libquadmath are GCC's: GPL 3 or LGPL
with the runtime library exception, by which they may go with programs of any licence.
"""
GPL = re.compile(r"(?<!L)GPL|GNU (Affero )?General Public", re.IGNORECASE)


def licence_of(package: Distribution) -> str:
    """SPDX expression where the package has one, else its classifiers, else its own words."""
    about = package.metadata
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    classified = [
        line.split(" :: ")[-1]
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    return "; ".join(classified) or str(about.get("License") or "").strip().split("\n")[0]


def notice(folder: Path) -> str:
    """The text.

    Raises:
        SystemExit: A package is under the GPL, or says nothing.
    """
    found = {
        f"{package.metadata['Name']} {package.version}": licence_of(package)
        for package in distributions(path=[str(folder)])
        if package.metadata["Name"] != OURS
    }
    refused = [f"{name} ({said or 'nothing'})" for name, said in found.items()
               if GPL.search(said) or not said]  # fmt: skip
    if refused:
        sys.exit(f"error: may not be handed on, by their licence: {', '.join(sorted(refused))}")
    width = max(map(len, found), default=0)
    lines = [f"  {name:<{width}}  {said}" for name, said in sorted(found.items())]
    licence = json.loads((folder / CARD).read_text())["licence"]
    libraries = [
        f"  {libs.name}: " + ", ".join(sorted(file.name.split("-")[0] for file in libs.iterdir()))
        for libs in sorted(folder.glob("*.libs"))
    ]
    text = [HEAD.format(card=CARD, licence=licence), *lines]
    return "\n".join([*text, LIBRARIES, *libraries] if libraries else text)


if __name__ == "__main__":
    print(notice(Path(sys.argv[1])))
