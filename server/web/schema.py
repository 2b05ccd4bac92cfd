"""Write `openapi.json`, from which `npm run schema` makes the typed client's `src/api/schema.d.ts`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from tracker_server.embedded import serve

with tempfile.TemporaryDirectory() as directory, serve(directory) as server:
    request = Request(server.url + "/api/openapi.json", headers={"Authorization": f"Bearer {server.token}"})  # noqa: S310
    with urlopen(request) as answer:  # noqa: S310 - the server just started here
        document = json.load(answer)
target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("openapi.json")
target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
