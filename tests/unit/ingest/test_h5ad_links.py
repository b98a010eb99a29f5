"""Links within and out of an HDF5 file."""

import anndata as ad
import h5py
import numpy as np
import pytest

from osteotalk.ingest import IngestError, h5ad, hdf5


@pytest.fixture
def file(tmp_path):
    cells = ad.AnnData(np.eye(3, dtype=np.float32) + 1)
    cells.obs_names, cells.var_names = list("abc"), ["CD4", "CD8A", "LYZ"]
    path = tmp_path / "cells.h5ad"
    cells.write_h5ad(path)
    return path


def read(path):
    return h5ad.read({"h5ad": str(path)}, sample="", sample_key="")


def test_groups_that_lead_to_each_other_are_walked_once(file):
    with h5py.File(file, "a") as opened:
        opened["uns/deep/deeper/again"] = opened["uns"]
        opened["uns/deep/self"] = opened["uns/deep"]
        names = [name for name, _, _ in hdf5._links(opened) if name.startswith("uns/")]
    assert names == ["uns/deep", "uns/deep/deeper", "uns/deep/self", "uns/deep/deeper/again"]


@pytest.mark.parametrize("place", ["uns/deep/deeper/out", "obs/out"])
def test_a_link_out_of_the_file_is_found_behind_a_circle(file, place):
    with h5py.File(file, "a") as opened:
        opened["uns/deep/deeper/again"] = opened["uns"]
        opened[place] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(IngestError, match=rf"'{place}' is a link to another file"):
        read(file)


def test_soft_links_within_the_file_are_read(file):
    with h5py.File(file, "a") as opened:
        opened.move("obs", "elsewhere")
        opened["obs"] = h5py.SoftLink("/elsewhere")
        opened["uns/nowhere"] = h5py.SoftLink("/uns/not/there")
        opened["uns/self"] = h5py.SoftLink("/uns/self")
        hdf5.refuse_ways_out(opened, str(file))
    assert list(ad.io.read_elem(h5py.File(file)["obs"]).index) == list("abc")


def test_soft_links_do_not_hide_a_link_out(file):
    with h5py.File(file, "a") as opened:
        opened["uns/out"] = h5py.ExternalLink("other.h5", "/obs")
        del opened["obs"]
        opened["obs"] = h5py.SoftLink("/uns/out")
    with pytest.raises(IngestError, match=r"'uns/out' is a link to another file \(other\.h5\)"):
        read(file)
