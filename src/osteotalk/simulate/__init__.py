"""The embedded cohort: counts drawn from tables, with planted interactions and known truth."""

from osteotalk.simulate.evaluate import compare_with_truth
from osteotalk.simulate.run import simulate_cohort

__all__ = ["compare_with_truth", "simulate_cohort"]
