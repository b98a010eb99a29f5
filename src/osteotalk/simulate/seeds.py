"""Random streams that depend on a name, not on the order in which they are asked for."""

import zlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random generator of one purpose (a gene set, a patient, a sample).

    Parameters
    ----------
    seed
        Seed of the cohort, not negative.
    names
        What the stream is for. Other names give an independent stream, so adding or reordering
        samples leaves the others as they are.
    """
    key = tuple(zlib.crc32(name.encode()) for name in names)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
