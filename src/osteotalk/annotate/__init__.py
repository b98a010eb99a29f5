"""Populations from marker genes, second opinions, malignancy, and agreement with the authors."""

from osteotalk.annotate.agreement import agreement_table
from osteotalk.annotate.malignancy import call_malignant
from osteotalk.annotate.opinions import add_opinions
from osteotalk.annotate.populations import annotate
from osteotalk.annotate.positions import add_positions

__all__ = ["add_opinions", "add_positions", "agreement_table", "annotate", "call_malignant"]
