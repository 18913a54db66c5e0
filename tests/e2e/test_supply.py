"""Bills of material of the running images, by the real Syft."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Site

BUILT = {"api", "blurring", "database", "keycloak", "proxy", "website"}


def _packages(path: Path) -> set[tuple[str, str]]:
    """Kind of package and name of everything in a bill of material."""
    bill = json.loads(path.read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    purls = [component["purl"] for component in bill["components"] if "purl" in component]
    return {(purl.split("/")[0].removeprefix("pkg:"), purl.split("@")[0].split("/")[-1]) for purl in purls}


def test_every_image_has_a_bill_of_material(site: Site, tmp_path: Path) -> None:
    done = site.run("supply.py", "sbom", "--directory", str(tmp_path), "--json")
    written = {Path(path).name.removesuffix(".cdx.json"): Path(path) for path in json.loads(done.stdout)}
    assert set(written) == {*BUILT, "website-scripts"}
    for service in BUILT:
        assert ("deb", "libc6") in _packages(written[service]), service
    assert {("pypi", "geovisio"), ("pypi", "flask")} <= _packages(written["api"])
    assert ("pypi", "onnxruntime") in _packages(written["blurring"])
    assert ("deb", "nginx") in _packages(written["proxy"])
    assert any(kind == "maven" and name == "keycloak-core" for kind, name in _packages(written["keycloak"]))
    assert ("npm", "vite") in _packages(written["website-scripts"])
