"""Write server/tracker_server/access/look_alikes.json from two files of Unicode.

    python tools/look_alikes.py confusables.txt Scripts.txt

- confusables.txt, from https://www.unicode.org/Public/security/, says which characters look alike (UTS #39).
- Scripts.txt, from https://www.unicode.org/Public/UCD/latest/ucd/, says to which script a character belongs (UAX #24).

Only characters that a name can contain are kept: letters, marks and numbers that NFKC leaves as they are.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path

TARGET = Path(__file__).parents[1] / "server" / "tracker_server" / "access" / "look_alikes.json"


def main() -> None:
    """Read both files and write the tables."""
    confusables, scripts = (Path(name).read_text("utf-8-sig") for name in sys.argv[1:3])
    about = {
        "source": [_about(confusables), _about(scripts)],
        "license": "Unicode License, https://www.unicode.org/license.txt; this is an extract",
        "prototypes": _prototypes(confusables),
        "scripts": _scripts(scripts),
    }
    text = json.dumps(about, ensure_ascii=True, indent=None, separators=(",", ":"))
    TARGET.write_text(re.sub(r'(,)("(?:license|prototypes|scripts)":)', r"\1\n\2", text) + "\n")


def _about(text: str) -> str:
    return " ".join(line.lstrip("# ") for line in text.splitlines()[:4] if line.startswith("# ")).strip()


def _rows(text: str) -> list[list[str]]:
    lines = (line.split("#")[0] for line in text.splitlines())
    return [[part.strip() for part in line.split(";")] for line in lines if ";" in line]


def _prototypes(text: str) -> dict[str, str]:
    """Return the character or characters that each character looks like."""
    found = {}
    for source, target, *_ in _rows(text):
        one = chr(int(source, 16))
        if unicodedata.category(one)[0] in "LMN" and unicodedata.normalize("NFKC", one) == one:
            found[one] = "".join(chr(int(code, 16)) for code in target.split())
    return found


def _scripts(text: str) -> list[tuple[int, int, str]]:
    """Return ranges of letters: first, last, script."""
    letters: dict[int, str] = {}
    for codes, script in _rows(text):
        first, _, last = codes.partition("..")
        for code in range(int(first, 16), int(last or first, 16) + 1):
            if script not in ("Common", "Inherited") and unicodedata.category(chr(code))[0] in "LN":
                letters[code] = script
    ranges: list[tuple[int, int, str]] = []
    for code in sorted(letters):
        # Gaps without letters of other scripts do not end a range: nothing in them can be in a name.
        if ranges and ranges[-1][2] == letters[code] and code - ranges[-1][1] < 64:
            ranges[-1] = (ranges[-1][0], code, letters[code])
        else:
            ranges.append((code, code, letters[code]))
    return ranges


if __name__ == "__main__":
    main()
