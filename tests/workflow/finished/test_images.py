"""The pictures of README can be made again, and say that the data are simulated."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

PICTURES = ("verdict.png", "network.png")
BANNER = (122, 16, 48)  # the ground of the banner on pages of simulated data


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def check(path):
    found = pixels(path)
    assert found.shape[1] == 1125
    assert found.shape[0] > 500
    # the banner reaches from side to side at the top, and there is something below it
    assert (found[5] == BANNER).all()
    assert len(np.unique(found[200:].reshape(-1, 3), axis=0)) > 50


def test_the_pictures_of_readme(browser, repository, tmp_path):
    path = repository / "docs" / "make_images.py"
    spec = importlib.util.spec_from_file_location("make_images", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    claim = browser.pages["interaction"].removeprefix("claims/").removesuffix(".html")
    module.main(browser.report, tmp_path, claim=claim)
    for name in PICTURES:
        check(tmp_path / name)


@pytest.mark.parametrize("name", PICTURES)
def test_those_that_are_shown_are_small(repository, name):
    path = repository / "docs" / "images" / name
    check(path)
    assert path.stat().st_size < 300_000
