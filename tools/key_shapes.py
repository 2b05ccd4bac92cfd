"""Write core/tracker/capture/key_shapes.json from the rules of gitleaks.

    python tools/key_shapes.py gitleaks.toml VERSION

The rules are in config/gitleaks.toml of https://github.com/gitleaks/gitleaks (MIT), which covers the issuers of keys.
Only rules that recognise a key by its shape are used. Rules that look at words around it would take ordinary parameters
for secrets; `redact` has its own rules for names.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import tomllib

TARGET = Path(__file__).parents[1] / "core" / "tracker" / "capture" / "key_shapes.json"
BY_NAME = re.compile(r"\(\?i\)\[\\w\.-\]\{0,50\}")
LEFT_OUT = (
    "generic curl private-key kubernetes sidekiq nuget hashicorp-tf sourcegraph sonar jwt-base64 openshift "
    "1password-account freemius facebook-access shopify-shared twilio sumologic-access-id maxmind azure-ad"
).split()


def main() -> None:
    """Convert the rules from Go's syntax to Python's."""
    rules = []
    for rule in tomllib.loads(Path(sys.argv[1]).read_text())["rules"]:
        pattern = rule.get("regex")
        if pattern is None or BY_NAME.match(pattern) or rule["id"].startswith(tuple(LEFT_OUT)):
            continue
        pattern = pattern.replace(r"\z", r"\Z").replace("[[:alnum:]]", "[A-Za-z0-9]")
        if "(?i)" in pattern:  # Python allows it only at the beginning
            pattern = "(?i)" + pattern.replace("(?i)", "")
        re.compile(pattern)
        keywords = [word.lower() for word in rule["keywords"]]
        rules.append({"id": rule["id"], "keywords": keywords, "pattern": pattern, "entropy": rule.get("entropy", 0)})
    about = {"source": f"gitleaks {sys.argv[2]}, MIT, (c) 2019 Zachary Rice", "rules": rules}
    TARGET.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
